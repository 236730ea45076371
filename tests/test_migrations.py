"""Databases of every earlier revision, with rows in all of their tables, become the database of today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Column, Engine, MetaData, String, Table, func, insert, inspect, select, text

from archive.index.index import Index
from archive.runtime.database import connect, transaction
from archive.warc.page_identity import page_key
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Due, PageVisit
from schedules.runs import Runs

PACKAGES = ("archive", "crawler", "schedules")
URL = "http://blog.example/2026/post"
FEED = "http://blog.example/feed"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
_INSTANT = int(NOW.timestamp()) * 1_000_000
_SEARCH = ("searchable_words", "passages")
"""Tables of the full text, which have a form of their own in each database."""


_NOT_FILLED = {"schedule", "tallies", "frontier_tallies", "feed_tallies", "rechecks"}
"""APScheduler's table, and those that triggers fill."""


def _config(package: str) -> Config:
    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _revisions(package: str) -> list[str]:
    """All revisions of a package, the oldest first."""
    script = ScriptDirectory.from_config(_config(package))
    return [one.revision for one in script.walk_revisions()][::-1]


def _combinations() -> Iterator[dict[str, str]]:
    """Each revision of each package beside the oldest and beside the newest ones of the others."""
    every = {package: _revisions(package) for package in PACKAGES}
    seen: set[tuple[str, ...]] = set()
    for others in (0, -1):
        for package, revisions in every.items():
            for revision in revisions:
                chosen = {name: found[others] for name, found in every.items()} | {package: revision}
                if (key := tuple(chosen.values())) not in seen:
                    seen.add(key)
                    yield chosen


def _bring_to(engine: Engine, package: str, revision: str) -> None:
    config = _config(package)
    with transaction(engine) as connection:
        config.attributes.update(connection=connection, version_table=f"{package}_revision")
        command.upgrade(config, revision)


def _tables(engine: Engine) -> dict[str, Table]:
    """The tables as the database itself describes them; those that others refer to come first."""
    found = MetaData()
    with transaction(engine, reads=True) as connection:
        names = [name for name in inspect(connection).get_table_names() if not name.startswith(_SEARCH)]
        found.reflect(connection, only=[name for name in names if not name.endswith("_revision")])
    return {table.name: table for table in found.sorted_tables}


_KNOWN = {
    "url": URL,
    "urlkey": "example,blog)/2026/post",
    "facts": "{}",
    "kind": "response",
    "kept": True,
    "paused": False,
    "backfill": False,
    "unverified": False,
    "status": 200,
    "mime": "text/html",
    "media": "application/rss+xml",
    "source": "page",
    "skips": "",
    "verdict": None,
    "listing": None,
    "refers_to": None,
    "truncated": None,
    "error": None,
    "ended": None,
}
"""Values that have a meaning; others are made from their column's type."""

_SPANS = {"rhythm", "fresh", "every", "window"}
"""Columns in seconds."""

_INSTANTS = {"added", "date", "dated", "due", "first_seen", "seen", "since", "started", "until", "visited"}
"""Columns that hold a time and matter here."""


_OF_TABLES: dict[str, dict[str, Any]] = {
    "objects": {
        "key": "warc/2026/11/01/pressmark-20261101000000000000-0a.warc.gz",
        "begun": "20261101000000000000",
    },
    "captures": {"page": page_key(URL)},
    "texts": {"page": page_key(URL), "capture": "captures-record"},
    "feeds": {"url": FEED, "key": page_key(FEED)},
    "seeds": {"url": FEED, "key": page_key(FEED)},
    "pages": {"key": page_key(URL)},
}
"""Values by which rows of one table refer to those of another."""


def _row(table: Table) -> dict[str, Any]:
    """A row that the table of that revision takes."""
    known = _KNOWN | _OF_TABLES.get(table.name, {})
    given = [one for one in table.columns if one.computed is None]
    return {one.name: known[one.name] if one.name in known else _value(table.name, one) for one in given}


def _value(table: str, column: Column[Any]) -> Any:
    if column.name in _SPANS:
        return 3_600
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, String):
        return f"{table}-{column.name}"[: column.type.length]
    if column.name.endswith("id"):
        return 7
    return _INSTANT if column.name in _INSTANTS else 1


def _fill(engine: Engine) -> dict[str, int]:
    """Put one row into every table; returns the number of rows of each."""
    tables = {name: table for name, table in _tables(engine).items() if name not in _NOT_FILLED}
    with transaction(engine) as connection:
        for table in tables.values():
            connection.execute(insert(table).values(**_row(table)))
    return dict.fromkeys(tables, 1)


def _schema(engine: Engine) -> dict[str, Any]:
    """Columns, keys and indexes of every table."""
    with transaction(engine, reads=True) as connection:
        found = inspect(connection)
        return {
            table: {
                "columns": {one["name"]: (str(one["type"]), one["nullable"]) for one in found.get_columns(table)},
                "key": found.get_pk_constraint(table)["constrained_columns"],
                "indexes": sorted((str(one["name"]), one["column_names"]) for one in found.get_indexes(table)),
                "unique": sorted(one["column_names"] for one in found.get_unique_constraints(table)),
            }
            for table in found.get_table_names()
            if not table.startswith("searchable_words_")
        }


