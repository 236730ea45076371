"""A fault in a feed document costs at most the entry that it is in. No I/O."""

from __future__ import annotations

import gzip
import json
import time

import pytest

from crawler.errors import FeedError
from crawler.feeds import is_meant_as_feed, parse, reading
from crawler.feeds.cdata import closed, unwrapped
from crawler.feeds.model import ParsedFeed

URL = "http://blog.example/feed"
SPACES = "xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:dc='http://purl.org/dc/elements/1.1/'"
SCRIPT = "<script>\n/* <![CDATA[ */\nvar x = 1;\n/* %s */\n</script>"


def read(body: str | bytes) -> ParsedFeed:
    return parse(body.encode() if isinstance(body, str) else body, url=URL, content_type=None)


def rss(*inside: str) -> str:
    items = "".join(f"<item><guid>{n}</guid>{one}</item>" for n, one in enumerate(inside, 1))
    return f"<rss version='2.0' {SPACES}><channel><title>T</title>{items}</channel></rss>"


SOUND = "<title>Caf\u00e9 &amp; Vec&lt;T&gt;</title><link>/p?a=1&amp;b=2</link><dc:creator>Ann</dc:creator><description><![CDATA[<p>x & y</p>]]></description>"


@pytest.mark.parametrize(
    "broken",
    [
        "<description>an <b>unclosed & <br> tag</description>",
        "<description>a < b</description>",
        "<link>/x?a=1&copy=2</link>",
        "<title>&nosuch; &nbsp; &hellip; & more</title>",
        "<description>a\x08b \x1b[0m</description>",
        "<description>&#8; &#x1F; \ufffe</description>",
        "<media:content url='/i.png'/><nosuch:thing a:b='c'>x</nosuch:thing>",
        "<title>no end<link>/x</link>",
        "<description><![CDATA[no end</description>",
        "<description><p>one<p>two</description>",
        "<enclosure url=/a.mp3 length=1 type=audio/mpeg />",
        "<description a='1' a='2'>twice</description>",
        "<content:encoded><![CDATA[<p>a</p>]]> and ]]> more</content:encoded>",
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_fault_costs_no_other_entry(monkeypatch: pytest.MonkeyPatch, broken: str, whole: bool) -> None:
    if not whole:
        monkeypatch.setattr(reading, "_WHOLE_BYTES", 0)
    sound = read(rss(SOUND, SOUND)).entries
    found = read(rss(SOUND, broken, SOUND)).entries
    assert [entry.id for entry in found] == ["1", "2", "3"]
    for one, other in ((found[0], sound[0]), (found[2], sound[1])):
        assert (one.title, one.link, one.author, one.summary) == (other.title, other.link, other.author, other.summary)


def test_the_faulty_entry_is_read_as_far_as_it_can_be() -> None:
    broken = "<title>Two &hellip;</title><link>/x?a=1&copy=2</link><description>an <b>unclosed & <br> tag</description>"
    entry = read(rss(SOUND, broken)).entries[1]
    assert (entry.words, entry.link) == ("Two \u2026", "http://blog.example/x?a=1&copy=2")
    assert "unclosed" in (entry.summary or "")


def test_entities_that_the_document_defines_keep_their_meaning() -> None:
    body = '<!DOCTYPE rss [\n<!ENTITY blog "My Blog">\n]>' + rss(
        "<title>&blog; &eacute;</title>", "<description><br></description>"
    )
    assert read(body).entries[0].title == "My Blog \u00e9"


# -- CDATA


def content(inside: str) -> list[str | None]:
    """The markup of a post, and the words of the one after it."""
    found = read(rss(f"<content:encoded>{inside}</content:encoded>", "<title><![CDATA[two]]></title>")).entries
    assert [entry.id for entry in found] == ["1", "2"]
    return [found[0].content, found[1].title]


@pytest.mark.parametrize("end", ["]]&gt;", "]]>", "]]]]><![CDATA[>"])
@pytest.mark.parametrize(
    "script", [SCRIPT, "<script>//<![CDATA[\nx\n//%s</script>", "<style>/*<![CDATA[*/ a{} /*%s*/</style>"]
)
def test_a_script_with_a_section_of_its_own_does_not_end_the_post(end: str, script: str) -> None:
    markup, following = content(f"<![CDATA[<p>before</p>{script % end}<p>after</p>]]>")
    assert following == "two"
    inner = "]]&gt;" if end == "]]&gt;" else "]]>"
    assert markup == f"<p>before</p>{script % inner}<p>after</p>"


@pytest.mark.parametrize(
    "written",
    [
        "<![CDATA[<![CDATA[<p>one</p>]]]]><![CDATA[>]]>",
        "<![CDATA[<![CDATA[<p>one</p>]]&gt;]]>",
        "&lt;![CDATA[&lt;p&gt;one&lt;/p&gt;]]&gt;",
        " \n&lt;![CDATA[&lt;p>one&lt;/p>]]&gt; \n",
        "&#60;![CDATA[&#60;p>one&#60;/p>]]&#62;",
    ],
)
def test_a_section_that_was_escaped_as_a_whole_is_its_content(written: str) -> None:
    markup, following = content(written)
    assert (markup or "").strip() == "<p>one</p>"
    assert following == "two"


def test_escaped_sections_are_found_in_all_texts() -> None:
    inside = "<title>&lt;![CDATA[One & two]]&gt;</title><description>&lt;![CDATA[&lt;i>x&lt;/i>]]&gt;</description>"
    (entry,) = read(rss(inside)).entries
    assert (entry.words, entry.summary) == ("One & two", "<i>x</i>")
    assert unwrapped("a <![CDATA[b]]> c ]]> d") == "a b c ]]> d"
    assert unwrapped(SCRIPT % "]]>") == SCRIPT % "]]>"


def test_sections_beside_one_another_stay() -> None:
    for body in (b"<a><![CDATA[x]]></a><b><![CDATA[y]]></b>", b"<a><![CDATA[x]]]]><![CDATA[>y]]></a>", b"<a>]]></a>"):
        assert closed(body) == body
    assert closed(b"<a><![CDATA[x</a><b><![CDATA[y]]></b>") == b"<a><![CDATA[x]]></a><b><![CDATA[y]]></b>"


@pytest.mark.parametrize(
    "part", [b"<![CDATA[", b"<a><![CDATA[<![CDATA[]]>", b"]]>", b"<a><![CDATA[x</a>", b"<a><![CDATA[<![CDATA["]
)
def test_sections_are_closed_in_one_pass(part: bytes) -> None:
    started = time.process_time()
    closed(part * (2_000_000 // len(part)))
    assert time.process_time() - started < 10


# -- JSON


def test_a_json_feed_that_is_cut_off_has_the_items_before() -> None:
    items = [{"id": str(n), "title": "T", "content_text": "x"} for n in range(5)]
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Blog", "items": items})
    cut = read(body[: body.index('"4"') + 6])
    assert ([one.id for one in cut.entries], cut.complete, cut.feed.title) == (["0", "1", "2", "3"], False, "Blog")
    assert read(body).complete
    for other in ('{"items": [{"id": "1"}', '{"version": "2', "{"):
        with pytest.raises(FeedError, match="JSON"):
            read(other)


# -- gzip files


def test_a_feed_may_be_a_gzip_file() -> None:
    body = gzip.compress(rss(SOUND).encode(), mtime=0)
    assert [entry.id for entry in read(body).entries] == ["1"]
    assert is_meant_as_feed(body)
    for bad in (body[:20], b"\x1f\x8b\x08nonsense"):
        with pytest.raises(FeedError):
            read(bad)


def test_a_gzip_file_that_swells_is_refused() -> None:
    body = gzip.compress(b"<rss>" + bytes(80_000_000), 9, mtime=0)
    with pytest.raises(FeedError, match="67108864 bytes"):
        read(body)
    assert is_meant_as_feed(body)
