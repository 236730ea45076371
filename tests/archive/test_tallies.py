"""Counts that are kept agree with the rows, whatever is done to these."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from archive.index import aliases, faults, joins, tallies
from archive.index.aliases import Alias
from archive.index.fulltext import Entered, searchable
from archive.index.index import Index
from archive.index.overview import Overview
from archive.index.schema import CaptureRow, ObjectRow, TextRow, captures, objects, texts
from archive.index.writing import IndexWriter, ObjectRows, values
from archive.runtime.database import connect, transaction
from archive.warc.page_identity import page_key

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOSTS = ("a.example", "b.example", "c.example")


@pytest.fixture
def index(database: str) -> Index:
    found = Index(connect(database))
    IndexWriter(found).prepare()
    return found


def kept(index: Index) -> dict[tuple[str, str], int]:
    with transaction(index.engine, reads=True) as connection:
        rows = connection.execute(select(tallies.tallies)).all()
    return {(kind, name): count for kind, name, count in rows if count or kind != "rows"}


def counted(index: Index) -> dict[tuple[str, str], int]:
    """The same by counting."""
    found: dict[tuple[str, str], int] = {}
    with transaction(index.engine, reads=True) as connection:
        for table in (captures, texts, objects):
            found["rows", table.name] = connection.execute(select(func.count()).select_from(table)).scalar_one()
        posts = select(searchable.c.host, func.count(searchable.c.page.distinct())).group_by(searchable.c.host)
        found.update((("posts", host), count) for host, count in connection.execute(posts))
        spoken = select(searchable.c.language, func.count()).group_by(searchable.c.language)
        found.update((("language", name), count) for name, count in connection.execute(spoken) if name)
    return {key: count for key, count in found.items() if count}


class Archive:
    """An index to which random things happen."""

    def __init__(self, index: Index, chance: random.Random) -> None:
        self.index = index
        self.writer = IndexWriter(index)
        self.chance = chance
        self.numbers = iter(range(10_000))
        self.objects: list[str] = []

    def _url(self) -> str:
        return f"https://{self.chance.choice(HOSTS)}/{self.chance.randrange(8)}"

    def _rows(self, name: str) -> tuple[list[ObjectRow], list[CaptureRow], list[TextRow], list[Entered]]:
        held, made, words = [], [], []
        for number in range(self.chance.randrange(1, 5)):
            url = self._url()
            at = T0 + timedelta(seconds=next(self.numbers))
            digest = f"sha1:{self.chance.randrange(6)}"
            capture = CaptureRow(
                record=f"<c-{name}-{number}>", url=url, date=at, status=200, mime="text/html", digest=digest,
                kind="response", refers_to=None, truncated=None, object=f"warc/{name}.gz", offset=number, length=1,
            )  # fmt: skip
            held.append(capture)
            made.append(
                TextRow(
                    record=f"<t-{name}-{number}>", capture=capture.record, url=url, date=at, digest=digest, title="T",
                    made_by=None, object=f"text/{name}.gz", offset=number, length=1,
                )
            )  # fmt: skip
            words.append(
                Entered(
                    page=page_key(url), digest=digest, url=url, host=url.split("/")[2], title="T", author=None,
                    language=self.chance.choice(("en", "de", None)), tags=(), dated=at, seen=at, body="words",
                )
            )  # fmt: skip
        stored = [ObjectRow(key=f"{kind}/{name}.gz", length=1, sha256="0" * 64) for kind in ("warc", "text")]
        return stored, held, made, words

    def add(self) -> None:
        stored, held, made, words = self._rows(f"pressmark-{next(self.numbers):020}-x")
        for _ in range(self.chance.choice((1, 2))):  # a commit may be repeated
            self.writer.add(stored, held, made, words)
        self.objects += [row.key for row in stored]

    def remove(self) -> None:
        gone = [self.objects.pop(self.chance.randrange(len(self.objects)))] if self.objects else []
        self.writer.remove(gone)

    def rebuild(self) -> None:
        name = f"pressmark-{next(self.numbers):020}-y"
        stored, held, made, words = self._rows(name)
        known = [key for key in self.objects if key.startswith("warc/")]
        if known and self.chance.random() < 0.5:
            stored[0] = ObjectRow(key=self.chance.choice(known), length=2, sha256="1" * 64)
        damage = self.chance.choice((None, None, 7))
        rows = [
            ObjectRows(stored=stored[0], captures=[values(row) for row in held], texts=[], words=(), damage=damage),
            ObjectRows(stored=stored[1], captures=[], texts=[values(row) for row in made], words=tuple(words)),
        ]
        self.writer.replace(rows)
        self.objects += [row.key for row in stored if row.key not in self.objects]

    def compact(self) -> None:
        some = self.chance.sample(self.objects, min(3, len(self.objects)))
        key = f"warc/pressmark-{next(self.numbers):020}-joined-z.gz"
        rows = [joins.known(self.index.engine, one) for one in some]
        joins.announce(self.index.engine, key)
        joined = ObjectRow(key=key, length=9, sha256="2" * 64)
        joins.take_over(self.index.engine, joined, [(row, 0) for row in rows if row is not None], at=T0)
        self.objects = [one for one in self.objects if one not in some] + [key]

    def fault(self) -> None:
        if self.objects:
            key = self.chance.choice(self.objects)
            faults.checked(self.index.engine, key, at=T0, fault=self.chance.choice((None, faults.MISSING)))

    def alias(self) -> None:
        found = [
            Alias(url=self._url(), target=self._url(), kind="redirect", proof=f"<{next(self.numbers)}>", since=T0)
            for _ in range(3)
        ]
        with transaction(self.index.engine) as connection:
            aliases.enter(connection, found)


@pytest.mark.parametrize("seed", range(4))
def test_counts_agree_with_the_rows_after_whatever_is_done(index: Index, seed: int) -> None:
    chance = random.Random(seed)
    archive = Archive(index, chance)
    actions: list[Callable[[], None]] = [
        archive.add, archive.add, archive.add, archive.remove, archive.rebuild, archive.compact, archive.fault,
        archive.alias,
    ]  # fmt: skip
    done = []
    for _ in range(40):
        action = chance.choice(actions)
        action()
        done.append(action.__name__)
        assert kept(index) == counted(index), done
    tallies.recount(index.engine)
    assert kept(index) == counted(index)


def test_what_pages_show_is_asked_by_keys(tmp_path: object) -> None:
    """By SQLite's plans: neither counts nor lists of hosts, nor a look for a payload, read a whole table."""
    index = Index(connect(f"sqlite:///{tmp_path}/test.db"))
    IndexWriter(index).prepare()
    archive = Archive(index, random.Random(1))
    for _ in range(20):
        archive.add()
    said: list[tuple[str, object]] = []
    number = sum(len(index.of_object(one.key)[0]) for one in index.objects())
    event.listen(index.engine, "before_cursor_execute", lambda *given: said.append((given[2], given[3])))
    overview = Overview(index)
    assert index.counts()["captures"] == number
    assert [host for host, _, _ in overview.hosts(2)] == ["a.example", "b.example"]
    assert [host for host, _, _ in overview.hosts(2, after="b.example")] == ["c.example"]
    index.original("sha1:1")
    assert tallies.most(index.engine, "language", 5)
    statements = [one for one in said if one[0].startswith("SELECT")]
    with transaction(index.engine, reads=True) as connection:
        steps = [
            row[3]
            for statement, parameters in statements
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()  # type: ignore[arg-type]
        ]
    assert any("captures_whole" in step for step in steps)
    assert [step for step in steps if step.startswith("SCAN")] == []


