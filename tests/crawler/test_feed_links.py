"""Where a reader would find the posts of a feed, however their links are written. No I/O."""

from __future__ import annotations

import pytest

from crawler.feeds import parse
from crawler.feeds.links import alternate, meant
from crawler.feeds.relative import resolved

BLOG, OTHER = "http://blog.example/feed", "https://feeds.example/blog"


def rss_link(inside: str, url: str = BLOG, head: str = "", attributes: str = "") -> str | None:
    body = f"<rss version='2.0'{attributes}><channel><title>T</title>{head}<item><title>P</title><link>{inside}</link></item></channel></rss>"
    return parse(body.encode(), url=url, content_type=None).entries[0].link


def atom_link(links: str, url: str = BLOG, head: str = "", attributes: str = "", own: str = "") -> str | None:
    body = (
        f"<feed xmlns='http://www.w3.org/2005/Atom'{attributes}><title>T</title>{head}"
        f"<entry{own}><id>urn:1</id><title>P</title>{links}</entry></feed>"
    )
    return parse(body.encode(), url=url, content_type=None).entries[0].link


@pytest.mark.parametrize(
    "query", ["a=1&copy=2", "a=1&reg=2&not=3", "a=1&lt=2", "a=1&amp=2", "a=1&b", "a&&b", "a=1&#=2", "&para=1&sect=2"]
)
def test_a_bare_ampersand_in_a_link_is_an_ampersand(query: str) -> None:
    wanted = f"http://blog.example/read?{query}"
    assert rss_link(wanted) == wanted
    assert rss_link(f"<![CDATA[{wanted}]]>") == wanted
    assert rss_link(wanted.replace("&", "&amp;")) == wanted
    assert atom_link(f"<link href='{wanted}'/>") == wanted
    assert atom_link(f'<link rel="alternate" href="{wanted}"></link>') == wanted


def test_an_ampersand_that_was_escaped_twice_is_one() -> None:
    for twice in ("&amp;amp;", "&amp;#38;", "&amp;#038;", "&amp;#x26;"):
        assert rss_link(f"/read?a=1{twice}b=2") == "http://blog.example/read?a=1&b=2"


@pytest.mark.parametrize(
    ("link", "url", "wanted"),
    [
        ("www.blog.example/post-1/", BLOG, "http://www.blog.example/post-1/"),
        ("www.blog.example/post-1/", "https://blog.example/feed", "https://www.blog.example/post-1/"),
        ("WWW.blog.example", BLOG, "http://WWW.blog.example"),
        ("blog.example/post-1/", BLOG, "http://blog.example/post-1/"),
        ("blog.example:8080/post-1/", BLOG, "http://blog.example:8080/post-1/"),
        ("news.blog.example/post-1/", BLOG, "http://news.blog.example/post-1/"),
        ("learn.museum.org/post-1/", BLOG, "http://learn.museum.org/post-1/"),
        ("news.shop.co.uk/x?y=1", BLOG, "http://news.shop.co.uk/x?y=1"),
        ("//blog.example/post-1/", BLOG, "http://blog.example/post-1/"),
        ("//blog.example/post-1/", "https://blog.example/feed", "https://blog.example/post-1/"),
        ("http:/blog.example/p", BLOG, "http://blog.example/p"),
        ("http:///blog.example/p", BLOG, "http://blog.example/p"),
        ("https//blog.example/p", BLOG, "https://blog.example/p"),
        ("post.html", BLOG, "http://blog.example/post.html"),
        ("notes.md", BLOG, "http://blog.example/notes.md"),
        ("index.php/2026/post", BLOG, "http://blog.example/index.php/2026/post"),
        ("v1.2/notes", BLOG, "http://blog.example/v1.2/notes"),
        ("2026/05/post.html", BLOG, "http://blog.example/2026/05/post.html"),
        ("?p=1", BLOG, "http://blog.example/feed?p=1"),
        ("mailto:a@blog.example", BLOG, "mailto:a@blog.example"),
    ],
)  # fmt: skip
def test_a_link_without_its_scheme_leads_to_its_host(link: str, url: str, wanted: str) -> None:
    assert rss_link(link, url) == wanted
    assert atom_link(f"<link href='{link}'/>", url) == wanted


def test_a_link_is_only_completed_once() -> None:
    for link in ("www.blog.example/p", "http:/blog.example/p", "https//blog.example/p"):
        once = meant(link, BLOG)
        assert meant(once, BLOG) == once


@pytest.mark.parametrize(
    ("url", "head", "attributes", "wanted"),
    [
        (OTHER, "<link>http://blog.example/</link>", "", "http://blog.example/p/1"),
        (OTHER, "<link>http://blog.example/sub/index.html</link>", "", "http://blog.example/sub/p/1"),
        ("", "<link>http://blog.example/</link>", "", "http://blog.example/p/1"),
        (OTHER, "<link>http://blog.example/</link>", " xml:base='http://base.example/b/'", "http://base.example/b/p/1"),
        (OTHER, "", "", "https://feeds.example/p/1"),
        (OTHER, "<link>/home</link>", "", "https://feeds.example/p/1"),
        (BLOG, "<link>http://www.blog.example/sub/</link>", "", "http://blog.example/p/1"),
        (BLOG, "<link>http://blog.example/sub/</link>", "", "http://blog.example/p/1"),
    ],
)
def test_relative_links_belong_to_the_blog_not_to_the_feeds_host(
    url: str, head: str, attributes: str, wanted: str
) -> None:
    assert rss_link("p/1", url, head, attributes) == wanted