def _empty(engine: Engine) -> None:
    """Drop every table."""
    if engine.dialect.name == "sqlite":
        engine.dispose()
        Path(str(engine.url.database)).unlink()
        return
    with transaction(engine) as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


def _open(database: str) -> tuple[Index, Frontier]:
    """Open a database as every command does, which brings it to today's revision."""
    frontier = Frontier.open(database)
    Runs.open(database)
    return Index(frontier.engine), frontier


@pytest.mark.parametrize("revisions", list(_combinations()), ids=lambda found: "-".join(found.values()))
def test_rows_of_an_earlier_revision_are_there_and_work(revisions: dict[str, str], database: str) -> None:
    engine = connect(database)
    for package, revision in revisions.items():
        _bring_to(engine, package, revision)
    rows = _fill(engine)
    engine.dispose()

    index, frontier = _open(database)

    with transaction(frontier.engine, reads=True) as connection:
        counts = {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in _tables(frontier.engine).items()
            if name in rows
        }
    assert counts == rows
    capture, made = index.nearest(URL, None), index.nearest_text(URL, None)
    assert capture is not None
    assert capture.date == NOW
    assert made is not None
    assert made.capture == capture.record
    with transaction(frontier.engine, reads=True) as connection:
        assert connection.execute(text("SELECT begun FROM objects")).scalar_one() == f"{NOW:%Y%m%d%H%M%S%f}"
    assert [feed.url for feed in frontier.feeds()] == [FEED]
    due = Due(now=NOW + timedelta(days=1), holder="other", held=True)
    pages, _, _ = frontier.claim_pages(due)
    assert [page.url for page in pages] == [URL]
    with transaction(frontier.engine, reads=True) as connection:
        hosts = connection.execute(text("SELECT host FROM pages")).scalars().all()
    assert hosts in (["blog.example"], ["pages-host"]), "also of pages that were known before hosts were stored"
    visit = PageVisit(
        url=URL,
        feed_id=7,
        at=NOW + timedelta(days=1),
        due=None,
        kept=True,
        status=200,
        error=None,
        failures=0,
        etag=None,
        last_modified=None,
    )
    frontier.commit([], [visit])
    known = frontier.pages([URL])[URL]
    assert known.kept
    migrated = _schema(frontier.engine)
    _empty(frontier.engine)
    assert migrated == _schema(_open(database)[1].engine), "the tables of a database that is created today"


def test_words_in_the_index_are_folded_as_queries_are(database: str) -> None:
    engine = connect(database)
    for package in PACKAGES:
        _bring_to(engine, package, "0008" if package == "archive" else _revisions(package)[-1])
    is_postgres = engine.dialect.name == "postgresql"
    texts = {1: "pociag do łodzi i lodzi", 2: "the train to the boats", 3: "l'été œuvre du cœur \ue000"}
    facets = "\ue001blog\ue003øre"
    with transaction(engine) as connection:
        for number, words in texts.items():
            row = {"id": number, "page": f"p{number}", "digest": "d", "url": URL, "host": "blog.example", "tags": "[]"}
            connection.execute(insert(_tables(engine)["searchable"]).values(**row, dated=_INSTANT, seen=_INSTANT))
            adding = "INSERT INTO searchable_words (rowid, title, body, facets) VALUES (:id, 'łódz', :body, :facets)"
            body = words
            if is_postgres:
                adding = "INSERT INTO passages (text_id, number, words) VALUES (:id, 0, CAST(:body AS tsvector))"
                placed = [f"'{word.replace(chr(39), chr(39) * 2)}':{at}" for at, word in enumerate(words.split(), 3)]
                body = " ".join(("'łódz':1A", *placed))
            connection.execute(
                text(adding), {"id": number, "body": body, **({} if is_postgres else {"facets": facets})}
            )
    engine.dispose()

    index, _ = _open(database)

    def found(*words: str) -> list[int]:
        asked, phrase = "SELECT rowid FROM searchable_words WHERE searchable_words MATCH :words", f'"{" ".join(words)}"'
        if is_postgres:
            asked = "SELECT text_id FROM passages WHERE words @@ CAST(:words AS tsquery)"
            phrase = " <-> ".join(f"'{word}'" for word in words)
        with transaction(index.engine, reads=True) as connection:
            return sorted(connection.execute(text(asked), {"words": phrase}).scalars())

    assert found("do", "lodzi", "i", "lodzi") == [1]
    assert found("oeuvre", "du", "coeur") == [3]
    assert found("lodz") == [1, 2, 3]
    assert found("train", "to") == [2]
    assert found("łodzi") == found("œuvre") == []
    if not is_postgres:
        assert found(facets) == [1, 2, 3], "names of hosts are compared as they are"
