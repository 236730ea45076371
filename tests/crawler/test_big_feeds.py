"""Feeds with everything a blog ever published: read in parts, the same as in one piece, in little memory and time."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from conftest import Home
from sample.server import Answer, Site

from crawler.feeds import layout, parse, reading, xml_feed

URL = "http://blog.example/feed"
NEWEST = datetime(2026, 5, 1, 12, tzinfo=UTC)
SPACES = "xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:dc='http://purl.org/dc/elements/1.1/'"
PARAGRAPH = "<p>The ferry came late that morning &amp; nobody on the <a href='/quay'>quay</a> minded. \u00e9</p>"
MEASURED = """
import resource, sys, time
sys.path[:0] = ["tests/crawler", "tests"]
from test_big_feeds import big
from crawler.feeds import parse
body = big(int(sys.argv[1]), 340)
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
found = parse(body, url="http://blog.example/feed", content_type="application/rss+xml")
print(len(body), len(found.entries), time.process_time() - started, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def entry(n: int, inside: str) -> str:
    date = format_datetime(NEWEST - timedelta(hours=n))
    return (
        f"<item><title>Post {n} &lt;3</title><link>/p/{n}</link><guid isPermaLink='false'>g{n}</guid><pubDate>{date}</pubDate>"
        f"<content:encoded><![CDATA[{inside}]]></content:encoded></item>\n"
    )


def big(entries: int, paragraphs: int, *, broken: int | None = None, rising: bool = False) -> bytes:
    inside = PARAGRAPH * paragraphs
    listed = [entry(n, inside) for n in range(entries)]
    if broken is not None:
        listed[broken] = listed[broken].replace("</link>", "?a=1&copy=2</link><description>a <b> tag</description>")
    head = "<title>All of it</title><link>http://blog.example/</link><dc:creator>Ann</dc:creator>"
    body = f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0' {SPACES}><channel>{head}{''.join(listed[::-1] if rising else listed)}<ttl>60</ttl></channel></rss>"
    return body.encode()


FORMS = (
    big(7, 2),
    big(7, 2, broken=3),
    big(7, 2)[:-900],
    """<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='de' xml:base='http://b.example/x/'><title>T</title>
    <entry><id>1</id><link href='p'/><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>x</p></div></content></entry>
    <author><name>A</name></author><entry><id>2</id></entry></feed>""",
    """<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'><channel><title>T</title>
    <items><rdf:Seq><rdf:li resource='u:1'/></rdf:Seq></items></channel><item rdf:about='u:1'><title>a</title></item>
    <item rdf:about='u:2'><title>b</title></item></rdf:RDF>""",
    """<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:title>T</a:title>
    <a:entry><a:id>1</a:id></a:entry><a:entry><a:id>2</a:id></a:entry></a:feed>""",
    """<!DOCTYPE rss [<!ENTITY me 'Me'>]><rss version='0.91'><channel><title>&me;</title><item><title>&me; 1</title></item>
    <!-- <item> --><item/><item ><description><![CDATA[<item>]]></description></item></channel></rss>""",
    "<rss version='2.0'><channel><item><title>a</title><item><title>b</title></item></channel></rss>",
    "<rss version='2.0'><channel><title>T</title></channel></rss>",
    "<RSS version='2.0'><CHANNEL><ITEM><TITLE>a</TITLE></ITEM><ITEM><TITLE>b</TITLE></ITEM></CHANNEL></RSS>",
)


@pytest.mark.parametrize("number", range(len(FORMS)))
def test_a_document_in_parts_is_the_same_as_in_one_piece(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    form = FORMS[number]
    body = form.encode() if isinstance(form, str) else form
    whole = parse(body, url=URL, content_type=None)
    monkeypatch.setattr(reading, "_WHOLE_BYTES", 0)
    for size in (1, 700, 1_000_000):
        monkeypatch.setattr(reading, "_PART_BYTES", size)
        assert parse(body, url=URL, content_type=None) == whole


@pytest.mark.parametrize("rising", [False, True])
def test_the_newest_entries_are_read(monkeypatch: pytest.MonkeyPatch, rising: bool) -> None:
    for module in (layout, xml_feed):
        monkeypatch.setattr(module, "FEED_ENTRIES", 10)
    monkeypatch.setattr(reading, "_WHOLE_BYTES", 0)
    found = parse(big(25, 1, rising=rising), url=URL, content_type=None)
    assert {one.id for one in found.entries} == {f"g{n}" for n in range(10)}
    assert (found.left_out, found.complete, found.feed.every) == (15, True, timedelta(hours=1))


def test_a_fault_in_a_large_document_costs_no_other_entry() -> None:
    found = parse(big(400, 60, broken=200), url=URL, content_type=None)
    assert len(found.entries) == 400
    assert found.entries[200].link == "http://blog.example/p/200?a=1&copy=2"
    assert {one.words for one in found.entries} == {f"Post {n} <3" for n in range(400)}
    assert found.entries[399].content == PARAGRAPH.replace("'/quay'", "'http://blog.example/quay'") * 60


def test_a_large_feed_takes_memory_for_its_entries_and_little_else() -> None:
    """Measured in a process of its own; its markup trees would take many times its size."""
    done = subprocess.run([sys.executable, "-c", MEASURED, "400"], capture_output=True, text=True, check=True)
    size, entries, seconds, megabytes = map(float, done.stdout.split())
    assert size > 12_000_000
    assert entries == 400
    assert seconds < 60  # a busy machine's; an idle one needs a thirtieth of it
    assert megabytes < 4 * size / 1e6 + 40


def test_a_large_feed_can_be_subscribed_to(home: Home, site: Site) -> None:
    site.pages["/feed"] = Answer(big(60, 340), "application/rss+xml")
    done = home.pressmark("add", f"{site.url}/feed")
    assert done.code == 0, done.err
    assert "All of it" in done.out


@pytest.mark.parametrize(
    "part",
    [b"<item>", b"<item", b"<item/>", b"</item>", b"<!--", b"<![CDATA[", b"<item><![CDATA[", b"<rss>", b"<rss '"],
)
def test_entries_are_found_in_one_pass(part: bytes) -> None:
    started = time.process_time()
    layout.layout(b"<rss><channel>" + part * (2_000_000 // len(part)) + b"</channel></rss>")
    assert time.process_time() - started < 10