def test_relative_links_of_atom_and_of_texts_belong_to_the_blog_too() -> None:
    head = "<link rel='alternate' href='http://blog.example/'/><link rel='self' href='https://feeds.example/blog'/>"
    assert atom_link("<link href='/p'/>", OTHER, head) == "http://blog.example/p"
    item = "<item><guid>1</guid><description>&lt;img src='/i.png'></description><enclosure url='/a.mp3'/></item>"
    body = f"<rss version='2.0'><channel><title>T</title><link>http://blog.example</link>{item}</channel></rss>"
    (entry,) = parse(body.encode(), url=OTHER, content_type=None).entries
    assert entry.summary == "<img src='http://blog.example/i.png'>"
    assert [one.url for one in entry.enclosures] == ["http://blog.example/a.mp3"]


def test_relative_links_of_json_belong_to_the_blog_too() -> None:
    body = b'{"version":"https://jsonfeed.org/version/1.1","home_page_url":"http://blog.example/","items":[{"id":"1","url":"/p"}]}'
    assert parse(body, url=OTHER, content_type=None).entries[0].link == "http://blog.example/p"


def page(language: str | None) -> str:
    hreflang = f" hreflang='{language}'" if language else ""
    return f"<link rel='alternate' type='text/html'{hreflang} href='http://blog.example/{language}'/>"


@pytest.mark.parametrize(
    ("languages", "feed", "entry", "wanted"),
    [
        (("en", "de"), "en", None, "en"),
        (("de", "en"), "en", None, "en"),
        (("en", "de"), None, None, "en"),
        (("de", "en"), "fr", None, "de"),
        (("de", "en"), "de", "en", "en"),
        (("en", "de"), "de-AT", None, "de"),
        (("de-CH", "de-DE"), "de-DE", None, "de-DE"),
        (("EN", "DE"), "de_at", None, "DE"),
        ((None, "de"), "en", None, None),
    ],
)
def test_of_several_languages_the_feeds_own_is_taken(
    languages: tuple[str | None, ...], feed: str | None, entry: str | None, wanted: str | None
) -> None:
    lang, own = (f" xml:lang='{one}'" if one else "" for one in (feed, entry))
    found = atom_link("".join(map(page, languages)), attributes=lang, own=own)
    assert found == f"http://blog.example/{wanted}"


def test_other_links_are_no_translations() -> None:
    links = (
        page("de")
        + "<link rel='alternate' type='application/pdf' hreflang='en' href='/p.pdf'/><link rel='replies' type='text/html' hreflang='en' href='/r'/>"
    )
    assert atom_link(links, attributes=" xml:lang='en'") == "http://blog.example/de"
    assert alternate([{"href": "/a"}], "en") is None


def test_a_relation_may_be_a_uri() -> None:
    iana = "http://www.iana.org/assignments/relation/"
    assert atom_link(f"<link rel='{iana}alternate' href='/p'/>") == "http://blog.example/p"


@pytest.mark.parametrize(
    ("markup", "wanted"),
    [
        ("<a href='/p'>x</a>", "<a href='http://b.example/p'>x</a>"),
        ('<IMG alt="a > b" SRC="i.png">', '<IMG alt="a > b" SRC="http://b.example/d/i.png">'),
        ("<a href=p>x</a>", '<a href="http://b.example/d/p">x</a>'),
        ("<a href='?a=1&amp;b=2'>", "<a href='http://b.example/d/?a=1&amp;b=2'>"),
        ("<a href='http://x.example/'>", "<a href='http://x.example/'>"),
        (
            "<a href='mailto:a@b'> <a href=''> <a href='http://[x'>",
            "<a href='mailto:a@b'> <a href=''> <a href='http://[x'>",
        ),
        ("a href='/p' < b", "a href='/p' < b"),
        ("<p title='/x' data-src='/y'>&nbsp;&copy</P>", "<p title='/x' data-src='/y'>&nbsp;&copy</P>"),
        ("<a href='//x.example/p'>", "<a href='http://x.example/p'>"),
    ],
)
def test_only_relative_links_change_in_markup(markup: str, wanted: str) -> None:
    assert resolved(markup, "http://b.example/d/") == wanted
    assert resolved(markup, "") == markup


@pytest.mark.parametrize("part", ["<a href='", '<a href="', "<a ", "<a href=/ ", "href=x ", "<a x='\"'"])
def test_markup_is_searched_in_one_pass(part: str) -> None:
    resolved(part * (1_000_000 // len(part)), "http://b.example/")
