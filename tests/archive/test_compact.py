"""Small objects become one without a moment in which anything is missing."""

from __future__ import annotations

import errno
import gzip
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Home
from sample.archives import at, capture, unmodified

from archive.archive import Archive
from archive.errors import LockedError, ObjectMissingError, SpoolFullError, StoreBusyError
from archive.export.wacz import pack_page
from archive.extract.text import Text
from archive.index import joins
from archive.index.cdxj import cdxj_line
from archive.index.joins import Held
from archive.index.lookup import Lookup
from archive.index.schema import AGAIN, CRAWL, IMPORT, PLACED, CaptureRow, ObjectRow, TextRow, is_joined, metadata
from archive.index.zipnum import LINES, zipnum
from archive.maintenance import compact as compact_module
from archive.maintenance.compact import Compaction, alone
from archive.maintenance.join_plan import FEWEST, MOST_SOURCES, plan
from archive.maintenance.joined import listed
from archive.maintenance.reindex import Reindexing
from archive.maintenance.verification import Verification
from archive.maintenance.verify import Finding, unknown, verify
from archive.search.query import parse
from archive.search.search import Search
from archive.settings import ArchiveSettings
from archive.writer.batch import Sealed

DAY = datetime(2026, 5, 1, tzinfo=UTC)
NEXT = DAY + timedelta(days=1, hours=5)
LATER = NEXT + timedelta(hours=7)
"""After the grace period of what was joined the next day."""
MONTH_OVER = datetime(2026, 6, 1, 5, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path, database: str) -> Archive:
    return Archive.open(ArchiveSettings(home=tmp_path, store=f"file:{tmp_path / 'store'}", database=database))


@pytest.fixture
def small(tmp_path: Path) -> Archive:
    """The same in SQLite only."""
    return Archive.open(ArchiveSettings(home=tmp_path))


def batch(archive: Archive, when: datetime, maker: str = CRAWL, number: int = 0) -> Sealed:
    """A batch of one page with a text, and its revisit."""
    hours = (when - datetime(2026, 5, 1, 12, tzinfo=UTC)) / timedelta(hours=1)
    url = f"http://blog.example/{when:%d/%H%M}/{number}"
    made = archive.writer.batch(now=when, maker=maker)
    row = made.add(capture(hours, b"<p>%d</p>" % when.timestamp() * 9, url=url))
    made.add_text(row, Text(url=url, text=f"words of {when:%d %H %M}", markdown="x", title="T"))
    made.add(unmodified(capture(hours + 0.1, b"", 304, url=url), row.record))
    sealed = made.seal()
    archive.writer.commit_and_release(sealed)
    return sealed


def day(archive: Archive, count: int = 6, of: datetime = DAY) -> None:
    for n in range(count):
        batch(archive, of + timedelta(hours=3 * n))


def compacted(archive: Archive, now: datetime = NEXT) -> Compaction:
    done = Compaction(archive, now=lambda: now)
    done.run()
    return done


def rows(archive: Archive) -> list[CaptureRow | TextRow]:
    found: list[CaptureRow | TextRow] = []
    for one in archive.index.objects():
        for part in archive.index.of_object(one.key):
            found += part
    return sorted(found, key=lambda row: row.record)


def stored(archive: Archive, prefix: str = "") -> list[str]:
    """Keys of the store, apart from the log, which has a test of its own."""
    return sorted(key for key in archive.store.keys(prefix) if not key.startswith("log/"))


def content(archive: Archive) -> dict[str, bytes]:
    """What each capture and text is, as stored."""
    return {row.record: archive.store.read(row.object, row.offset, row.length) for row in rows(archive)}


def read_all(archive: Archive) -> None:
    """Read every capture and text with all of its digests."""
    for row in rows(archive):
        if isinstance(row, CaptureRow):
            assert archive.read(row).body
        else:
            assert archive.read_text(row).text


def findings(archive: Archive) -> list[Finding]:
    known = archive.index.objects()
    found = [finding for row in known for finding in verify(archive.store, archive.index, row)]
    accounted = {*(row.key for row in known), *archive.index.retired(), *joins.unfinished(archive.index.engine)}
    return [*found, *unknown(archive.store, accounted)]


