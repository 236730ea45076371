"""Subscriptions out to other readers, in from them, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Home
from lxml import etree
from sample.blogs import TIDE
from sample.server import Site

from crawler.errors import FeedError
from crawler.feeds import opml
from crawler.model.visits import Subscription

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
OTHERS = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<opml version="1.1"><head><title>Subs</title></head><body>
<outline text="News" title="News"><outline type="rss" text="Caf\xe9" xmlurl="http://a.example/feed" htmlURL="http://a.example/"/>
<outline><outline xmlUrl=" https://b.example/atom " title="B &amp; C"/></outline></outline>
<outline type="rss" text="Twice" xmlUrl="http://a.example/feed"/>
<outline type="rss" text="Script" xmlUrl="javascript:alert(1)"/><outline type="rss" xmlUrl="http://[bad/"/>
<outline type="link" text="No feed" url="http://c.example/"/>
</body></opml>"""


def test_what_is_written_is_read_back() -> None:
    subscriptions = (
        Subscription(url="http://a.example/feed?x=1&y=2", title='T <&> "q"', site="http://a.example/", paused=True, added=T0, seeds=("http://a.example/",)),
        Subscription(url="http://b.example/feed", title=None, site=None, paused=False, added=T0, seeds=()),
    )  # fmt: skip
    assert opml.read(opml.write(subscriptions), name="x", now=T0) == (subscriptions, ())


def test_files_of_other_readers_are_read_folders_and_all() -> None:
    found, wrong = opml.read(OTHERS, name="subs.opml", now=T0)
    assert [(one.url, one.title, one.site) for one in found] == [
        ("http://a.example/feed", "Caf\xe9", "http://a.example/"),
        ("https://b.example/atom", "B & C", None),
    ]
    assert wrong == ("javascript:alert(1)", "http://[bad/")
    assert {one.added for one in found} == {T0}


READER = b"""<opml version="2.0"><body>
<outline text="Nature"><outline text="Rivers/Lakes"><outline text="Tide, as I call it" title="Tide Table" xmlUrl="http://a.example/feed?x=1"/>
</outline><outline text="" xmlUrl="feed://b.example/atom"/></outline>
<outline text="Mine" xmlUrl="feed:https://c.example/atom#top"/><outline text="Other" xmlUrl="http://A.example:80/feed?x=1&amp;utm_source=x"/>
<outline text="Another" xmlUrl="http://a.example/feed?x=2"/><outline text="FEED" xmlUrl="FEED:http://a.example/Feed?x=2"/>
<outline xmlUrl="http://www.c.example/atom"/><outline xmlUrl="feed:mailto:x@c.example"/>
</body></opml>"""


def test_folders_and_names_that_a_person_gave_are_kept_and_spellings_are_one_feed() -> None:
    found, wrong = opml.read(READER, name="subs.opml", now=T0)
    assert [(one.url, one.name, one.title, opml.names_of(one.folder)) for one in found] == [
        ("http://a.example/feed?x=1", "Tide, as I call it", "Tide Table", ("Nature", "Rivers/Lakes")),
        ("http://b.example/atom", None, None, ("Nature",)),
        ("https://c.example/atom", "Mine", "Mine", ()),
        ("http://a.example/feed?x=2", "Another", "Another", ()),
        ("http://a.example/Feed?x=2", "FEED", "FEED", ()),
    ]
    assert wrong == ("feed:mailto:x@c.example",)
    again, _ = opml.read(opml.write(found), name="x", now=T0)
    assert sorted(again, key=lambda one: one.url) == sorted(found, key=lambda one: one.url)
    ours, _ = opml.read(opml.write(again), name="x", now=T0, ours=True)
    assert ours == again
    names = [outline.get("text") for outline in etree.fromstring(opml.write(found)).iter("outline")]
    assert names.count("Nature") == names.count("Rivers/Lakes") == 1


