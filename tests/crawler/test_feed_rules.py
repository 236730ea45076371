"""Rules of the feed parser: ids and links, charsets, broken entries, what counts as an edit. No I/O."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler import discover
from crawler.decide.entries import as_entry
from crawler.errors import FeedError
from crawler.feeds import parse
from crawler.feeds.fields import plain
from crawler.feeds.model import FeedEntry, ParsedFeed
from crawler.limits import DISCOVERY_REQUESTS

URL = "http://blog.example/feed"
ATOM_NS = "http://www.w3.org/2005/Atom"
RDF = (
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>"
    "<channel><title>T</title></channel></rdf:RDF>"
)
HISTORY = "http://purl.org/syndication/history/1.0"


def read(body: bytes | str, content_type: str | None = None, url: str = URL) -> ParsedFeed:
    return parse(body.encode() if isinstance(body, str) else body, url=url, content_type=content_type)


def rss(items: str, attributes: str = "") -> str:
    return f"<rss version='2.0'{attributes}><channel><title>T</title>{items}</channel></rss>"


def item(inside: str, **kinds: str) -> FeedEntry:
    (entry,) = read(rss(f"<item>{inside}</item>", kinds.get("attributes", ""))).entries
    return entry


def atom(entries: str, attributes: str = "") -> str:
    return f"<feed xmlns='{ATOM_NS}'{attributes}><title>T</title>{entries}</feed>"


def json_feed(*items: dict[str, Any], **fields: Any) -> str:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": items, **fields})


# -- whole or cut off


@pytest.mark.parametrize(
    "body",
    [
        "<rss version='2.0'><channel><title>T</",
        "<rss version='2.0'><channel><title>T</title>",
        "<rss version='2.0'><channel><title>T</title><item><title>x",
        f"<feed xmlns='{ATOM_NS}'><title>T</title><link href='/'/>",
        RDF.removesuffix("</rdf:RDF>"),
        rss("<item><guid>1</guid></item>").removesuffix("</channel></rss>"),
    ],
)
def test_a_document_without_its_end_is_cut_off(body: str) -> None:
    assert not read(body).complete


@pytest.mark.parametrize(
    "body",
    [
        rss(""),
        rss("").removesuffix("</rss>"),
        rss("<item><guid>1</guid></item>") + "<!-- 0.1 s -->",
        atom(""),
        f"<feed xmlns='{ATOM_NS}'/>",
        f"<a:feed xmlns:a='{ATOM_NS}'><a:title>T</a:title></a:feed>",
        RDF,
    ],
)
def test_a_document_with_its_end_is_whole_even_without_entries(body: str) -> None:
    assert read(body).complete


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_document_in_wide_characters_is_whole_or_cut_as_any_other(charset: str) -> None:
    body = rss("<item><guid>1</guid></item><item><guid>2</guid></item>")
    whole, cut = read(body.encode(charset)), read(body[: body.index("2</guid>")].encode(charset))
    assert ([one.id for one in whole.entries], whole.complete) == (["1", "2"], True)
    assert ([one.id for one in cut.entries], cut.complete) == (["1"], False)


# -- ids and links


@pytest.mark.parametrize(
    "given", ["t3_x", "72122", "urn:x:1", "Tag:A,2026:x", "/rel", "http://b.example/A?b=1#c", "a/../b"]
)
def test_ids_are_kept_verbatim(given: str) -> None:
    base = " xml:base='http://x.example/y/'"
    (of_atom,) = read(atom(f"<entry><id> {given}\n</id><title>x</title></entry>", base)).entries
    (of_json,) = read(json_feed({"id": given})).entries
    assert item(f"<guid> {given}\n</guid>", attributes=base).id == of_atom.id == of_json.id == given


def test_ids_that_differ_in_case_are_of_two_entries() -> None:
    found = read(rss("<item><guid>t3_x</guid></item><item><guid>T3_x</guid></item>")).entries
    assert len({one.key for one in found}) == 2


@pytest.mark.parametrize(
    "given", ["urn:uuid:1", "tag:blog.example,2026:1", "ftp://blog.example/1", "mailto:a@b.example"]
)
def test_a_guid_that_is_the_uri_of_no_page_is_no_link(given: str) -> None:
    assert item(f"<guid>{given}</guid>").link is None
    assert item(f"<guid isPermaLink='true'>{given}</guid>").link is None


def test_a_guid_that_is_a_url_is_the_link_where_there_is_none() -> None:
    guid = "http://blog.example/A"
    assert item(f"<guid>{guid}</guid>").link == guid
    assert item(f"<guid isPermaLink='true'>{guid}</guid>").link == guid
    assert item(f"<guid>{guid}</guid><link/>").link == guid
    assert item(f"<link/><guid>{guid}</guid>").link == guid
    assert item(f"<guid isPermaLink='false'>{guid}</guid>").link is None
    assert item("<guid isPermaLink='false'>/a</guid>").link is None


def test_a_link_wins_over_a_guid() -> None:
    guid, link = "<guid>http://blog.example/guid</guid>", "<link>/link</link>"
    assert item(guid + link).link == item(link + guid).link == "http://blog.example/link"


def test_an_entry_without_a_name_is_known_by_what_it_says() -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    one = FeedEntry(title="t", published=at, content="x" * 600)
    assert one.key == FeedEntry(title="t", published=at, content="x" * 500 + "y", summary="s").key
    others = (
        FeedEntry(title="u", published=at, content="x" * 600),
        FeedEntry(title="t", content="x" * 600),
        FeedEntry(title="t", published=at, content="y"),
        FeedEntry(title="t", published=at, summary="y" * 2),
        FeedEntry(published=at),
        FeedEntry(title="t"),
    )
    assert len({one.key, *(other.key for other in others)} - {None}) == 7
    assert FeedEntry(content="same").key == FeedEntry(summary="same").key
    assert FeedEntry(author="a", tags=("x",)).key is None


# -- addresses


def test_addresses_follow_each_base_on_the_way_to_them() -> None:
    (entry,) = read(
        atom(
            "<entry xml:base='b/'><id>1</id><link href='p'/><link rel='enclosure' xml:base='c/' href='e.mp3'/>"
            "<content type='html' xml:base='d/'>&lt;a href='q'>x&lt;/a></content></entry>",
            " xml:base='http://x.example/a/'",
        )
    ).entries
    assert entry.link == "http://x.example/a/b/p"
    assert [one.url for one in entry.enclosures] == ["http://x.example/a/b/c/e.mp3"]
    assert entry.content == "<a href='http://x.example/a/b/d/q'>x</a>"


@pytest.mark.parametrize(
    ("attributes", "given", "wanted"),
    [
        ("", "a.mp3", "http://blog.example/a.mp3"),
        ("", "/a.mp3", "http://blog.example/a.mp3"),
        ("", "//c.example/a.mp3", "http://c.example/a.mp3"),
        (" xml:base='http://x.example/a/'", "b/../a.mp3", "http://x.example/a/a.mp3"),
        (" xml:base='http://x.example/a/'", "HTTP://c.example/b/../a b.mp3", "HTTP://c.example/b/../a b.mp3"),
        ("", "http://[bad/a.mp3", "http://[bad/a.mp3"),
    ],
)
def test_the_address_of_an_enclosure_is_made_absolute(attributes: str, given: str, wanted: str) -> None:
    assert [one.url for one in item(f"<guid>1</guid><enclosure url='{given}'/>", attributes=attributes).enclosures] == [
        wanted
    ]


def test_the_address_of_an_enclosure_stays_where_no_base_is_known() -> None:
    found = read(rss("<item><guid>1</guid><enclosure url='a.mp3'/></item>"), url="")
    assert [one.url for one in found.entries[0].enclosures] == ["a.mp3"]


@pytest.mark.parametrize(
    "tag", ["fh:complete xmlns:fh", "history:complete xmlns:history", "x:complete xmlns:x", "complete xmlns"]
)
def test_a_feed_says_under_any_prefix_that_it_has_everything(tag: str) -> None:
    assert read(rss(f"<{tag}='{HISTORY}'/><item><guid>1</guid></item>")).feed.is_all
    assert read(atom(f"<{tag}='{HISTORY}'/><entry><id>1</id></entry>")).feed.is_all
    assert not read(rss(f"<{tag}='http://other.example/'/>".replace("fh:", "f:").replace(":fh", ":f"))).feed.is_all


# -- one bad entry


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("&#xD800;", "\ufffd"),
        ("&#xdfff;", "\ufffd"),
        ("&#55357;&#56832;", "\U0001f600"),
        ("&#xD83D;&#xDE00;", "\U0001f600"),
        ("&#xD83D;&#56832;", "\U0001f600"),
        ("&#56832;&#55357;", "\ufffd\ufffd"),
        ("&#xD83D;&#xD83D;&#xDE00;&#65;", "\ufffd\U0001f600A"),
        ("&#xD83D; &#xDE00;", "\ufffd \ufffd"),
        ("&#99999999999;", "\ufffd"),
        ("&#x110000;", "\ufffd"),
        (f"&#{'9' * 5000};", "\ufffd"),
        ("&#128512;&#x41;", "\U0001f600A"),
    ],
)
def test_a_reference_to_no_character_loses_no_entry(given: str, wanted: str) -> None:
    items = (
        "<item><guid>1</guid></item>",
        f"<item><guid>2</guid><title>a{given}b</title></item>",
        "<item><guid>3</guid></item>",
    )
    body = rss("".join(items))
    for charset in ("utf-8", "utf-16"):
        found = read(body.encode(charset))
        assert [one.id for one in found.entries] == ["1", "2", "3"]
        assert found.entries[1].title == f"a{wanted}b"


def test_a_link_that_is_no_url_loses_no_entry() -> None:
    for bad in ("<guid>http://[x</guid>", "<link>http://[x</link>", "<enclosure url='http://[x'/>"):
        found = read(rss(f"<item><title>bad</title>{bad}</item><item><guid>2</guid></item>"))
        assert [one.title or one.id for one in found.entries] == ["bad", "2"]


def test_a_number_of_too_many_digits_loses_no_entry() -> None:
    digits = "1" * 5_000
    body = (
        json_feed({"id": "1"}, {"id": 7, "title": -8, "summary": 9}, {"id": "3"})
        .replace("7", digits)
        .replace("-8", f"-{digits}")
    )
    found = read(body.replace("9}", f"{digits}}}")).entries
    assert [one.id for one in found] == ["1", digits, "3"]
    assert (found[1].title, found[1].summary) == (f"-{digits}", digits)


# -- what counts as an edit


@pytest.mark.parametrize(
    "noise",
    [
        "<script>let nonce = %d</script>",
        "<SCRIPT type='x' src='/a%d.js'>if (1 < 2) {}</Script >",
        "<style>.a%d { color: red }</style>",
        "<!-- made in %d ms -->",
        "<!-- <p> %d -- > -->",
        "<!---><script>%d</script>",
        "<script>%d and no end",
        "<!-- %d and no end",
        "<img src='/x%d' width=1 height=1>",
    ],
)
def test_what_no_reader_sees_is_no_edit(noise: str) -> None:
    one, two = (FeedEntry(id="1", content=f"<p>words</p>{noise % n}") for n in (1, 2))
    assert one.digest == two.digest
    assert one.digest != FeedEntry(id="1", content=f"<p>others</p>{noise % 1}").digest


def test_words_between_what_no_reader_sees_count() -> None:
    for form in (
        "<script>a</script>%s<script>b</script>",
        "<!--a-->%s<!--b-->",
        "<!--[if !IE]><!-->%s<!--<![endif]-->",
        "<scripture>%s</scripture>",
    ):
        assert FeedEntry(content=form % "x").digest != FeedEntry(content=form % "y").digest


@pytest.mark.parametrize(
    "part",
    ["<script", "<!--", "<style ", "<script></script    ", "<!-->", "<img width=1 ", "</script ", "1", "1 a", "1 "],
)
def test_what_counts_is_found_in_one_pass(part: str) -> None:
    started = time.perf_counter()
    FeedEntry(content=part * (1_000_000 // len(part))).digest  # noqa: B018
    assert time.perf_counter() - started < 5


# -- plain text


def test_titles_and_texts_of_json_are_plain_text() -> None:
    found = read(json_feed({"id": "1", "title": "The <canvas> tag", "content_text": "a <b> c"}, title="On <canvas>"))
    assert plain(found.feed.title) == "On <canvas>"
    assert plain(found.entries[0].title) == "The <canvas> tag"
    assert plain(found.entries[0].content) == "a <b> c"
    assert read(json_feed({"id": "1", "content_html": "<b>x</b>"})).entries[0].content == "<b>x</b>"


# -- charsets

WORDS = "caf\u00e9 \u2019"


@pytest.mark.parametrize(
    ("written", "declared", "content_type"),
    [
        ("utf-8-sig", "iso-8859-1", "text/xml; charset=iso-8859-1"),
        ("utf-8", "utf-8", "text/xml; charset=iso-8859-1"),
        ("utf-8", "utf-8", "text/xml; charset=us-ascii"),
        ("utf-8", "utf-8", "text/xml; charset=none-such"),
        ("utf-8", "none-such", None),
        ("utf-8", "utf-16", None),
        ("utf-8", "UTF-32", "application/xml"),
        ("windows-1252", "iso-8859-1", None),
        ("windows-1252", "utf-8", "text/xml; charset=iso-8859-1"),
        ("windows-1252", "iso-8859-1", "text/xml; charset=utf-8"),
        ("utf-16", "utf-16", None),
        ("utf-16", "utf-8", "text/xml; charset=utf-8"),
        ("utf-16-le", "utf-16", None),
        ("utf-32", "utf-32", None),
    ],
)
def test_the_charset_is_the_one_that_reads(written: str, declared: str, content_type: str | None) -> None:
    body = f"<?xml version='1.0' encoding='{declared}'?>" + rss(f"<item><guid>1</guid><title>{WORDS}</title></item>")
    assert [one.title for one in read(body.encode(written), content_type).entries] == [WORDS]


# -- entities


def test_no_entity_is_fetched_and_none_grows(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    dtd = tmp_path / "feed.dtd"
    dtd.write_text("<!ENTITY fromdtd 'SECRET'>")
    levels = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
    doctype = (
        f"<!DOCTYPE rss SYSTEM '{dtd.as_uri()}' [<!ENTITY file SYSTEM '{secret.as_uri()}'>"
        f"<!ENTITY % more SYSTEM '{dtd.as_uri()}'>%more;<!ENTITY l0 'grown'>{levels}]>"
    )
    items = "<item><guid>1</guid><title>[&file;|&fromdtd;|&l9;]</title></item><item><guid>2</guid></item>"
    started = time.perf_counter()
    found = read("<?xml version='1.0'?>" + doctype + rss(items))
    assert time.perf_counter() - started < 5
    assert [one.id for one in found.entries] == ["1", "2"]
    title = found.entries[0].title or ""
    assert title.startswith("[")
    assert len(title) < 100
    assert "SECRET" not in repr(found)
    assert "growngrown" not in repr(found)


# -- dates


@pytest.mark.parametrize(
    ("date", "hour"),
    [("-0000", 12), ("GMT", 12), ("", 12), ("EST", 17), ("JST", 3), ("+0200", 10)],
)
def test_zones_of_dates(date: str, hour: int) -> None:
    found = item(f"<guid>1</guid><pubDate>Fri, 01 May 2026 12:00:00 {date}</pubDate>")
    assert found.published == datetime(2026, 5, 1, hour, tzinfo=UTC)
    assert found.updated is None


def test_a_date_that_is_missing_or_unreadable_is_none() -> None:
    for date in ("", "<pubDate/>", "<pubDate>soon</pubDate>", "<pubDate>Thu, 31 Sep 2026 12:00:00 GMT</pubDate>"):
        found = item(f"<guid>1</guid>{date}")
        assert (found.published, found.updated) == (None, None)
    for value in (None, "", "soon", 7, "2026-02-30T00:00:00Z"):
        (entry,) = read(json_feed({"id": "1", "date_published": value})).entries
        assert (entry.published, entry.updated) == (None, None)


def test_what_is_no_feed_stays_an_error() -> None:
    with pytest.raises(FeedError, match="is not a feed"):
        read("<html><body>&#xD800;</body></html>")


# -- what is kept beside


def test_dates_are_kept_as_they_were_written() -> None:
    entry = item("<guid>1</guid><pubDate> Wed, 31 Sep 2002 10:00:00 </pubDate>")
    assert (entry.published, entry.published_raw) == (None, "Wed, 31 Sep 2002 10:00:00")
    (entry,) = read(json_feed({"id": "1", "date_modified": "soon"})).entries
    assert (entry.updated, entry.updated_raw) == (None, "soon")


SEEN = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "doubts"),
    [
        ("Wed, 02 Oct 2002 13:00:00 GMT", ()),
        ("Wed, 02 Oct 2002 13:00:00 +0200", ()),
        ("2002-10-02T13:00:00Z", ()),
        ("2002-10-02T13:00:00-05", ()),
        ("2002-10-02T13:00:00", ("no zone",)),
        ("Wed, 02 Oct 2002 13:00:00", ("no zone",)),
        ("2002-10-02", ("no zone",)),
        ("Sat, 02 May 2026 01:00:00 GMT", ("future",)),
        ("Fri, 01 May 2026 23:00:00 GMT", ()),
        ("Thu, 01 Jan 1970 00:00:00 GMT", ("old",)),
        ("0000-00-00T00:00:00Z", ("unreadable",)),
        ("yesterday", ("unreadable",)),
    ],
)
def test_what_is_doubtful_about_a_date_is_told(date: str, doubts: tuple[str, ...]) -> None:
    assert as_entry(item(f"<guid>1</guid><pubDate>{date}</pubDate>"), at=SEEN).doubts == doubts


def test_an_entry_tells_what_names_it() -> None:
    assert item("<guid>1</guid><link>/1</link><title>t</title>").named_by == "id"
    assert item("<link>/1</link><title>t</title>").named_by == "link"
    assert item("<title>t</title>").named_by == "content"
    assert FeedEntry().named_by is None


def test_a_blog_of_links_keeps_its_own_page() -> None:
    link = "<id>1</id><link rel='alternate' href='http://other.example/'/><link rel='related' href='/linked/1'/>"
    (entry,) = read(atom(f"<entry>{link}</entry>")).entries
    assert (entry.link, entry.related) == ("http://other.example/", "http://blog.example/linked/1")
    assert as_entry(entry).related == "http://blog.example/linked/1"


@pytest.mark.parametrize("name", ["t3_x", "12345", "/p/1", "urn:x", "tag:blog.example,2026:1", "mailto:a@b.example"])
def test_an_id_that_is_no_pages_url_is_no_link(name: str) -> None:
    found = [item(f"<guid>{name}</guid>"), read(atom(f"<entry><id>{name}</id></entry>")).entries[0]]
    assert [(entry.id, entry.link) for entry in found] == [(name, None)] * 2


def test_an_id_that_is_a_pages_url_is_its_link() -> None:
    found = [
        item("<guid>http://b.example/1</guid>"),
        read(atom("<entry><id>http://b.example/1</id></entry>")).entries[0],
    ]
    assert [entry.link for entry in found] == ["http://b.example/1"] * 2
    assert item("<guid isPermaLink='false'>http://b.example/1</guid>").link is None
    assert item("<link>/2</link><guid>http://b.example/1</guid>").link == "http://blog.example/2"


@pytest.mark.parametrize(
    "broken",
    [
        "<title>two<link>/2</link><guid>2</guid>",
        "<link>/2</link><title>two<guid>2</guid>",
        "<link>/2</link><guid>2</guid><title>two",
        "<link>/2<title>two</title><guid>2</guid>",
        "<link>/2</link><title>two</title><guid>2",
    ],
)
def test_an_element_without_an_end_costs_no_other(broken: str) -> None:
    last = "<item><title><![CDATA[<title>three]]></title><link>/3</link><guid>3</guid></item>"
    found = read(
        rss(f"<item><title>one</title><link>/1</link><guid>1</guid></item><item>{broken}</item>{last}")
    ).entries
    assert [(plain(entry.title), entry.link, entry.id) for entry in found[:2]] == [
        ("one", "http://blog.example/1", "1"),
        ("two", "http://blog.example/2", "2"),
    ]
    assert (found[2].link, found[2].id) == ("http://blog.example/3", "3")


# -- where feeds may be


def test_feeds_are_guessed_at_the_pages_own_place_first() -> None:
    found = discover.guesses("https://b.example/notes/?p=1")
    assert found[:2] == ["https://b.example/notes/feed/", "https://b.example/notes/rss.xml"]
    assert found[5:] == discover.guesses("https://b.example/")
    assert discover.guesses("https://b.example/index.html") == discover.guesses("https://b.example/")
    assert len(discover.guesses("https://b.example/@me")) <= DISCOVERY_REQUESTS


@pytest.mark.parametrize(
    ("page", "feed"),
    [
        ("https://medium.example/@me", "https://medium.example/feed/@me"),
        ("https://social.example/@me", "https://social.example/@me.rss"),
        ("https://video.example/channel/UC_x-1", "https://video.example/feeds/videos.xml?channel_id=UC_x-1"),
        ("https://b.example/", "https://b.example/feed/"),
        ("https://b.example/", "https://b.example/rss"),
        ("https://b.example/", "https://b.example/index.xml"),
        ("https://b.example/", "https://b.example/feed.xml"),
        ("https://b.example/", "https://b.example/feed.json"),
        ("https://b.example/", "https://b.example/feeds/posts/default"),
    ],
)
def test_what_services_do_is_guessed(page: str, feed: str) -> None:
    assert feed in discover.guesses(page)