def reindexed(archive: Archive, tmp_path: Path) -> Archive:
    """The same store with a database that is made from it alone."""
    settings = ArchiveSettings(
        home=tmp_path / f"again-{next(_NUMBERS)}", store=archive.store.location, compact_grace="6h"
    )
    again = Archive.open(settings)
    rebuild(again)
    return again


def rebuild(archive: Archive) -> None:
    """Make the index what the store says."""
    with closing(Reindexing(archive, now=lambda: NEXT)) as job:
        assert list(filter(None, job.run())) == []
        assert job.mark_missing() == []


_NUMBERS = itertools.count()


# -- what is joined with what


def held(*names: str, length: int = 1_000, records: int = 5) -> list[Held]:
    """Objects by `warc/MAKER-DDHHMM`, or a month before that."""
    found = []
    for name in names:
        kind, _, rest = name.partition("/")
        maker, _, begun = rest.partition("-")
        begun = f"{f'202605{begun}' if len(begun) == 6 else begun:0<20}"
        key = f"{kind}/{begun[:4]}/{begun[4:6]}/{begun[6:8]}/{maker}-{begun}-00.warc.gz"
        found.append(Held(row=ObjectRow(key=key, length=length, sha256=""), records=records))
    return found


def planned(objects: list[Held], now: datetime = NEXT, **options: object) -> list[list[str]]:
    found = plan(objects, now=now, **{"most_bytes": 1e9, **options})
    return [[one.row.key.rsplit("/", 1)[-1].split("-00")[0] for one in join.sources] for join in found]


def hours(kind: str, maker: str, *, of: int = 1, count: int = 5) -> list[str]:
    return [f"{kind}/{maker}-{of:02}{n:02}00" for n in range(count)]


def sizes(objects: list[Held], now: datetime = NEXT, **options: object) -> list[int]:
    return [len(join) for join in planned(objects, now, **options)]


def test_the_objects_of_a_day_are_joined_in_the_order_in_which_they_were_begun() -> None:
    objects = held(*reversed(hours("warc", CRAWL)))
    (join,) = planned(objects)
    assert join == [f"{CRAWL}-2026050{1}{n:02}0000000000" for n in range(5)]


def test_captures_and_texts_stay_apart_and_so_do_days() -> None:
    objects = held(*hours("warc", CRAWL), *hours("text", CRAWL), *hours("warc", CRAWL, of=2))
    assert sizes(objects, NEXT + timedelta(days=1)) == [5, 5, 5]


def test_a_month_that_is_over_is_joined_as_one() -> None:
    objects = held(*hours("warc", CRAWL), *hours("warc", CRAWL, of=2))
    assert sizes(objects, MONTH_OVER) == [10]


@pytest.mark.parametrize("now", [DAY + timedelta(hours=23), DAY + timedelta(days=1, hours=1), DAY - timedelta(days=9)])
def test_a_day_that_is_not_over_is_left_alone(now: datetime) -> None:
    assert planned(held(*hours("warc", CRAWL)), now) == []


def test_a_few_objects_are_left_alone() -> None:
    assert planned(held(*hours("warc", CRAWL, count=FEWEST - 1))) == []
    assert sizes(held(*hours("warc", CRAWL, count=FEWEST))) == [FEWEST]


@pytest.mark.parametrize("apart", [{"length": 200_000_000}, {"records": 50_000}])
def test_nothing_is_joined_across_an_object_that_stays_apart(apart: dict[str, int]) -> None:
    names = hours("warc", CRAWL, count=9)
    objects = [*held(*names[:4]), *held(names[4], **apart), *held(*names[5:])]
    assert sizes(objects) == [4, 4]


def test_an_object_that_is_known_to_be_damaged_stays_apart() -> None:
    objects = held(*hours("warc", CRAWL, count=9))
    damaged = replace(objects[4], row=replace(objects[4].row, fault="damaged"))
    assert sizes([*objects[:4], damaged, *objects[5:]]) == [4, 4]
    assert sizes(objects, without={objects[4].row.key}) == [4, 4]


def test_captures_of_two_makers_are_not_joined_but_texts_are() -> None:
    for kind, expected in (("warc", [4, 5]), ("text", [9])):
        names = [*hours(kind, CRAWL, count=4), *(f"{kind}/{IMPORT}-01{n}00" for n in range(10, 15))]
        assert sizes(held(*names)) == expected


