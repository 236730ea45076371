"""Links and pictures of a post: in Markdown, listed with the text, stored, and shown without asking the live web."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from markdown_it import MarkdownIt

from archive.extract.feed_text import feed_text
from archive.extract.join_pages import join_pages
from archive.extract.pipeline import extract
from archive.extract.text import Entry, Image, Link, Text, images_from_json, links_from_json
from archive.index.from_records import HeldText
from archive.limits import TEXT_IMAGES, TEXT_LINKS
from archive.web.markdown_html import markdown_html

URL = "http://boats.example/2020/the-mole/"
WORDS = "The mole was built in the year of the great storm, and the harbour has been quiet behind it ever since then."
PICTURE = "http://boats.example/mole-1200.jpg"
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


def text_of(inner: str, head: str = "") -> Text:
    page = (
        f"<html><head>{head}</head><body><article class='post'><h1>The mole and its builders</h1><div class='entry-content'>"
        f"<p>{WORDS}</p>{inner}<p>Nobody remembers who drew the plans. {WORDS}</p></div></article></body></html>"
    )
    return extract(page.encode(), url=URL)


def marked(inner: str, head: str = "") -> str:
    """The Markdown of what is between the first and the last paragraph."""
    found = text_of(inner, head).markdown
    return found.removeprefix(WORDS).partition("Nobody remembers")[0].strip()


def paragraph(words: str) -> str:
    return f"{words} says the harbour master, who has seen it all before and will again."


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<a href='/plans'>the plans</a>", "[the plans](<http://boats.example/plans>)"),
        (
            "<a href='plans?a=1&amp;b=2'>the plans</a>",
            "[the plans](<http://boats.example/2020/the-mole/plans?a=1&b=2>)",
        ),
        ("<a href='//cdn.example/x y'> the plans </a>", "[the plans](<http://cdn.example/x%20y>)"),
        ("<a href='/a'><b>bold</b> plans</a>", "[**bold** plans](<http://boats.example/a>)"),
        ("<b>bold <a href='/a'>plans</a></b>", "**bold [plans](<http://boats.example/a>)**"),
        ("<code>see <a href='/a'>plan()</a> twice</code>", "`see` [`plan()`](<http://boats.example/a>) `twice`"),
        ("<code><a href='/a'>plan()</a></code>", "[`plan()`](<http://boats.example/a>)"),
        ("<a href='/a'>plans [2] of it</a>", "[plans [2] of it](<http://boats.example/a>)"),
        ("<a href='/a'>plans ] of it</a>", "[plans ) of it](<http://boats.example/a>)"),
        ("<a href='mailto:meg@boats.example?subject=x'>Meg</a>", "[Meg](<mailto:meg@boats.example>)"),
        ("<a href='javascript:alert(1)'>the plans</a>", "the plans"),
        ("<a href='data:text/html,x'>the plans</a>", "the plans"),
        ("<a href='https://ad.doubleclick.net/clk;1'>the plans</a>", "the plans"),
        ("<a href='/cdn-cgi/l/email-protection#1a'>the plans</a>", "the plans"),
        ("<a name='plans'>the plans</a>", "the plans"),
        ("<a href=' '>the plans</a>", "the plans"),
        (f"<a href='http://x.example/{'y' * 3_000}'>the plans</a>", "the plans"),
        ("<a href='/a>)[x](javascript:x'>the plans</a>", "[the plans](<http://boats.example/a%3E)[x](javascript:x>)"),
    ],
)
def test_links_lead_where_the_page_led(html: str, expected: str) -> None:
    found = text_of(f"<p>{paragraph(html)}</p>")
    assert paragraph(expected) in found.markdown
    assert "](" not in found.text
    assert "http" not in found.text


def test_links_are_relative_to_the_base_that_the_page_states() -> None:
    base = "<base href='https://cdn.example/blog/'>"
    found = text_of(f"<p>{paragraph('<a href=a.html>x</a>')}<img src=b.jpg alt=''></p>", head=base)
    assert found.links == (Link("https://cdn.example/blog/a.html", "x"),)
    assert found.images == (Image("https://cdn.example/blog/b.jpg"),)


def test_links_in_headings_lists_quotations_and_tables_stay() -> None:
    inner = (
        "<h2>By <a href='/h'>hand</a></h2><ul><li>It is <a href='/l'>long</a> and it is wide</li></ul>"
        "<blockquote><p>They say <a href='/q'>so</a> in the inn</p></blockquote>"
        "<table><tr><th>Boat</th><th>Crew</th></tr><tr><td><a href='/t'>Ann</a></td><td>3</td></tr></table>"
    )
    found = text_of(inner)
    for part in ("## By [hand](<", "- It is [long](<", "> They say [so](<", "| [Ann](<http://boats.example/t>) | 3 |"):
        assert part in found.markdown, part
    assert "Ann | 3" in found.text
    assert [link.target[-2:] for link in found.links] == ["/h", "/l", "/q", "/t"]


def test_a_link_over_several_blocks_is_a_link_in_each() -> None:
    found = marked(
        "<a href='/a'><p>The first paragraph of it, and some more words.</p><p>The second one, with others.</p></a>"
    )
    assert found == (
        "[The first paragraph of it, and some more words.](<http://boats.example/a>)\n\n"
        "[The second one, with others.](<http://boats.example/a>)"
    )


def test_the_anchor_of_a_heading_is_no_link() -> None:
    assert marked(
        "<h2 id='how'><a href='#how'>How it was built</a></h2><p>By hand, and slowly, as all was then.</p>"
    ) == ("## How it was built\n\nBy hand, and slowly, as all was then.")


def test_links_are_listed_with_what_they_say() -> None:
    link = "<a href='/a' rel='NoFollow  ugc'>the <i>old</i> plans</a>"
    inner = f"<p>{paragraph(link)} <a href='/b'><img src='/c.jpg'></a></p>"
    assert text_of(inner).links == (Link("http://boats.example/a", "the old plans", "nofollow ugc"),)


IMG = 'alt="The mole in winter"'


@pytest.mark.parametrize(
    "html",
    [
        f"<img src='/mole-1200.jpg' {IMG}>",
        f"<img src='{DOT}' data-src='/mole-1200.jpg' {IMG}>",
        f"<img src='/blank.gif' data-lazy-src='/mole-1200.jpg' {IMG}>",
        f"<img src='/i/placeholder-blur.jpg' data-original='/mole-1200.jpg' {IMG}>",
        f"<img class='lazy' data-cfsrc='/mole-1200.jpg' {IMG}>",
        f"<img src='/mole-300.jpg' srcset='/mole-300.jpg 300w, /mole-1200.jpg 1200w, /mole-600.jpg 600w' {IMG}>",
        f"<img src='{DOT}' srcset='{DOT} 1w' data-srcset='/mole-300.jpg 1x, /mole-1200.jpg 2x' {IMG}>",
        f"<picture><source srcset='/mole-1200.jpg'><img {IMG}></picture>",
        f"<picture><source data-srcset='/mole-1200.jpg 1200w, /m.jpg 300w'><img src='{DOT}' {IMG}></picture>",
        f"<img src='{DOT}' {IMG}><noscript><img src='/mole-1200.jpg' {IMG}></noscript>",
        f"<picture><img src='{DOT}' {IMG}></picture><noscript><img src='/mole-1200.jpg' {IMG}></noscript>",
        f"<img data-src='/mole-1200.jpg' {IMG}><noscript><img src='/mole-300.jpg' {IMG}></noscript>",
        f"<div class='lazy-load'></div><noscript><img src='/mole-1200.jpg' {IMG}></noscript>",
        f"<amp-img src='/mole-1200.jpg' {IMG}></amp-img>",
        f"<a href='/big'><img src='/mole-1200.jpg' {IMG}></a>",
    ],
)
def test_pictures_are_found_however_late_they_load(html: str) -> None:
    found = text_of(f"<p>{html}</p>")
    assert found.images == (Image(PICTURE, "The mole in winter"),)
    assert found.markdown.count(f"![The mole in winter](<{PICTURE}>)") == found.markdown.count("![") == 1
    assert found.text == f"{WORDS}\nNobody remembers who drew the plans. {WORDS}"


@pytest.mark.parametrize(
    "name", ["clear-sky.jpg", "trans-alpine.jpg", "loading-dock.jpg", "pixel-art.png", "gray-seal.jpg"]
)
def test_a_picture_may_be_called_like_a_placeholder(name: str) -> None:
    assert text_of(f"<p><img src='/{name}'></p>").images == (Image(f"http://boats.example/{name}"),)


@pytest.mark.parametrize(
    "html",
    [
        f"<img src='{DOT}' alt='Nothing'>",
        "<img src='/spacer.gif' alt='Nothing'>",
        "<img src='/count?x=1' width='1' height='1'>",
        "<img src='/count.gif' style='width:1px; height:1px'>",
        "<img src='https://pixel.wp.com/b.gif?x=1'>",
        "<img src='/feed.png' width='16' height='16'>",
        "<img class='avatar avatar-60' src='https://secure.gravatar.com/avatar/1' alt='Ann'>",
        "<img src='javascript:alert(1)' alt='Nothing'>",
    ],
)
def test_what_is_no_picture_is_not_one(html: str) -> None:
    found = text_of(f"<p>{html}</p>")
    assert found.images == ()
    assert "![" not in found.markdown


@pytest.mark.parametrize(
    ("html", "caption"),
    [
        ("<figure><img src='/mole-1200.jpg'><figcaption>Photo of the <b>mole</b></figcaption></figure>", "Photo of the mole"),
        ("<figure class='wp-block-image'><a href='/x'><img src='/mole-1200.jpg'></a><figcaption class='wp-element-caption'>By Ann</figcaption></figure>", "By Ann"),
        ("<div class='wp-caption'><img src='/mole-1200.jpg'><p class='wp-caption-text'>By Ann, in May</p></div>", "By Ann, in May"),
        ("<table class='tr-caption-container'><tr><td><img src='/mole-1200.jpg'></td></tr><tr><td class='tr-caption'>At dusk</td></tr></table>", "At dusk"),
        ("<p><img src='/mole-1200.jpg'></p><p>No caption but a sentence of the post, that goes on a little.</p>", ""),
    ],
)  # fmt: skip
def test_a_picture_has_its_caption(html: str, caption: str) -> None:
    found = text_of(html)
    assert found.images == (Image(PICTURE, "", caption),)
    assert f"![](<{PICTURE}>)" in found.markdown
    assert not caption or caption.replace("mole", "")[:5] in found.markdown


def test_counts_are_bounded_and_the_markdown_has_what_the_lists_leave_out() -> None:
    links = "".join(f"<p>{WORDS} <a href='/{n}'>Number {n}</a></p>" for n in range(TEXT_LINKS + 5))
    images = "".join(f"<p>{WORDS} Shot {n}.<img src='/{n}.jpg'></p>" for n in range(TEXT_IMAGES + 5))
    found = text_of(links + images)
    assert (len(found.links), len(found.images)) == (TEXT_LINKS, TEXT_IMAGES)
    assert f"/{TEXT_LINKS + 4}>)" in found.markdown


def test_more_links_than_there_are_marks_are_words() -> None:
    links = " ".join(f"<a href='/{n}'>n{n}</a>" for n in range(6_500))
    found = text_of(f"<p>{links} {WORDS * 2_000}</p>")
    assert "[n6000](<http://boats.example/6000>)" in found.markdown
    assert " n6499" in found.markdown


# -- stored and read back


def test_they_are_stored_only_where_there_are_any() -> None:
    assert not {"links", "images"} & set(text_of("").fields())
    assert not {"links", "images"} & set(Text(url=URL, text="x", markdown="x").fields())


def test_they_survive_the_way_through_a_record() -> None:
    made = text_of(
        f"<p>{paragraph('<a href=/a rel=me>x</a>')}</p><figure><img src='/b.jpg' alt='B'><figcaption>C</figcaption></figure>"
    )
    assert made.links
    assert made.images
    stored = json.loads(json.dumps(made.fields()))
    row = SimpleNamespace(url=URL)
    read = HeldText(row=row, text=made.text, fields=stored).as_text()  # type: ignore[arg-type]
    assert (read.links, read.images) == (made.links, made.images)


@pytest.mark.parametrize("data", [None, "x", 5, {}, [None, 5, "x", {}, {"words": "x"}, {"target": ""}]])
def test_what_is_not_a_list_of_them_is_none(data: object) -> None:
    assert links_from_json(data) == images_from_json(data) == ()


def test_the_feeds_own_words_have_their_links_and_pictures() -> None:
    entry = Entry(title="Mole", html=f"<p>{paragraph('<a href=../a>x</a>')}</p><p><img src='b.jpg' alt='B'></p>")
    made = feed_text(entry, url=URL, base="http://boats.example/feed/")
    assert made is not None
    assert (made.links, made.images) == (
        (Link("http://boats.example/a", "x"),),
        (Image("http://boats.example/feed/b.jpg", "B"),),
    )


def test_pages_of_one_post_give_theirs_together() -> None:
    first = Text(url=URL, text="a", markdown="a", links=(Link("http://a.example/", "a"),))
    second = replace(
        first,
        text="b",
        markdown="b",
        links=(*first.links, Link("http://b.example/", "b")),
        images=(Image("http://c.example/"),),
    )
    joined = join_pages(first, [second])
    assert [link.words for link in joined.links] == ["a", "b"]
    assert joined.images == second.images


# -- shown


def shown(markdown: str) -> str:
    return markdown_html(markdown, stamp="20200102030405")


def test_a_picture_is_shown_as_a_link_to_its_archived_copy() -> None:
    html = shown("![The mole](<http://boats.example/m%20o.jpg?a=1&b=2>)")
    assert 'href="/web/20200102030405/http://boats.example/m%20o.jpg?a=1&amp;b=2"' in html
    assert ">Picture: The mole</a>" in html
    assert "<img" not in html
    assert ">Picture: m.jpg</a>" in shown("![](<http://boats.example/m.jpg>)")


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", '//x.example"onclick=x'])
def test_what_is_shown_is_safe_whatever_the_markdown_says(target: str) -> None:
    for markdown in (f"![<b>x</b>](<{target}>)", f"[x](<{target}>)", f"[x][y]\n\n[y]: <{target}>"):
        html = shown(markdown)
        assert "<b>" not in html
        assert 'href="javascript' not in html
        assert 'href="data' not in html
        assert 'href="vbscript' not in html
        assert " onclick" not in html


def test_markdown_is_read_as_it_is_meant() -> None:
    link = "<a href='/a(b)c'>the [old] &lt;plans&gt;</a>"
    found = text_of(f"<p>{paragraph(link)}</p><p><img src='/x(1).jpg' alt='a ] b'></p>")
    html = MarkdownIt("commonmark").render(found.markdown)
    assert '<a href="http://boats.example/a(b)c">the [old] &lt;plans&gt;</a>' in html
    assert '<img src="http://boats.example/x(1).jpg" alt="a ) b"' in html
