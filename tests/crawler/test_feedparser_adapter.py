"""feedparser's private names that we rely on, and that nobody else's feedparser is changed. No I/O."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import reduce

import feedparser
import feedparser.api
import pytest

from crawler.feeds import feedparser_adapter, parse

BASE = "http://blog.example/feed"
RSS = b"""<rss version="2.0" xmlns:itunes="http://www.itunes.com/DTDs/PodCast-1.0.dtd"><channel><title>T</title>
<itunes:subtitle>Short</itunes:subtitle><description>Long</description>
<item><guid isPermaLink="false">p1</guid><enclosure url="a.mp3" type="audio/mpeg"/></item></channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:h="http://purl.org/syndication/history/1.0"><h:complete/>
<title>T</title><entry><id>one</id></entry></feed>"""
OTHERS = """
import io, sys, feedparser
def seen():
    found = [feedparser.parse(io.BytesIO(body), response_headers={"content-location": sys.argv[1]}) for body in bodies]
    return repr([(one.feed, one.entries) for one in found])
bodies = [sys.argv[2].encode(), sys.argv[3].encode()]
before = seen()
from crawler.feeds import parse
for body in bodies:
    parse(body, url=sys.argv[1], content_type=None)
print(before == seen(), feedparser.parse(bodies[1], response_headers={"content-location": sys.argv[1]}).entries[0].id)
"""


@pytest.mark.parametrize("name", feedparser_adapter.PRIVATE_NAMES)
def test_the_names_that_we_rely_on_are_there(name: str) -> None:
    try:
        reduce(getattr, name.split("."), feedparser)
    except AttributeError:
        pytest.fail(f"feedparser renamed {name}; see crawler/feeds/feedparser_adapter.py")


def test_our_handlers_are_called() -> None:
    """All of them: a renamed method would leave feedparser's own in place without an error."""
    podcast = parse(RSS, url=BASE, content_type=None)
    (entry,) = podcast.entries
    assert (podcast.feed.subtitle, entry.id, entry.link) == ("Long", "p1", None)
    assert [one.url for one in entry.enclosures] == ["http://blog.example/a.mp3"]
    stated = parse(RSS.replace(b'"false"', b'"true"'), url=BASE, content_type=None)
    assert stated.entries[0].link == "http://blog.example/p1"
    atom = parse(ATOM, url=BASE, content_type=None)
    assert (atom.feed.is_all, atom.entries[0].id) == (True, "one")


def test_the_loose_parser_has_our_handlers_too() -> None:
    broken = RSS.replace(b"<title>T</title>", b"<title>T & U &nosuch; <b></title>")
    with pytest.raises(feedparser_adapter.NotWellFormedError):
        feedparser_adapter.well_formed(broken, url=BASE)
    found = feedparser_adapter.ill_formed(broken, url=BASE)
    assert (found.entries[0].id, found.entries[0].get("link")) == ("p1", None)
    assert found.feed.subtitle == "Long"


def test_another_users_feedparser_is_not_changed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OTHERS, BASE, RSS.decode(), ATOM.decode()], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "http://blog.example/one"]  # feedparser resolves ids, we do not


def test_another_users_parser_runs_beside_ours() -> None:
    """In other threads, and both within one another's time."""
    found: dict[str, set[str]] = {"ours": set(), "theirs": set()}

    def ours() -> None:
        for _ in range(50):
            found["ours"].add(parse(ATOM, url=BASE, content_type=None).entries[0].id or "")

    def theirs() -> None:
        for _ in range(50):
            found["theirs"].add(feedparser.parse(ATOM, response_headers={"content-location": BASE}).entries[0].id)

    threads = [threading.Thread(target=work) for work in (ours, theirs, ours, theirs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"ours": {"one"}, "theirs": {"http://blog.example/one"}}