def test_a_joined_object_has_a_largest_size() -> None:
    objects = held(*(f"warc/{CRAWL}-01{n // 60:02}{n % 60:02}" for n in range(40)), length=1_000)
    assert sizes(objects, most_bytes=10_000) == [10, 10, 10, 10]
    many = held(*(f"text/{CRAWL}-202605010{n:05}" for n in range(MOST_SOURCES + 10)), length=1)
    assert sizes(many) == [MOST_SOURCES, 10]
    assert sizes(held(*hours("text", CRAWL, count=12), records=2_000)) == [10]


def test_what_is_not_named_like_an_object_of_ours_stays_apart() -> None:
    objects = held(*hours("warc", CRAWL, count=8))
    strange = Held(row=ObjectRow(key="warc/2026/05/01/other.warc.gz", length=1, sha256=""), records=1)
    assert sizes([*objects, strange]) == [8]


# -- joining


def test_bytes_are_unchanged_and_every_row_finds_its_own(archive: Archive) -> None:
    day(archive)
    before, sources = content(archive), [row for row in archive.index.objects() if row.key.startswith("warc/")]
    tally = compacted(archive).tally
    assert (tally.before, tally.after, tally.sources, tally.joined, len(tally.days)) == (12, 2, 12, 2, 1)
    assert content(archive) == before
    assert {row.key.split("/")[0] for row in archive.index.objects()} == {"warc", "text"}
    (key,) = (row.key for row in archive.index.objects() if row.key.startswith("warc/"))
    joined = listed(archive.store, key)
    assert joined is not None
    assert joined.parts == tuple(sources)
    assert archive.store.read(key, joined.begins) == b"".join(archive.store.read(one.key) for one in sources)
    read_all(archive)
    assert findings(archive) == []
    assert len(Search(archive).find(parse("words"), limit=100).hits) == 6


def test_the_old_objects_stay_for_the_grace_period(archive: Archive) -> None:
    day(archive)
    old = set(stored(archive, "warc/") + stored(archive, "text/") + stored(archive, "index/"))
    assert compacted(archive).tally.waiting == 12
    assert old < set(stored(archive))
    assert compacted(archive, NEXT + timedelta(hours=5)).tally.deleted == 0
    tally = compacted(archive, LATER).tally
    assert (tally.deleted, tally.waiting, tally.joined) == (12, 0, 0)
    assert not old & set(stored(archive))
    assert len(stored(archive)) == 4  # captures, texts, two of the index
    read_all(archive)
    assert findings(archive) == []


def test_what_was_retired_by_a_clock_that_was_ahead_goes_as_well(archive: Archive) -> None:
    day(archive)
    compacted(archive, NEXT + timedelta(days=3000))
    assert compacted(archive).tally.waiting == 12
    assert compacted(archive, LATER).tally.deleted == 12


def test_a_second_run_changes_nothing(small: Archive) -> None:
    day(small)
    compacted(small)
    compacted(small, LATER)
    before = stored(small)
    tally = compacted(small, LATER).tally
    assert (tally.joined, tally.deleted, stored(small)) == (0, 0, before)


def test_joins_for_which_there_is_no_time_are_left_to_the_next_run(small: Archive) -> None:
    day(small)
    before = stored(small)
    done = Compaction(small, now=lambda: NEXT, enough=lambda: True)
    done.run()
    assert (done.tally.joined, done.tally.left, stored(small)) == (0, 2, before)
    assert done.tally.line().endswith("; its time is used up, 2 joins left for the next run")
    assert done.tally.as_json()["left"] == 2
    assert compacted(small).tally.joined == 2
    kept = Compaction(small, now=lambda: LATER, enough=lambda: True)
    kept.run()
    assert kept.tally.deleted == 0
    assert compacted(small, LATER).tally.deleted > 0


def test_the_days_of_a_month_are_joined_again_when_it_is_over(small: Archive, tmp_path: Path) -> None:
    for n in range(5):
        day(small, 4, DAY + timedelta(days=n))
        compacted(small, NEXT + timedelta(days=n))
    before = content(small)
    assert len(small.index.objects()) == 10
    tally = compacted(small, MONTH_OVER).tally
    assert (len(tally.months), tally.sources, tally.after) == (1, 10, 2)
    assert content(small) == before
    assert rows(reindexed(small, tmp_path)) == rows(small)
    compacted(small, MONTH_OVER + timedelta(hours=7))
    assert len(stored(small)) == 4
    assert rows(reindexed(small, tmp_path)) == rows(small)
    read_all(small)


