"""Who wrote an entry: itself, its source, its feed, as far as the formats say so. No I/O."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from archive.extract.pipeline import extract
from crawler.decide.entries import as_entry
from crawler.feeds import parse
from crawler.feeds.model import FeedEntry

URL = "http://blog.example/feed"
SPACES = "xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'"


def rss(head: str, inside: str = "") -> FeedEntry:
    body = f"<rss version='2.0' {SPACES}><channel><title>T</title>{head}<item><guid>1</guid>{inside}</item></channel></rss>"
    return parse(body.encode(), url=URL, content_type=None).entries[0]


def atom(head: str, inside: str = "") -> str | None:
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>{head}<entry><id>1</id>{inside}</entry></feed>"
    entry = parse(body.encode(), url=URL, content_type=None).entries[0]
    assert not entry.is_shared_author
    return entry.author


def person(name: str) -> str:
    return f"<author><name>{name}</name></author>"


@pytest.mark.parametrize(
    ("feed", "source", "own", "wanted"),
    [
        ("", "", "", None),
        (person("F"), "", "", "F"),
        (person("F") + person("G"), "", "", "F, G"),
        (person("F"), person("S"), "", "S"),
        ("", person("S"), "", "S"),
        (person("F"), "<title>S</title>", "", "F"),
        (person("F"), person("S"), person("E"), "E"),
        ("<author><email>f@blog.example</email></author>", "", "", None),
        ("<author><uri>http://f.example</uri></author>", "", "", None),
    ],
)
def test_an_entry_of_atom_has_the_authors_of_its_source_or_feed(
    feed: str, source: str, own: str, wanted: str | None
) -> None:
    inside = (f"<source><id>s</id>{source}</source>" if source else "") + own
    assert atom(feed, inside) == wanted
    assert atom(feed, own + inside.removesuffix(own)) == wanted


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        ("<dc:creator>Ann</dc:creator>", "Ann"),
        ("<itunes:author>The Show</itunes:author>", "The Show"),
        ("<managingEditor>ed@blog.example (Ed Ito)</managingEditor>", "Ed Ito"),
        ("<managingEditor>Ed Ito &lt;ed@blog.photography&gt;</managingEditor>", "Ed Ito"),
        ("<managingEditor>Ed Ito</managingEditor>", "Ed Ito"),
        ("<managingEditor>ed@blog.example</managingEditor>", None),
        ("<managingEditor>ed@blog.com</managingEditor>", None),
        ("<managingEditor>ed@blog.example (Ed)</managingEditor><dc:creator>Ann</dc:creator>", "Ann"),
        ("<webMaster>web@blog.example (Web)</webMaster><dc:publisher>House</dc:publisher>", None),
        ("<itunes:owner><itunes:name>Owner</itunes:name></itunes:owner>", None),
    ],
)
def test_an_item_of_rss_has_the_authors_of_its_channel(head: str, wanted: str | None) -> None:
    entry = rss(head)
    assert (entry.author, entry.is_shared_author) == (wanted, wanted is not None)


def test_the_items_own_authors_come_first() -> None:
    head = "<dc:creator>Ann</dc:creator>"
    assert rss(head, "<dc:creator>Own</dc:creator>").author == "Own"
    assert rss(head, "<author>me@blog.example (Me)</author>").author == "Me"
    assert rss(head, "<author>me@blog.online (Me Too)</author>").author == "Me Too"
    assert not rss(head, "<dc:creator>Own</dc:creator>").is_shared_author


def test_an_item_of_another_channel_is_not_by_the_authors_of_this_one() -> None:
    head = "<link>http://blog.example/</link><dc:creator>Ann</dc:creator>"
    assert rss(head, "<source url='http://other.example/feed'>Other</source>").author is None
    assert rss(head, "<source url='http://www.blog.example/feed'>This</source>").author == "Ann"
    assert rss(head, "<source>This</source>").author == "Ann"


@pytest.mark.parametrize(
    ("feed", "item", "wanted"),
    [
        ({"authors": [{"name": "A"}, {"name": "B"}]}, {}, "A, B"),
        ({"author": {"name": "A"}}, {}, "A"),
        ({"authors": [{"name": "A"}]}, {"authors": []}, "A"),
        ({"authors": [{"name": "A"}]}, {"authors": [{"name": "Own"}]}, "Own"),
        ({"authors": [{"name": "A"}]}, {"author": {"name": "Own"}}, "Own"),
        ({"authors": [{"url": "http://a.example"}]}, {}, None),
    ],
)
def test_an_item_of_json_has_the_authors_of_its_feed(feed: dict, item: dict, wanted: str | None) -> None:
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", **item}], **feed})
    (entry,) = parse(body.encode(), url=URL, content_type=None).entries
    assert (entry.author, entry.is_shared_author) == (wanted, False)


@pytest.mark.parametrize(
    ("byline", "wanted"), [("", "Ann Ames"), ("<p class='byline' rel='author'>By Bea Bell</p>", "Bea Bell")]
)
def test_a_page_that_names_its_author_knows_better_than_the_channel(byline: str, wanted: str) -> None:
    words = "The ferry came late that morning, and nobody on the quay seemed to mind it very much at all. " * 4
    page = f"<html><body><article><h1>Ferry</h1>{byline}<p>{words}</p></article></body></html>"
    entry = as_entry(rss("<dc:creator>Ann Ames</dc:creator>", "<title>Ferry</title>"))
    text = extract(
        page.encode(), url="http://blog.example/p", content_type="text/html", date=datetime.now(UTC), entry=entry
    )
    assert text.author == wanted
    assert text.entry is not None
    assert type(text.entry).from_json(text.entry.as_json()) == text.entry
