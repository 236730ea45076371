"""The parts of a crawl's session, each without Scrapy: claims, outages, the growing batch, the summary."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sample.claims import lapse

from archive.archive import Archive
from archive.errors import ArchiveError, SpoolError, StoreBusyError, StoreRefusedError
from archive.extract.text import Text
from archive.index.index import Index
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from archive.writer.batch import Batch, Origin
from crawler.frontier.claims import Claims
from crawler.frontier.frontier import Frontier
from crawler.model.visits import PageVisit
from crawler.net.request_context import Recorded
from crawler.session import outage as outage_module
from crawler.session.committer import Committer
from crawler.session.host_claims import HostClaims
from crawler.session.in_flight import InFlight
from crawler.session.outage import Outage
from crawler.session.summary import PageOutcome, Summary

T0 = datetime(2026, 1, 1, tzinfo=UTC)
URL = "http://blog.example/post"
VISIT = PageVisit(
    url=URL,
    feed_id=None,
    at=T0,
    due=None,
    kept=True,
    status=200,
    error=None,
    failures=0,
    etag=None,
    last_modified=None,
)


class Paused:
    """Counts what an outage asks of the crawl."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def outage(self, *, patience: float = 0.0, stopping: bool = False) -> Outage:
        return Outage(
            patience_seconds=patience,
            shutdown_requested=lambda: stopping,
            pause=lambda: self.calls.append("pause"),
            resume=lambda: self.calls.append("resume"),
        )


@pytest.fixture
def settings(tmp_path: Path) -> ArchiveSettings:
    return ArchiveSettings(home=tmp_path)


@pytest.fixture
def frontier(settings: ArchiveSettings) -> Frontier:
    return Frontier.open(settings.database)


def hosts_of(frontier: Frontier, holder: str = "one", **more: Any) -> HostClaims:
    return HostClaims(Claims(frontier.engine, holder), frontier, Paused().outage().call, lambda: T0, **more)


# -- host claims


def test_a_host_is_one_runs_until_all_that_was_asked_of_it_is_settled(frontier: Frontier) -> None:
    async def steps() -> Iterator[object]:
        one, other = hosts_of(frontier), hosts_of(frontier, "other")
        mine = await one.claim([URL, f"{URL}/2"])
        meanwhile = await other.claim([URL, "http://another.example/"])
        shard = outage_shard(URL)
        await one.settle([shard])
        half = await other.claim([URL])
        await one.settle([shard])
        return mine, meanwhile, half, await other.claim([URL])

    assert asyncio.run(steps()) == ([True, True], [False, True], [False], [True])


def outage_shard(url: str) -> int:
    from crawler.model.url_identity import shard

    return shard(url)


def test_a_claim_that_was_not_renewed_lapses(frontier: Frontier) -> None:
    assert asyncio.run(hosts_of(frontier).claim([URL])) == [True]
    lapse(frontier.engine)
    assert asyncio.run(hosts_of(frontier, "other").claim([URL])) == [True]


def test_waiting_for_another_run_ends_when_the_crawl_does(frontier: Frontier) -> None:
    asyncio.run(hosts_of(frontier).claim([URL]))
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 1

    assert not asyncio.run(hosts_of(frontier, "other").claim_patiently(URL, seconds=60, stop=stop))
    assert len(asked) == 2


def test_what_is_not_committed_stays_claimed_at_the_end(frontier: Frontier) -> None:
    async def end(*, keep: bool) -> list[bool]:
        one = hosts_of(frontier)
        await one.begin()
        await one.claim([URL])
        await one.end(keep=keep)
        return await hosts_of(frontier, "other").claim([URL])

    assert asyncio.run(end(keep=True)) == [False]
    assert asyncio.run(end(keep=False)) == [True]


# -- outages


def test_a_call_is_retried_while_its_error_is_temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage_module, "wait_exponential", lambda **_: lambda _state: 0.0)
    failures = [StoreBusyError("away", location="memory:"), StoreBusyError("away", location="memory:")]

    def put() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert asyncio.run(Paused().outage().call(put)) == "done"


