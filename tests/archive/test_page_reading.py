"""What a page says: the post, or something that stands in its place."""

from __future__ import annotations

from html import escape

import pytest
from sample.blind_set import BLIND_POSTS, blind_entries, blind_honest, blind_walls
from sample.honest_posts import Honest, honest_posts
from sample.posts import POSTS
from sample.themes import ghost, wordpress
from sample.walls import Wall, entries, page, post_for, walls

from archive.extract import words
from archive.extract.page_reading import read_page, same_page_everywhere
from archive.extract.reading import PageReading
from archive.extract.text import Entry, Text

URL, FRONT = "https://blog.example/post", "https://blog.example/"
WHOLE = "".join(f"<p>{paragraph}</p>" for paragraph in POSTS[0].paragraphs)


def read(markup: str, entry: Entry | None = None, **more: object) -> PageReading:
    """What a page says, in a browser's usual conditions."""
    known = {"url": URL, "asked": URL, "front": FRONT, "content_type": "text/html; charset=utf-8", **more}
    return read_page(markup.encode(), entry=entry, **known)  # type: ignore[arg-type]


def text_of(reading: PageReading) -> Text:
    """The text that a page must have."""
    assert reading.text is not None, reading.verdict
    return reading.text


def accepted(reading: PageReading, probe: str) -> Text | None:
    """The text that is stored, if the answer to a URL that cannot exist is `probe`."""
    if reading.verdict is None:
        return reading.text
    if reading.verdict.certain or same_page_everywhere(reading.words, probe):
        return None
    return reading.text


@pytest.mark.parametrize("wall", list(walls()), ids=lambda wall: wall.name)
@pytest.mark.parametrize("said", ["whole", "summary", "title", "none"])
def test_a_wall_is_not_a_post(wall: Wall, said: str) -> None:
    post = post_for(wall)
    markup = wall.markup.replace("{title}", escape(post.title))
    conditions = {"url": wall.url or URL, "status": wall.status, "headers": wall.headers}
    reading = read(markup, entries(post)[said], **conditions)
    assert reading.verdict is not None
    assert reading.verdict.reason
    if said in ("whole", "summary"):
        assert reading.verdict.certain
        assert reading.text is None
    if reading.verdict.certain and wall.kinds:
        assert reading.verdict.kind in wall.kinds
    elsewhere = read(wall.markup.replace("{title}", "Another"), None, **conditions)
    assert accepted(reading, elsewhere.words) is None


@pytest.mark.parametrize("wall", list(blind_walls()), ids=lambda wall: wall.name)
@pytest.mark.parametrize("said", ["whole", "summary", "title"])
def test_a_wall_of_another_make_is_not_a_post(wall: Wall, said: str) -> None:
    post = BLIND_POSTS[sum(map(ord, wall.name)) % len(BLIND_POSTS)]
    markup = wall.markup.replace("{title}", escape(post.title))
    conditions = {"url": wall.url or URL, "status": wall.status, "headers": wall.headers}
    reading = read(markup, blind_entries(post)[said], **conditions)
    assert reading.verdict is not None
    assert reading.verdict.certain or said == "title"
    assert accepted(reading, read(wall.markup.replace("{title}", "Another"), None, **conditions).words) is None


