"""The policy in docs/daemon.md names every table, and what has an age really goes."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import PROJECT, Home
from sample.blogs import TIDE
from sample.server import Site
from sqlalchemy import MetaData, insert, inspect

import archive.index.fulltext
import archive.index.schema
import crawler.frontier.tables
import schedules.changes.tables
import schedules.runs
from archive.archive import Archive
from archive.index import joins, untold
from archive.maintenance.compact import Compaction
from archive.runtime.database import transaction
from archive.runtime.times import parse_span
from archive.settings import ArchiveSettings
from crawler.frontier import alarms, claims, machines
from crawler.frontier.frontier import ALARMS_KEPT, Frontier
from crawler.limits import BACKFILL_LISTINGS
from crawler.model.visits import SHARDS, Alarm
from schedules.changes.tables import deliveries
from schedules.dead_daemons import bury
from schedules.runs import DEAD, LEASE, Runs
from schedules.settings import ScheduleSettings

METADATA: tuple[MetaData, ...] = (
    archive.index.schema.metadata,
    archive.index.fulltext.metadata,
    crawler.frontier.tables.metadata,
    schedules.runs.metadata,
    schedules.changes.tables.metadata,
)
NOW = datetime.now(UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def policy(kind: str) -> dict[str, tuple[str, str, str]]:
    """How long each table or file is kept, why, and the setting."""
    section = (PROJECT / "docs/daemon.md").read_text("utf-8").partition("## What is kept")[2].partition("\n## ")[0]
    rows = section.partition(f"| {kind} | kept |")[2].partition("\n\n")[0].splitlines()[2:]
    found: dict[str, tuple[str, str, str]] = {}
    for row in rows:
        names, kept, why, setting = (cell.strip() for cell in row.strip("|").split(" | "))
        for name in re.findall(r"`([^`]+)`", names) or [names]:
            assert name not in found, name
            found[name] = kept, why, setting
    return found


TABLES, FILES = policy("table"), policy("file")


def test_every_table_is_in_the_policy(home: Home, site: Site) -> None:
    """Those of every room, and whatever else is in a database that daemon and crawler have used."""
    site.pages.update(TIDE.pages(site.url))
    assert home.pressmark("add", f"{site.url}/").code == 0
    database = f"sqlite:///{home.path / 'pressmark.db'}"
    found = Runs.open(database)
    made = set(inspect(found.engine).get_table_names())
    known = {name for one in METADATA for name in one.tables}
    assert len(known) > 20
    made = {name for name in made if not _OF_SEARCH.match(name)}
    assert {"feeds", "captures", "runs", "turns", "crawler_revision"} <= made
    assert TABLES.keys() == known | made | {"schedule"}


_OF_SEARCH = re.compile(r"\w+_(data|idx|content|docsize|config)$")
"""SQLite's own tables for full-text search."""


@pytest.mark.parametrize("name", [*TABLES, *FILES])
def test_each_is_kept_for_ever_with_its_reason_or_has_an_age(name: str) -> None:
    kept, why, setting = (TABLES | FILES)[name]
    assert re.match(r"(for ever|until .+|\d+ (minutes|hours|days?))", kept), kept
    assert len(why) > 10, "who deletes it, or why nobody does"
    assert re.match(r"(-|`PRESSMARK_\w+`)$", setting)


def test_the_ages_are_those_of_the_code() -> None:
    def age(name: str) -> timedelta:
        number, unit = (TABLES | FILES)[name][0].split()
        return parse_span(number + unit[0])

    assert age("turns") == LEASE
    assert age("daemons") == age("schedule") == DEAD
    assert age("machines") == machines.KEPT
    assert age("runs") == age("alarms") == ALARMS_KEPT == ScheduleSettings().history_kept
    assert age("retired") == ArchiveSettings().compact_grace
    assert f"{BACKFILL_LISTINGS:,}" in TABLES["listings"][1]
    assert f"{SHARDS:,}" in TABLES["claims"][1]


# -- what has an age goes