def test_a_refusal_is_not_retried() -> None:
    calls: list[int] = []

    def put() -> None:
        calls.append(1)
        raise StoreRefusedError("no", location="memory:")

    with pytest.raises(StoreRefusedError):
        asyncio.run(Paused().outage().call(put))
    assert len(calls) == 1


def test_patience_ends_only_where_there_is_nothing_else_to_do() -> None:
    outage = Paused().outage(patience=0.0)
    assert not outage.deadline_passed(0.0)
    outage.end()
    assert outage.deadline_passed(0.0)


def test_a_crawl_that_was_told_to_stop_has_patience_for_seconds() -> None:
    outage = Paused().outage(patience=3600.0, stopping=True)
    outage.end()
    began = outage.stalled_since("nothing")
    assert not outage.deadline_passed(began)
    assert not Paused().outage(patience=3600.0).deadline_passed(0.0)


@pytest.mark.parametrize("stopping", [True, False])
def test_a_call_that_hangs_is_abandoned_once_patience_ends(monkeypatch: pytest.MonkeyPatch, stopping: bool) -> None:
    monkeypatch.setattr(outage_module, "_STOPPING_SECONDS", 0.1)
    monkeypatch.setattr(outage_module, "_LOOK_SECONDS", 0.05)
    outage = Paused().outage(patience=0.1, stopping=stopping)
    answered = threading.Event()

    async def ask() -> str:
        try:
            return await outage.call(answered.wait, 60)
        finally:
            answered.set()

    if not stopping:
        outage.end()
    with pytest.raises(ArchiveError, match="wait is abandoned: no answer"):
        asyncio.run(ask())
    assert outage.abandoned == 1


def test_the_crawl_goes_on_once_no_reason_to_pause_is_left() -> None:
    paused = Paused()
    outage = paused.outage()
    outage.stall("disk", "full")
    outage.stall("disk", "full still")
    outage.stall("quota", "reached")
    outage.resume("disk")
    assert paused.calls == ["pause", "pause"]
    outage.resume("quota")
    outage.resume("quota")
    assert paused.calls == ["pause", "pause", "resume"]


# -- the growing batch


def capture(number: int = 0, *, body: bytes = b"<p>Words</p>") -> Capture:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    at = T0 + timedelta(minutes=number)
    return Capture(url=URL, date=at, request=b"GET /post HTTP/1.1\r\n\r\n", head=head, body=body)


class Session:
    """A committer on a real archive, and what it reports."""

    def __init__(self, settings: ArchiveSettings, frontier: Frontier) -> None:
        self.archive = Archive.open(settings)
        self.failures: list[Exception] = []
        self.changes = 0
        self.summary = Summary()
        self.committer = Committer(
            self.archive,
            frontier,
            hosts_of(frontier),
            Paused().outage(),
            settings,
            origin=Origin(),
            summary=self.summary,
            now=lambda: T0,
            changed=self.change,
            failed=self.failures.append,
        )

    def change(self) -> None:
        self.changes += 1


@pytest.fixture
def session(settings: ArchiveSettings, frontier: Frontier) -> Session:
    return Session(settings, frontier)


def row_of(recorded: Recorded | None) -> Any:
    assert recorded is not None
    return recorded.row


def test_nothing_counts_before_it_is_committed(session: Session) -> None:
    async def steps() -> tuple[int, int]:
        recorded = await session.committer.record(capture())
        await session.committer.visited_page(
            VISIT, known=False, row=row_of(recorded), text=Text(url=URL, text="Words", markdown="Words")
        )
        before = session.summary.posts
        await session.committer.flush()
        return before, session.summary.posts

    assert asyncio.run(steps()) == (0, 1)
    assert (session.summary.captures, session.summary.texts) == (1, 1)
    assert session.archive.text(URL).text == "Words"
    assert list(session.archive.writer.spool.iterdir()) == []
    assert session.changes > 0