@pytest.mark.parametrize("honest", [*honest_posts(), *blind_honest()], ids=lambda honest: honest.name)
def test_a_short_post_is_a_post(honest: Honest) -> None:
    for entry in honest.entries:
        reading = read(honest.markup, entry)
        text = accepted(reading, "There is no such page here. Try the search, or go home.")
        assert text is not None, (entry, reading.verdict)
        assert reading.verdict is None or entry is None or not entry.html
        assert words.letters(honest.words) in words.letters(text.text)
        assert "cookies to make this site work" not in text.text
        assert "agree to our use of cookies" not in text.text
        assert "enable JavaScript to view" not in text.text
        assert text.source == "page"


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.language)
def test_a_page_with_the_words_of_its_entry_is_the_post_whatever_is_beside_them(post: object) -> None:
    own = POSTS[POSTS.index(post)]  # type: ignore[arg-type]
    body = "".join(f"<p>{paragraph}</p>" for paragraph in own.paragraphs)
    around = '<h2>404: not found</h2><form action="/login"><input type="password"></form><div class="cf-turnstile"></div><div class="paywall"><p>Join us.</p></div>'
    reading = read(wordpress("Sign in", body + around, language=own.language), Entry(title=own.title, html=body))
    assert reading.verdict is None
    assert own.paragraphs[1] in text_of(reading).text


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.language)
def test_a_page_without_the_entrys_words_and_title_is_another_page_in_any_language(post: object) -> None:
    own, other = POSTS[POSTS.index(post)], POSTS[POSTS.index(post) - 3]  # type: ignore[arg-type]
    body = "".join(f"<p>{paragraph}</p>" for paragraph in own.paragraphs)
    markup = wordpress(other.title, "".join(f"<p>{one}</p>" for one in (*other.paragraphs, other.summary)))
    reading = read(markup, Entry(title=own.title, html=body))
    assert reading.text is None
    assert reading.verdict is not None
    assert (reading.verdict.kind, reading.verdict.certain) == ("other", True)
    assert other.paragraphs[0] in reading.words


def test_a_page_of_somebody_else_is_foreign_unless_it_is_the_post() -> None:
    essay = "".join(f"<p>{paragraph}</p>" for paragraph in POSTS[1].paragraphs)
    there = {"url": "https://essays.example.net/1", "asked": "https://essays.example.net/1", "foreign": True}
    said = Entry(title="Ein Aufsatz", html=f"<p>{POSTS[1].summary}</p>")
    quoting = Entry(
        title="Ein Aufsatz", html=f"<blockquote>{POSTS[1].paragraphs[1]}</blockquote><p>{POSTS[0].summary}</p>"
    )
    for entry in (said, quoting):
        reading = read(ghost("Ein Aufsatz", essay), entry, **there)
        assert reading.verdict is not None
        assert (reading.verdict.kind, reading.verdict.certain) == ("foreign", True)
    assert read(ghost("Ein Aufsatz", essay), Entry(title="Ein Aufsatz", html=essay), **there).verdict is None
    assert read(ghost("Ein Aufsatz", essay), said).verdict is None


def test_a_page_that_was_rewritten_is_only_in_doubt() -> None:
    entry = Entry(title=POSTS[0].title, html=WHOLE)
    rewritten = page("Birds", f"<main><h1>Birds</h1><p>{POSTS[1].note}</p></main>")
    first, later = (read(rewritten, entry, archived=archived).verdict for archived in (False, True))
    assert first is not None
    assert later is not None
    assert (first.certain, later.certain) == (True, False)
    shell = page("Birds", '<div id="root"></div><script src="/a.js"></script>')
    assert read(shell, entry, archived=True).verdict.certain  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content_type", "payload", "kind"),
    [
        ("audio/mpeg", b"ID3\x03\x00", "media"),
        ("application/pdf", b"%PDF-1.7", "media"),
        ("text/html", b"Words without any markup.", "media"),
        ("text/html", b"", "empty"),
        ("text/html", b"  \n", "empty"),
    ],
)
def test_what_is_not_a_page_has_a_verdict(content_type: str, payload: bytes, kind: str) -> None:
    reading = read_page(payload, url=URL, content_type=content_type)
    assert reading.verdict is not None
    assert (reading.verdict.kind, reading.text) == (kind, None)


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (401, {}, "", "login"),
        (402, {}, "", "paywall"),
        (403, {}, "<p>Forbidden</p>", "error"),
        (403, {"CF-Mitigated": "challenge"}, "", "challenge"),
        (429, {}, "<script src='https://geo.captcha-delivery.com/x'></script>", "challenge"),
        (404, {}, "<script src='https://www.google.com/recaptcha/api.js'></script>", "error"),
        (302, {"Location": "/login?next=/post"}, "", "login"),
        (503, {}, "", "error"),
    ],
)
def test_a_refusal_is_named_by_its_status_and_headers(
    status: int, headers: dict[str, str], body: str, kind: str
) -> None:
    reading = read(body, Entry(title="x", html=WHOLE), status=status, headers=headers)
    assert reading.verdict is not None
    assert (reading.verdict.kind, reading.verdict.certain, reading.text) == (kind, True, None)
    assert str(status) in reading.verdict.reason