def test_the_text_in_the_newest_batch_counts_as_before(archive: Archive) -> None:
    """The rows of a joined object have the highest number, but it was not begun last."""
    url = "http://blog.example/post"
    first = archive.writer.batch(now=DAY)
    row = first.add(capture(url=url))
    first.add_text(row, Text(url=url, text="old words", markdown="x"))
    archive.writer.commit_and_release(first.seal())
    day(archive, 5, DAY + timedelta(hours=1))
    again = archive.writer.batch(now=NEXT, maker=AGAIN)
    again.add_text(row, Text(url=url, text="new words", markdown="x"))
    archive.writer.commit_and_release(again.seal())
    assert compacted(archive).tally.joined == 2
    assert archive.text(url).text == "new words"
    found = archive.index.text_of(row.record)
    assert found is not None
    assert found.object.split("/")[-1].startswith(AGAIN)


def test_captures_of_a_crawl_remain_those_of_a_crawl(small: Archive) -> None:
    day(small)
    compacted(small)
    assert small.index.latest_payload("http://blog.example/01/0000/0") is not None


def test_damaged_and_missing_objects_are_left_out_and_named(small: Archive) -> None:
    day(small, 8)
    day(small, 8, DAY + timedelta(minutes=5))
    paths = [Path(small.settings.home / "store" / key) for key in stored(small, "warc/")]
    flipped, gone = paths[4], paths[10]
    flipped.write_bytes(flipped.read_bytes()[:-9] + bytes([flipped.read_bytes()[-9] ^ 1]) + flipped.read_bytes()[-8:])
    gone.unlink()
    tally = compacted(small).tally
    store = small.settings.home / "store"
    assert {str(store / key) for key in tally.left_out} == {str(flipped), str(gone)}
    warc = [row.key for row in small.index.objects() if row.key.startswith("warc/")]
    assert len(warc) == 5  # two that are left out, what is before, between and after them
    assert {finding.kind for finding in findings(small)} == {"damaged", "missing"}
    assert flipped.exists()


def test_the_old_objects_stay_while_the_joined_one_is_not_whole(small: Archive, tmp_path: Path) -> None:
    day(small)
    before = content(small)
    compacted(small)
    (joined,) = filter(is_joined, stored(small, "warc/"))
    path = small.settings.home / "store" / joined
    path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))
    tally = compacted(small, LATER).tally
    assert (tally.deleted, tally.waiting) == (6, 6)  # the texts are whole
    assert list(tally.left_out) == [joined]
    again = reindexed(small, tmp_path)
    assert content(again) == before
    read_all(again)


def test_visits_that_confirm_a_capture_are_joined_and_counted_once(archive: Archive, tmp_path: Path) -> None:
    url = "http://blog.example/feed"
    first = archive.writer.batch(now=DAY)
    row = first.add(capture(url=url))
    again = first.add(unmodified(capture(1, b"", 304, url=url), row.record))
    archive.writer.commit_and_release(first.seal())
    for n in range(6):
        made = archive.writer.batch(now=DAY + timedelta(hours=n + 1))
        made.add(unmodified(capture(n + 2, b"", 304, url=url), row.record))
        sealed = made.seal()
        archive.writer.commit_and_release(sealed)
    assert compacted(archive).tally.sources == 6
    assert len(stored(archive, "visits/")) == 7
    archive.writer.index.add([row for row, _ in sealed.files], [], [], again=sealed.confirmations)
    for each in (archive, reindexed(archive, tmp_path)):
        (found,) = each.index.captures_of([again.record])
        assert (found.confirmed, found.last) == (6, at(7))
        assert len([row for row in each.index.objects() if row.key.startswith("visits/")]) == 1
    compacted(archive, LATER)
    (left,) = stored(archive, "visits/")
    assert is_joined(left)
    assert findings(archive) == []


