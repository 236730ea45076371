"""For a new post the crawl asks the past at most five questions; docs/architecture.md lists them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from conftest import PROJECT, Home
from sample.server import Answer, Site

QUESTIONS = {
    "Frontier.claim_feeds": "due",
    "Frontier.claim_pages": "due",
    "Robots._archived": "robots",
    "Frontier.known": "known",
    "Index.original": "payload",
    "Sites.of": "site",
}
"""Who asks, and the word for the question in docs/architecture.md."""

BY_THE_CLOCK = {"RetryAfter.look", "HostClaims._renew_regularly"}
"""Asked every so many seconds, whatever comes."""

BY_COMMIT = {"ObjectLog.append"}
"""Asked once a batch, when it is committed: where the log of sealed objects ends."""

BY_OLD_ROWS = {"usable"}
"""Asked once for a feed whose row, of an earlier version, does not name the response of its validators."""

SPY = """
import asyncio, os, sys
from contextlib import contextmanager
import archive.runtime.database as database
from archive.stores.folder import FolderStore

ASKERS = {askers!r}

def note(what):
    if {only_loop!r} and asyncio._get_running_loop() is None:
        return
    frame, names = sys._getframe(2), []
    while frame is not None:
        names.append(frame.f_code.co_qualname)
        frame = frame.f_back
    asker = next((name for name in names if name in ASKERS), None)
    ours = [name for name in names if name not in ("_GeneratorContextManager.__enter__", "transaction")]
    with open({log!r}, "a") as out:
        out.write(f"{{what}} {{asker or ' < '.join(ours[:4])}}\\n")

real = database.transaction

@contextmanager
def transaction(engine, *args, **kwargs):
    note("read" if kwargs.get("reads") else "write")
    with real(engine, *args, **kwargs) as connection:
        yield connection

database.transaction = transaction

def spied(name):
    real = getattr(FolderStore, name)
    def call(self, *args, **kwargs):
        note(name)
        return real(self, *args, **kwargs)
    setattr(FolderStore, name, call)

for name in ("read", "keys", "size"):
    spied(name)
"""


def feed(site: Site, posts: int) -> Answer:
    items = "".join(f"<item><guid>{n}</guid><title>T</title><link>{site.url}/{n}</link></item>" for n in range(posts))
    return Answer(f"<rss version='2.0'><channel>{items}</channel></rss>".encode(), "application/rss+xml")


def page(number: int) -> Answer:
    words = f"Words of post {number} that go on for a while and are followed by others. " * 9
    return Answer(f"<html><body><article><p>{words}</p></article></body></html>".encode())


def test_a_new_post_asks_the_past_at_most_five_questions(home: Home, site: Site, tmp_path: Path) -> None:
    site.pages |= {f"/{number}": page(number) for number in range(3)}
    site.pages["/feed"] = feed(site, 2)
    assert home.crawl(f"url={site.url}/feed").code == 0
    site.pages["/feed"] = feed(site, 3)
    log, custom = tmp_path / "looks", tmp_path / "custom"
    custom.mkdir()
    (custom / "sitecustomize.py").write_text(
        SPY.format(askers={*QUESTIONS, *BY_THE_CLOCK, *BY_COMMIT, *BY_OLD_ROWS}, log=str(log), only_loop=False)
    )
    home.settings["PYTHONPATH"] = os.pathsep.join([str(custom), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    done = home.crawl("force=1")
    assert done.out.startswith("kept 1 new post; 1 feed visited"), done.err
    lines = [line.split(" ", 1) for line in log.read_text().splitlines()]
    askers = [asker for _, asker in lines if asker not in BY_THE_CLOCK | BY_COMMIT | BY_OLD_ROWS]
    asked = askers[
        askers.index("Frontier.claim_feeds") : next(n for n, a in enumerate(askers) if "commit" in a.lower())
    ]
    unknown = [asker for asker in asked if asker not in QUESTIONS]
    assert unknown == [], "a question that docs/architecture.md does not list"
    assert len({QUESTIONS[asker] for asker in asked}) <= 5
    assert asked.count("Frontier.known") == 1  # entries and pages together
    assert asked.count("Index.original") == 2  # of the feed document, and of the page


BEFORE_THE_CRAWL = ("Run.__init__", "Run.from_crawler", "Archive.open", "Frontier.open", "RetryAfter.__init__")
"""Opened once, before the first request."""


def test_a_crawl_waits_for_database_and_store_in_threads(home: Home, site: Site, tmp_path: Path) -> None:
    """Otherwise a slow database would stop all requests."""
    site.pages |= {f"/{number}": page(number) for number in range(3)}
    site.pages["/feed"] = feed(site, 2)
    site.pages["/sitemap.xml"] = Answer(f"<urlset><url><loc>{site.url}/2</loc></url></urlset>".encode(), "text/xml")
    log, custom = tmp_path / "looks", tmp_path / "custom"
    custom.mkdir()
    (custom / "sitecustomize.py").write_text(SPY.format(askers=set(BEFORE_THE_CRAWL), log=str(log), only_loop=True))
    home.settings["PYTHONPATH"] = os.pathsep.join([str(custom), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    assert home.crawl(f"url={site.url}/feed").code == 0
    assert home.crawl("force=1").code == 0
    site.pages["/0"] = Answer(b"later", status=429)
    assert home.pressmark("backfill", f"{site.url}/feed").code == 0
    home.pressmark("save", f"{site.url}/1")
    home.pressmark("recheck", f"{site.url}/0")
    lines = log.read_text().splitlines() if log.exists() else []
    asked = [line for line in lines if line.split(" ", 1)[1] not in BEFORE_THE_CRAWL]
    assert asked == []


def test_the_architecture_document_lists_the_questions() -> None:
    document = (PROJECT / "docs" / "architecture.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \|", document.partition("## Look-backs")[2], re.MULTILINE)
    assert set(listed) == set(QUESTIONS.values())