def test_the_front_page_is_the_post_if_the_post_is_there() -> None:
    said = Entry(title=POSTS[0].title, html=WHOLE)
    reading = read(wordpress(POSTS[0].title, WHOLE), said, url="https://orchard.example/", front=FRONT)
    assert reading.verdict is None
    listing = page("Weather Vane", f"<article><h2><a href='/post'>{POSTS[0].title}</a></h2>{WHOLE}</article>")
    there = read(listing, said, url=FRONT)
    assert there.verdict is not None
    assert there.verdict.kind == "front"


def test_what_only_the_feed_has_is_kept_beside_the_text() -> None:
    extra = "<p>A postscript for those who read this by feed: the pear butter is ready and it is very good indeed.</p>"
    reading = read(wordpress(POSTS[0].title, WHOLE), Entry(title=POSTS[0].title, html=WHOLE + extra))
    text = text_of(reading)
    assert text.feed_only.startswith("A postscript for those")
    assert "postscript" not in text.text
    assert read(wordpress(POSTS[0].title, WHOLE), Entry(title=POSTS[0].title, html=WHOLE)).text.feed_only == ""  # type: ignore[union-attr]
    summary = Entry(title=POSTS[0].title, html="<p>Only a line that is not on the page.</p>")
    assert text_of(read(wordpress(POSTS[0].title, WHOLE), summary)).feed_only == ""


def test_a_page_without_the_optional_tags_is_a_page() -> None:
    reading = read(f"<h1>{POSTS[0].title}</h1><p>{POSTS[0].note}</p>")
    assert POSTS[0].note in text_of(reading).text
    assert read('{"error": "no <such> thing"}').text is None


# -- sections

LOG = """<h1>Changes</h1><h2 id="v2">Version two</h2><p>The parser is new and reads twice as fast as before.</p><h3>Notes</h3><p>Old files stay readable.</p>
<h2 id="v1">Version one</h2><p>First release, with a lamp and a handle.</p>
<div class="mw-heading"><h2 id="v0">Version zero</h2></div><p>A sketch on a napkin, never released.</p>
<p><a name="idea"></a>An idea from the train.</p><p>It went on for two stations.</p><p><a name="other"></a>Another one.</p>
<section id="box"><h2>In a box</h2><p>Something in a section of its own.</p></section><h2 id="empty">Soon</h2><h2 id="last">Last</h2><p>The end of it.</p>
<dl><dt id="term">Term</dt><dd>What it means, at some length.</dd><dt id="next">Next</dt><dd>Other.</dd></dl>
<div id="comments"><p id="comment-1">First comment of a reader.</p></div>"""


@pytest.mark.parametrize(
    ("fragment", "has", "lacks"),
    [
        ("v2", ["twice as fast", "Old files stay"], ["First release", "Changes"]),
        ("v1", ["First release"], ["twice as fast", "napkin"]),
        ("v0", ["napkin"], ["First release", "In a box"]),
        ("idea", ["from the train", "two stations"], ["Another one", "napkin"]),
        ("box", ["section of its own"], ["Another one", "The end"]),
        ("last", ["The end"], ["Something in"]),
        ("term", ["at some length"], ["Other."]),
        ("nothing", ["First release", "The end"], []),
        ("comment-1", ["First release", "The end"], []),
    ],
)
def test_a_fragment_names_the_section_that_is_the_post(fragment: str, has: list[str], lacks: list[str]) -> None:
    url = f"https://blog.example/changes#{fragment}"
    reading = read(page("Changes", LOG), None, url=url, asked=url)
    text = text_of(reading)
    assert text.url == url
    assert [one for one in has if one not in text.text] == []
    assert [one for one in lacks if one in text.text] == []