def test_missing_index_objects_of_a_joined_one_are_written_again(small: Archive) -> None:
    day(small)
    compacted(small)
    compacted(small, LATER)
    index = {key: small.store.read(key) for key in stored(small, "index/")}
    assert len(index) == 2
    for key in index:
        small.store.delete(key)
    run = Verification(small, checks={}, now=lambda: LATER, repairs=True)
    found = [finding for row in run.chosen(1.0).rows for finding in run.row(row)]
    assert found == []
    assert {key: small.store.read(key) for key in index} == index


# -- readers


def test_readers_that_hold_an_old_place_find_the_new_one(archive: Archive) -> None:
    day(archive)
    old = rows(archive)
    compacted(archive)
    compacted(archive, LATER)
    for row in old:
        with pytest.raises(ObjectMissingError):
            archive.store.size(row.object)
        if isinstance(row, CaptureRow):
            assert archive.read(row).body
            assert archive.records(row)
            assert len(archive.stored_members(row)) == row.length
            assert pack_page(archive, row)
        else:
            assert archive.read_text(row).text


def test_an_old_object_can_be_had_by_its_key_until_it_is_deleted(archive: Archive) -> None:
    day(archive)
    (first, *_) = archive.index.objects()
    lookup = Lookup(archive.index)
    for now, held in ((NEXT, (first.length, first.sha256)), (LATER, None)):
        compacted(archive, now)
        assert lookup.held_object(first.key) == held


def test_every_table_with_places_in_objects_is_known() -> None:
    assert {table for table in metadata.tables.values() if "object_id" in table.c} == set(PLACED)


def test_what_is_nowhere_is_missing(small: Archive) -> None:
    day(small, 1)
    row = small.find("http://blog.example/01/0000/0")
    (small.settings.home / "store" / row.object).unlink()
    with pytest.raises(ObjectMissingError):
        small.read(row)


def test_an_object_that_is_joined_while_it_is_verified_is_not_wrong(small: Archive) -> None:
    day(small)
    before = small.index.objects()
    compacted(small)
    assert [finding for row in before for finding in verify(small.store, small.index, row)] == []
    compacted(small, LATER)
    assert [finding for row in before for finding in verify(small.store, small.index, row)] == []


# -- reindexing


def test_reindexing_finds_each_record_once_while_both_are_there(archive: Archive, tmp_path: Path) -> None:
    day(archive)
    compacted(archive)
    again = reindexed(archive, tmp_path)
    assert rows(again) == rows(archive)
    assert again.index.retired() == archive.index.retired()
    assert len(again.index.retired()) == 12
    assert findings(again) == []
    tally = compacted(again, LATER).tally
    assert (tally.deleted, tally.joined) == (12, 0)
    read_all(again)


def test_reindexing_the_same_database_changes_nothing(archive: Archive) -> None:
    day(archive)
    compacted(archive)
    before, objects = rows(archive), archive.index.objects()
    rebuild(archive)
    assert (rows(archive), archive.index.objects()) == (before, objects)
    assert len(archive.index.retired()) == 12


def test_rows_go_back_to_the_old_objects_if_the_joined_one_is_damaged(archive: Archive) -> None:
    day(archive)
    before = content(archive)
    compacted(archive)
    (joined,) = filter(is_joined, stored(archive, "warc/"))
    path = archive.settings.home / "store" / joined
    path.write_bytes(path.read_bytes()[:-30])
    rebuild(archive)
    assert content(archive) == before
    assert not [row for row in rows(archive) if row.object == joined]
    assert compacted(archive, LATER).tally.deleted == 6  # the texts
    assert content(archive) == before


# -- several at once


def test_only_one_process_compacts(archive: Archive) -> None:
    other = Archive.open(
        ArchiveSettings(
            home=archive.settings.home / "other", store=archive.settings.store, database=archive.settings.database
        )
    )
    with alone(archive):
        with pytest.raises(LockedError), alone(archive):
            raise AssertionError
        if archive.index.engine.dialect.name == "postgresql":
            with pytest.raises(LockedError, match="another compaction"), alone(other):
                raise AssertionError
    with alone(other):
        pass