class Kept:
    """A home with a database, and what its commands do."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.path = home.path
        self.settings = ArchiveSettings(home=home.path)
        self.archive = Archive.open(self.settings)
        self.archive.writer.check_writable()
        self.frontier = Frontier.open(self.settings.database)
        self.runs = Runs.open(self.settings.database)
        self.engine = self.runs.engine

    def rows(self, table: str) -> int:
        with sqlite3.connect(self.path / "pressmark.db") as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def sql(self, statement: str, *values: object) -> None:
        with sqlite3.connect(self.path / "pressmark.db", timeout=30) as database:
            database.execute(statement, values)

    def housekeeping(self) -> None:
        assert self.home.pressmark("housekeeping").code == 0

    def seal(self) -> None:
        assert self.home.pressmark("seal").code == 0

    def old(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        before = (NOW - DAY - timedelta(minutes=1)).timestamp()
        os.utime(path, (before, before))
        return path


@pytest.fixture
def kept(home: Home) -> Kept:
    return Kept(home)


def micro(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def runs_go(kept: Kept) -> None:
    for age, job in ((ALARMS_KEPT + DAY, "old"), (ALARMS_KEPT - DAY, "new")):
        number = kept.runs.begin(job, turn=job, holder="a", argv="x", now=NOW)
        assert number is not None
        kept.runs.end(number, turn=job, now=NOW - age, outcome="done", exit_code=0, said="")
    kept.housekeeping()
    assert set(kept.runs.latest()) == {"new"}
    kept.home.settings["PRESSMARK_HISTORY_KEPT"] = "1d"
    kept.housekeeping()
    assert kept.rows("runs") == 0


def alarms_go(kept: Kept) -> None:
    for subject, age in (("old", ALARMS_KEPT + DAY), ("new", ALARMS_KEPT - DAY)):
        alarms.about(kept.engine, subject, Alarm(kind="job", detail="x"), kind="job", at=NOW - age)
        alarms.about(kept.engine, subject, None, kind="job", at=NOW - age)
    alarms.about(kept.engine, "active", Alarm(kind="job", detail="x"), kind="job", at=NOW - ALARMS_KEPT * 2)
    kept.housekeeping()
    assert {one.subject for one in alarms.standing(kept.engine, over=True)} == {"new", "active"}
    kept.home.settings["PRESSMARK_HISTORY_KEPT"] = "1d"
    kept.housekeeping()
    assert {one.subject for one in alarms.standing(kept.engine, over=True)} == {"active"}


def machines_go(kept: Kept) -> None:
    held = machines.Machine(name="a" * 16, identity="i", boot="b")
    for name, age in (("a" * 16, machines.KEPT + DAY), ("b" * 16, machines.KEPT - DAY)):
        machines.enter(kept.engine, machines.Machine(name=name, identity="i", boot="b"))
        kept.sql("UPDATE machines SET seen = ? WHERE name = ?", micro(NOW - age), name)
        number = 1 if age > machines.KEPT else 2
        assert claims.Claims(kept.engine, f"{name}/crawl").take([number], lasts=SECOND)
        kept.sql("UPDATE claims SET until = ? WHERE shard = ?", micro(NOW - age), number)
        subject = machines.spool_of(f"{name}/crawl")
        alarms.about(kept.engine, subject, Alarm(kind="aside", detail="x"), kind="aside", at=NOW)
    kept.housekeeping()
    assert kept.rows("machines") == 1
    with sqlite3.connect(kept.path / "pressmark.db") as database:
        found = database.execute("SELECT shard, holder, epoch > 0 FROM claims ORDER BY shard").fetchall()
    assert found == [(1, "", 1), (2, f"{'b' * 16}/crawl", 1)], "numbers of claims stay"
    assert [one.subject for one in alarms.standing(kept.engine)] == [machines.spool_of(f"{'b' * 16}/crawl")]
    machines.enter(kept.engine, held)
    assert kept.rows("machines") == 2, "a machine that comes back is known again"


def turns_go(kept: Kept) -> None:
    for turn in ("old", "new"):
        kept.runs.begin(turn, turn=turn, holder="a", argv="x", now=NOW)
    kept.sql("UPDATE turns SET until = ? WHERE job = 'old'", micro(NOW - SECOND))
    bury(kept.runs, NOW)
    assert kept.rows("turns") == 1


def daemons_go(kept: Kept) -> None:
    kept.sql("CREATE TABLE schedule (id TEXT PRIMARY KEY, next_run_time FLOAT, job_state BLOB)")
    for holder, age in (("old", DEAD + timedelta(minutes=1)), ("new", DEAD - timedelta(minutes=1))):
        kept.runs.heard(holder)
        kept.sql("UPDATE daemons SET seen = ? WHERE holder = ?", micro(datetime.now(UTC) - age), holder)
        kept.sql("INSERT INTO schedule VALUES (?, 0, '')", f"{holder}:crawl")
    bury(kept.runs, NOW)
    assert (kept.rows("daemons"), kept.rows("schedule")) == (1, 1)


def holds_go(kept: Kept) -> None:
    kept.frontier.hold("old", NOW - SECOND)
    kept.frontier.hold("new", NOW + DAY)
    kept.housekeeping()
    assert kept.rows("holds") == 1


def unsaved_goes(kept: Kept) -> None:
    kept.frontier.subscribe("http://127.0.0.1:9/feed", seed=None, now=NOW)
    assert kept.rows("unsaved") == 1
    kept.home.crawl()
    assert kept.rows("unsaved") == 0


def untold_goes(kept: Kept) -> None:
    with transaction(kept.engine) as connection:
        untold.note(connection, [("a" * 64, "http://blog.example/post")])
    assert kept.rows("untold") == 1
    assert kept.home.pressmark("watch", "send").code == 0
    assert kept.rows("untold") == 0


def deliveries_go(kept: Kept) -> None:
    for number, (age, dead) in enumerate(
        [(ALARMS_KEPT + DAY, True), (ALARMS_KEPT - DAY, True), (ALARMS_KEPT * 2, False)]
    ):
        with transaction(kept.engine) as connection:
            row = {"watch": "a", "change_id": number, "way": "mail", "due": NOW - age, "tries": 1, "dead": dead}
            connection.execute(insert(deliveries).values(**row))
    kept.housekeeping()
    assert kept.rows("deliveries") == 2
    kept.home.settings["PRESSMARK_HISTORY_KEPT"] = "1d"
    kept.housekeeping()
    assert kept.rows("deliveries") == 1


def joining_goes(kept: Kept) -> None:
    joins.announce(kept.engine, "warc/2026/05/01/pressmark-1-joined-a.warc.gz")
    assert kept.home.pressmark("compact").code == 0
    assert kept.rows("joining") == 0


def retired_goes(kept: Kept) -> None:
    text, sha256 = b"x", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    for key in ("warc/2026/05/01/pressmark-1-a.warc.gz", "warc/2026/05/01/pressmark-2-b.warc.gz"):
        kept.archive.store.put(key, text)
    joined = "warc/2026/05/01/pressmark-1-joined-c.warc.gz"
    kept.archive.store.put(joined, text)
    values = "(key, length, sha256, begun) VALUES (?, 1, ?, '1')"
    kept.sql(f"INSERT INTO objects {values}", joined, sha256)
    for number, age in enumerate((kept.settings.compact_grace + SECOND, kept.settings.compact_grace - DAY / 24)):
        key = f"warc/2026/05/01/pressmark-{number + 1}-{'ab'[number]}.warc.gz"
        kept.sql("INSERT INTO retired VALUES (?, 1, ?, ?, ?)", key, sha256, joined, micro(NOW - age))
    Compaction(kept.archive, now=lambda: NOW).expire()
    assert kept.rows("retired") == 1
    assert min(kept.archive.store.keys("warc/")) == joined
    assert len(list(kept.archive.store.keys("warc/"))) == 2


def unfinished_goes(kept: Kept) -> None:
    old, new = (kept.path / "store" / "warc" / f".tmp-{name}" for name in ("old", "new"))
    kept.old(old)
    new.write_bytes(b"x")
    kept.housekeeping()
    assert (old.exists(), new.exists()) == (False, True)


def spool_goes(kept: Kept) -> None:
    batch = kept.archive.writer.batch(now=NOW)
    batch.note("note")
    batch.seal()
    assert list((kept.path / "spool").iterdir())
    kept.seal()
    assert not list((kept.path / "spool").iterdir())


def compaction_files_go(kept: Kept) -> None:
    old, new = (kept.path / "compact" / f"{name}.warc.gz" for name in ("old", "new"))
    kept.old(old)
    new.write_bytes(b"x")
    kept.seal()
    assert (old.exists(), new.exists()) == (False, True)


def names_go(kept: Kept) -> None:
    old, new = (kept.path / f"worker-{letter * 16}.new" for letter in "ab")
    kept.old(old)
    new.write_bytes(b"x")
    kept.seal()
    assert (old.exists(), new.exists()) == (False, True)


def log_goes(kept: Kept) -> None:
    with transaction(kept.engine) as connection:
        connection.exec_driver_sql("CREATE TABLE large (x)")
        connection.exec_driver_sql("INSERT INTO large VALUES (zeroblob(1000000))")
    log = kept.path / "pressmark.db-wal"
    assert log.stat().st_size > 1_000_000
    kept.housekeeping()
    assert not log.exists() or log.stat().st_size < 100_000


GO: dict[str, Callable[[Kept], None]] = {
    "runs": runs_go,
    "alarms": alarms_go,
    "machines": machines_go,
    "turns": turns_go,
    "daemons": daemons_go,
    "schedule": daemons_go,
    "holds": holds_go,
    "unsaved": unsaved_goes,
    "untold": untold_goes,
    "deliveries": deliveries_go,
    "joining": joining_goes,
    "retired": retired_goes,
    ".tmp-…": unfinished_goes,
    "spool/": spool_goes,
    "compact/": compaction_files_go,
    "worker-….new": names_go,
    "pressmark.db-wal": log_goes,
}


def test_each_kind_with_an_age_is_tested() -> None:
    assert {name for name, (kept, _, _) in (TABLES | FILES).items() if kept != "for ever"} == GO.keys()


@pytest.mark.parametrize("name", GO)
def test_what_has_an_age_goes(kept: Kept, name: str) -> None:
    GO[name](kept)