@pytest.mark.parametrize("names", [(), ("a",), ("a", "b"), ("a/b", "c\\", "/"), ("\\/",), ("x\\\\", "y")])
def test_folders_are_paths(names: tuple[str, ...]) -> None:
    assert opml.names_of(opml.path_of(names)) == names


def test_the_path_of_a_folder_has_a_limit() -> None:
    deep = (
        '<outline text="%s">' * 40 % tuple(["n" * 90] * 40)
        + '<outline xmlUrl="http://a.example/f"/>'
        + "</outline>" * 40
    )
    [found], _ = opml.read(f"<opml><body>{deep}</body></opml>".encode(), name="x", now=T0)
    assert len(found.folder or "") <= 1_000
    assert len(opml.names_of(found.folder)) > 9


def test_names_and_folders_survive_import_export_and_a_new_database(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "subs.opml"
    path.write_bytes(READER)
    assert home.pressmark("import-opml", str(path)).out == "subscribed to 5 feeds\n"
    assert home.pressmark("import-opml", str(path)).out == "subscribed to 0 feeds, 5 already subscribed\n"
    exported = home.pressmark("export-opml").raw
    for name in ("", "-wal", "-shm"):
        (home.path / f"pressmark.db{name}").unlink(missing_ok=True)
    assert home.pressmark("reindex").code == 0
    for document in (exported, home.pressmark("export-opml").raw):
        found, _ = opml.read(document, name="x", now=T0)
        tide = next(one for one in found if one.url.endswith("x=1"))
        assert (tide.name, opml.names_of(tide.folder)) == ("Tide, as I call it", ("Nature", "Rivers/Lakes"))


def test_a_torn_file_gives_what_is_in_it() -> None:
    found, _ = opml.read(OTHERS[: OTHERS.index(b"https://b.")], name="subs.opml", now=T0)
    assert [one.url for one in found] == ["http://a.example/feed"]


@pytest.mark.parametrize(
    "body", [b"", b"no xml", b"<rss/>", b"<html><body>login</body></html>", b"\x00\x01", b'{"opml": 1}']
)
def test_what_is_no_opml_is_named(body: bytes) -> None:
    with pytest.raises(FeedError, match="subs.opml"):
        opml.read(body, name="subs.opml", now=T0)


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    body = f'<!DOCTYPE o [<!ENTITY x SYSTEM "file://{secret}">]><opml><body><outline text="&x;" xmlUrl="http://a.example/f"/></body></opml>'
    found, _ = opml.read(body.encode(), name="x", now=T0)
    assert "hidden" not in str(found)


def test_subscriptions_travel_from_one_home_to_another(home: Home, site: Site, tmp_path: Path) -> None:
    site.pages.update(TIDE.pages(site.url))
    home.crawl(f"url={site.url}/")
    home.pressmark("pause", f"{site.url}/")
    out = home.pressmark("export-opml")
    outline = next(etree.fromstring(out.raw).iter("outline"))
    health = {etree.QName(name).localname: value for name, value in outline.attrib.items()}
    assert (health["postsKept"], health["status"], health["paused"]) == ("4", "200", "true")
    path = tmp_path / "subs.opml"
    assert home.pressmark("export-opml", str(path)).code == 0
    other = Home(tmp_path / "other")
    done = other.pressmark("import-opml", str(path))
    assert (done.code, done.out) == (0, "subscribed to 1 feeds\n")
    assert other.pressmark("import-opml", str(path)).out == "subscribed to 0 feeds, 1 already subscribed\n"
    assert "paused" in other.pressmark("feeds").out
    assert "Tide Table" in other.pressmark("feeds").out
    other.pressmark("resume", f"{site.url}/")
    assert other.crawl("force=1").out.startswith("kept 4 new posts;")
    wrong = other.pressmark("import-opml", str(tmp_path / "none"))
    assert (wrong.code, "Traceback" in wrong.err) == (2, False)