def test_a_join_that_somebody_else_gave_up_changes_nothing(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that slept while another one removed what it had begun."""
    day(archive)
    before = rows(archive)
    original = joins.take_over

    def late(*arguments: object, **named: object) -> None:
        monkeypatch.setattr(joins, "take_over", original)
        Compaction(archive, now=lambda: NEXT).settle()
        original(*arguments, **named)

    monkeypatch.setattr(joins, "take_over", late)
    with pytest.raises(LockedError, match="changed while it was being joined"):
        compacted(archive)
    assert rows(archive) == before
    assert not any(map(is_joined, stored(archive)))
    assert joins.unfinished(archive.index.engine) == []
    assert compacted(archive).tally.joined == 2


def test_a_source_that_changed_meanwhile_is_not_joined(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    day(archive)
    original = joins.take_over

    def late(*arguments: object, **named: object) -> None:
        with archive.index.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE objects SET sha256 = 'other'")
        original(*arguments, **named)

    monkeypatch.setattr(joins, "take_over", late)
    with pytest.raises(LockedError):
        compacted(archive)
    assert not any(map(is_joined, stored(archive)))
    assert joins.unfinished(archive.index.engine) == []


def test_rows_that_refer_to_a_joined_object_keep_it(archive: Archive) -> None:
    day(archive)
    compacted(archive)
    (joined,) = filter(is_joined, stored(archive, "warc/"))
    assert not joins.give_up(archive.index.engine, joined)
    assert joins.unfinished(archive.index.engine) == []


def test_a_commit_that_is_repeated_after_its_objects_were_joined_adds_nothing(archive: Archive) -> None:
    sealed = batch(archive, DAY + timedelta(minutes=1))
    day(archive)
    compacted(archive)
    before, objects = rows(archive), archive.index.objects()
    archive.writer.index.add([row for row, _ in sealed.files], list(sealed.captures), list(sealed.texts))
    assert (rows(archive), archive.index.objects()) == (before, objects)


# -- killed


class Killed(BaseException):
    """Ends the run where it is raised, as a signal would."""


STEPS = ("announce", "take_over", "give_up", "forget", "dropped", "expired")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[Archive, int], None]:
    """Kills a run at its n-th step, before or after it."""

    def kill_at(archive: Archive, limit: int) -> None:
        number = itertools.count()

        def wrapped(original: Callable[..., object]) -> Callable[..., object]:
            def step(*arguments: object, **named: object) -> object:
                if next(number) == limit:
                    raise Killed
                done = original(*arguments, **named)
                if next(number) == limit:
                    raise Killed
                return done

            return step

        for name in STEPS:
            monkeypatch.setattr(joins, name, wrapped(getattr(joins, name)))
        for name in ("put", "delete"):
            monkeypatch.setattr(archive.store, name, wrapped(getattr(archive.store, name)))
        monkeypatch.setattr(compact_module, "sha256_of", wrapped(compact_module.sha256_of))

    return kill_at


def test_a_kill_between_any_two_steps_loses_nothing_and_is_finished_by_the_next_run(
    tmp_path: Path, steps: Callable[[Archive, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Archive.open(ArchiveSettings(home=tmp_path / "made"))
    day(made, 4)
    expected = content(made)
    made.index.engine.dispose()
    killed = 0
    for limit in itertools.count():
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        shutil.copytree(tmp_path / "made", tmp_path / "home")
        archive = Archive.open(ArchiveSettings(home=tmp_path / "home", compact_grace="0"))
        with monkeypatch.context() as patched, pytest.MonkeyPatch.context():
            steps(archive, limit)
            try:
                compacted(archive)
            except Killed:
                killed += 1
            else:
                break
            finally:
                monkeypatch.undo()
                patched.undo()
        archive = Archive.open(archive.settings)
        assert content(archive) == expected, limit
        assert findings(archive) == [], limit
        if limit % 5 == 0:
            assert content(reindexed(archive, tmp_path)) == expected, limit
        compacted(archive)
        assert content(archive) == expected, limit
        assert findings(archive) == [], limit
        assert len(stored(archive)) == 4, limit
        assert not list((tmp_path / "home" / "compact").glob("*")), limit
        archive.index.engine.dispose()
    assert killed > 40


def test_a_store_that_is_busy_ends_the_run_and_the_next_one_goes_on(
    small: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    day(small)
    before = content(small)

    def busy(key: str, source: object) -> None:
        raise StoreBusyError("not now", location="x", key=key)

    with monkeypatch.context() as patched:
        patched.setattr(small.store, "put", busy)
        with pytest.raises(StoreBusyError):
            compacted(small)
    assert content(small) == before
    assert compacted(small).tally.joined == 2


def test_a_disk_without_room_ends_the_run_and_is_left_as_it_was(
    small: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    day(small)
    before = rows(small)

    def full(*_: object) -> Iterator[bytes]:
        raise OSError(errno.ENOSPC, "No space left on device")
        yield b""

    monkeypatch.setattr(compact_module, "pieces", full)
    with pytest.raises(SpoolFullError):
        compacted(small)
    assert rows(small) == before
    assert list((small.settings.home / "compact").iterdir()) == []


def test_an_object_that_the_store_did_not_keep_as_it_was_put_is_not_used(
    small: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    day(small)
    before = rows(small)
    original = small.store.put

    def torn(key: str, source: bytes | Path) -> None:
        original(key, source.read_bytes()[:-1] if isinstance(source, Path) else source)

    monkeypatch.setattr(small.store, "put", torn)
    with pytest.raises(ObjectMissingError, match="is not what was put there"):
        compacted(small)
    assert rows(small) == before
    assert not any(map(is_joined, stored(small)))


# -- the index objects


def lines_of(archive: Archive) -> Iterator[bytes]:
    (blocks,) = (key for key in stored(archive, "index/") if key.endswith(".cdx.gz"))
    yield from gzip.decompress(archive.store.read(blocks)).splitlines()


def test_the_index_lines_of_a_joined_object_lead_into_it(small: Archive) -> None:
    day(small)
    compacted(small)
    expected = [cdxj_line(row).encode() for row in rows(small) if isinstance(row, CaptureRow)]
    assert list(lines_of(small)) == sorted(expected)


def test_each_block_of_index_lines_is_read_alone() -> None:
    lines = [b"example,blog)/%05d 20260501000000 {}\n" % n for n in range(2 * LINES + 10)]
    blocks, summary = zipnum(reversed(lines), "name.cdx.gz")
    found = []
    for number, line in enumerate(summary.decode().splitlines(), 1):
        key, name, offset, length, counted = line.split("\t")
        block = gzip.decompress(blocks[int(offset) : int(offset) + int(length)]).splitlines(keepends=True)
        assert (name, int(counted), block[0].startswith(key.encode())) == ("name.cdx.gz", number, True)
        found += block
    assert found == lines
    assert len(summary.splitlines()) == 3


# -- the command


def test_the_command_tells_what_it_did(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", PRESSMARK_COMPACT_GRACE="0")
    archive = Archive.open(ArchiveSettings(home=home.path))
    day(archive)
    planned = home.pressmark("compact", "--dry-run")
    assert planned.code == 0
    assert "joined 0 days and 1 months: 12 objects into 2" in planned.out
    assert "nothing was changed" in planned.out
    assert len(archive.index.objects()) == 12
    done = home.pressmark("compact", "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["sources"], told["joined"], told["before"], told["after"], told["deleted"]) == (12, 2, 12, 2, 12)
    assert home.pressmark("compact").out.startswith("joined 0 days and 0 months: 0 objects into 0")
    checked = home.pressmark("verify")
    assert (checked.code, "no problems" in checked.out) == (0, True)


def test_the_command_names_what_is_damaged(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    archive = Archive.open(ArchiveSettings(home=home.path))
    day(archive, 9)
    key = stored(archive, "warc/")[4]
    path = home.path / "store" / key
    path.write_bytes(path.read_bytes()[:-1])
    done = home.pressmark("compact")
    assert done.code == 4
    assert key in done.err
    assert "1 left out" in done.out
    assert home.pressmark("verify").out.count("unknown") == 0


def test_reindexing_while_both_are_there_keeps_the_joined_objects(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    archive = Archive.open(ArchiveSettings(home=home.path))
    day(archive)
    assert home.pressmark("compact").code == 0
    before = rows(archive)
    (home.path / "pressmark.db").unlink()
    archive.index.engine.dispose()
    done = home.pressmark("reindex")
    assert done.code == 0
    assert "indexed 2 objects: 12 captures, 6 texts" in done.out
    again = Archive.open(archive.settings)
    assert rows(again) == before
    assert len(again.index.retired()) == 12
    assert findings(again) == []