def test_a_section_without_words_is_empty() -> None:
    reading = read(page("Changes", LOG), None, url="https://blog.example/changes#empty")
    assert reading.verdict is not None
    assert (reading.verdict.kind, reading.text) == ("empty", None)


def test_a_fragment_in_the_middle_of_the_post_does_not_cut_it() -> None:
    middle = WHOLE.replace("<p>Three", '<p id="pears">Three')
    reading = read(wordpress(POSTS[0].title, middle), Entry(title=POSTS[0].title, html=WHOLE), url=f"{URL}#pears")
    assert "We walked out at seven" in text_of(reading).text


# -- other forms of the post


@pytest.mark.parametrize(
    ("url", "links", "found"),
    [
        ("/post/", '<link rel="next" href="/post/2/">', "/post/2/"),
        (
            "/post/",
            '<div class="page-links">Pages: 1 <a href="/post/2/">2</a> <a href="/post/3/">3</a></div>',
            "/post/2/",
        ),
        ("/post/2/", '<div class="page-links"><a href="/post/">1</a> 2 <a href="/post/3/">3</a></div>', "/post/3/"),
        ("/post.html", '<div class="pagination"><a href="/post-2.html">2</a></div>', "/post-2.html"),
        ("/post?id=7", '<a rel="next" href="?id=7&amp;page=2">more</a>', "/post?id=7&page=2"),
        ("/?p=7", '<div class="page-links"><a href="/?p=7&amp;paged=2">2</a></div>', "/?p=7&paged=2"),
        ("/post/3/", '<div class="page-links"><a href="/post/">1</a><a href="/post/2/">2</a> 3</div>', None),
        ("/post/", '<link rel="next" href="/another-post/">', None),
        ("/post/7", '<link rel="next" href="/post/8">', None),
        ("/?p=7", '<link rel="next" href="/?p=8">', None),
        ("/weekly-notes", '<link rel="next" href="/weekly-notes-2">', None),
        ("/post/", '<div id="comments"><div class="page-numbers"><a href="/post/2/">2</a></div></div>', None),
        ("/post/", '<div class="page-links"><a href="/post/3/">3</a></div>', None),
        ("/post/", '<div class="page-links"><a href="https://other.example/post/2/">2</a></div>', None),
        ("/", '<link rel="next" href="/page/2/">', None),
    ],
)
def test_the_next_page_is_one_of_the_same_post(url: str, links: str, found: str | None) -> None:
    head, body = (links, "") if links.startswith("<link") else ("", links)
    there = f"https://blog.example{url}"
    reading = read(wordpress(POSTS[0].title, WHOLE + body, head=head), None, url=there, asked=there)
    assert reading.next_page == (f"https://blog.example{found}" if found else None)


def test_a_list_of_posts_has_no_next_page() -> None:
    listing = "".join(f'<article><h2><a href="/{n}/">Day {n}</a></h2><p>Beans.</p></article>' for n in range(5))
    markup = page("Notes", f'<main>{listing}<div class="pagination"><a href="/notes/page/2/">2</a></div></main>')
    assert read(markup, None, url="https://blog.example/notes/").next_page is None


def test_amp_and_canonical_are_absolute() -> None:
    head = '<link rel="amphtml" href="/post/amp"><link rel="canonical" href="//blog.example/post">'
    reading = read(ghost("Title", WHOLE, head=head))
    assert (reading.amp, reading.canonical) == ("https://blog.example/post/amp", "https://blog.example/post")


def test_the_same_page_everywhere_is_one_but_for_a_few_words() -> None:
    one = "There is no page at /post here, but there are many others: try the search or the list of all posts"
    assert same_page_everywhere(one, one.replace("/post", "/pressmark-12"))
    assert not same_page_everywhere(one, POSTS[0].summary)
    assert same_page_everywhere("No page /post here.", "No page /pressmark-3f2a here.")
    assert not same_page_everywhere("Rain, and one heron.", "No page /pressmark-3f2a here.")
    assert same_page_everywhere("", "")
    assert not same_page_everywhere(one, "")