def test_a_capture_that_brings_the_same_payload_of_the_same_url_repeats(session: Session) -> None:
    async def steps() -> list[bool]:
        first = await session.committer.record(capture())
        second = await session.committer.record(capture(1))
        other = await session.committer.record(replace(capture(2), url="http://blog.example/another"))
        await session.committer.flush()
        third = await session.committer.record(capture(3))
        await session.committer.flush()
        return [one is not None and one.repeats for one in (first, second, other, third)]

    assert asyncio.run(steps()) == [False, True, False, True]


def test_an_archive_that_failed_takes_nothing_more_and_keeps_the_spool(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreRefusedError("no", location="memory:")

    monkeypatch.setattr(type(session.archive.store), "put", refuse)

    async def steps() -> Recorded | None:
        await session.committer.record(capture())
        await session.committer.flush()
        return await session.committer.record(capture(1))

    assert asyncio.run(steps()) is None
    assert len(session.failures) == 1
    assert isinstance(session.committer.failure, StoreRefusedError)
    assert session.summary.captures == 0
    assert list(session.archive.writer.spool.iterdir()) != []


def test_while_the_database_is_asked_the_event_loop_goes_on(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    def slow(*_: object) -> None:
        assert answers.wait(30), "the event loop waits for the database"

    monkeypatch.setattr(Index, "original", slow)

    async def steps() -> Recorded | None:
        recording = asyncio.ensure_future(session.committer.record(capture()))
        await asyncio.sleep(0.01)
        assert not recording.done()
        answers.set()
        recorded = await recording
        await session.committer.flush()
        return recorded

    assert asyncio.run(steps()) is not None


def test_what_is_added_at_once_is_added_in_order(session: Session) -> None:
    async def steps() -> list[Any]:
        found = await asyncio.gather(*(session.committer.record(capture(second)) for second in range(20)))
        await session.committer.flush()
        return [row_of(one) for one in found]

    rows = asyncio.run(steps())
    assert [row.kind for row in rows] == ["response", *["revisit"] * 19]
    assert [row.offset for row in rows] == sorted(row.offset for row in rows)
    assert {row.refers_to for row in rows[1:]} == {rows[0].record}


def test_nothing_is_added_to_a_batch_after_an_addition_that_failed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def torn(*_: object) -> None:
        calls.append(1)
        raise SpoolError("torn", path="spool")

    monkeypatch.setattr(Batch, "add", torn)

    async def steps() -> list[Recorded | None]:
        found = await asyncio.gather(*(session.committer.record(capture(second)) for second in range(3)))
        await session.committer.flush()
        return found

    assert asyncio.run(steps()) == [None, None, None]
    assert len(calls) == 1
    assert len(session.failures) == 1


# -- in flight, summary


def test_what_was_begun_ends_however_it_ends() -> None:
    flight = InFlight()
    flight.begin("feed a")
    flight.begin("page b")
    with pytest.raises(ValueError, match="bad"), flight.ending("feed a"):
        raise ValueError("bad")
    assert len(flight) == 1


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (PageOutcome(visit=VISIT, known=False, kind="response", same_text=False), "kept 1 new post"),
        (PageOutcome(visit=VISIT, known=True, kind="response", same_text=False), "kept 0 new posts, 1 changed"),
        (
            PageOutcome(visit=VISIT, known=True, kind="response", same_text=True),
            "kept 0 new posts, 1 with the same text in other bytes",
        ),
        (PageOutcome(visit=VISIT, known=True, kind="revisit", same_text=False), "kept 0 new posts, 1 unchanged"),
        (
            PageOutcome(visit=replace(VISIT, kept=False, gone="gone"), known=True, kind="response", same_text=False),
            "kept 0 new posts, 1 no longer there",
        ),
        (
            PageOutcome(visit=replace(VISIT, kept=False), known=False, kind="", same_text=False),
            "kept 0 new posts, 1 failed",
        ),
    ],
)
def test_a_page_counts_once_under_what_became_of_it(session: Session, outcome: PageOutcome, line: str) -> None:
    async def sealed() -> Any:
        batch = session.archive.writer.batch(now=T0)
        return batch.seal()

    summary = Summary()
    summary.count(asyncio.run(sealed()), [], [outcome])
    assert summary.line().startswith(f"{line}; ")