def test_a_text_costs_the_same_however_many_its_host_has(tmp_path: Path) -> None:
    """Steps of SQLite's machine, so that it is the same on every machine."""
    engine = connect(f"sqlite:///{tmp_path / 'index.db'}")
    IndexWriter(Index(engine)).prepare()
    steps: list[int] = []
    with sqlite3.connect(tmp_path / "index.db") as database:
        columns = "(page, digest, url, host, tags, dated, seen)"
        row = "('p' || n, 'd', 'http://a.example/' || n, 'a.example', '[]', n, n)"
        for number in (100, 10_000):
            many = f"WITH RECURSIVE c(n) AS (SELECT {1_000 if steps else 0} UNION ALL SELECT n + 1 FROM c WHERE n < {number})"
            database.execute(f"{many} INSERT INTO searchable {columns} SELECT {row[1:-1]} FROM c")
            count = itertools.count()
            database.set_progress_handler(lambda count=count: next(count) and 0, 10)
            database.execute(f"INSERT INTO searchable {columns} SELECT {row[1:-1]} FROM (SELECT 'new{number}' AS n)")
            database.set_progress_handler(None, 0)
            steps.append(next(count))
        database.execute("DELETE FROM searchable")
        assert database.execute("SELECT count FROM tallies WHERE name = 'a.example'").fetchall() == []
    assert steps[1] <= 2 * steps[0], steps
