"""What an error of the database means: an outage, its operator's affair, or values that it cannot store."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import IntegrityError

from archive.errors import ArchiveError, DatabaseError, ObjectExistsError, StoreBusyError, StoreRefusedError
from archive.runtime.database import connect, transaction
from archive.runtime.database_fault import fault


def error(engine: Engine, *commands: str) -> DatabaseError:
    """What the last of some commands in one transaction fails with."""

    def run() -> None:
        with transaction(engine) as connection:
            for command in commands:
                connection.execute(text(command))

    with pytest.raises(DatabaseError) as caught:
        run()
    return caught.value


def nature(e: ArchiveError) -> str:
    assert not (e.temporary and e.rejected)
    return "temporary" if e.temporary else "rejected" if e.rejected else "operator"


@pytest.fixture
def postgresql(postgres_database: str) -> Engine:
    return connect(postgres_database)


@pytest.mark.parametrize(
    ("commands", "kind", "hint"),
    [
        (["SET TRANSACTION READ ONLY", "CREATE TABLE t (a int)"], "temporary", "standby"),
        (["CREATE SEQUENCE s AS int MAXVALUE 2", "SELECT nextval('s'), nextval('s'), nextval('s')"], "operator", "bigint"),
        (["CREATE ROLE guest_of_{name}", "CREATE TABLE t (a int)", "SET LOCAL ROLE guest_of_{name}", "SELECT * FROM t"],
         "operator", "owns the tables"),
        (["SELECT * FROM not_there_yet"], "temporary", "another version"),
        (["SET LOCAL statement_timeout = 1", "SELECT pg_sleep(1)"], "temporary", None),
        (["SELECT pg_terminate_backend(pg_backend_pid())"], "temporary", None),
        (["CREATE TABLE t (id serial PRIMARY KEY)", "INSERT INTO t VALUES (1)", "INSERT INTO t DEFAULT VALUES"],
         "operator", "sequence"),
        (["CREATE TABLE t (a text UNIQUE)", "INSERT INTO t VALUES ('x')", "INSERT INTO t VALUES ('x')"],
         "rejected", None),
        (["CREATE TABLE t (a int NOT NULL)", "INSERT INTO t VALUES (NULL)"], "rejected", None),
        (["SELECT 2147483647 + 1"], "rejected", None),
        (["SELECT convert_from('\\xff'::bytea, 'UTF8')"], "rejected", None),
    ],
)  # fmt: skip
def test_postgresql_is_believed(postgresql: Engine, commands: list[str], kind: str, hint: str | None) -> None:
    name = postgresql.url.database or ""
    e = error(postgresql, *(command.replace("{name}", name) for command in commands))
    assert nature(e) == kind, e
    assert hint is None or hint in (e.hint or "")


def test_wrong_credentials_and_a_missing_database_are_their_operators_affair(postgres_database: str) -> None:
    e = error(connect(str(make_url(postgres_database).set(database="none_of_that_name"))), "SELECT 1")
    assert nature(e) == "operator"
    assert "Create the database" in (e.hint or "")


def test_a_server_that_is_down_is_temporary() -> None:
    assert nature(error(connect("postgresql://nobody@127.0.0.1:9/x"), "SELECT 1")) == "temporary"


@pytest.mark.parametrize(
    ("commands", "kind"),
    [
        (["PRAGMA query_only = ON", "CREATE TABLE t (a)"], "temporary"),
        (["SELECT * FROM not_there_yet"], "temporary"),
        (["CREATE TABLE t (a UNIQUE)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)"], "rejected"),
        (["CREATE TABLE t (a NOT NULL)", "INSERT INTO t VALUES (NULL)"], "rejected"),
        (["SELECT zeroblob(2000000000)"], "rejected"),
    ],
)
def test_sqlite_is_believed(tmp_path: Path, commands: list[str], kind: str) -> None:
    assert nature(error(connect(f"sqlite:///{tmp_path / 'x.db'}"), *commands)) == kind


@pytest.mark.parametrize("damage", ["header", "pages"])
def test_a_damaged_file_is_its_operators_affair_and_the_remedy_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE t (a)")
        made.executemany("INSERT INTO t VALUES (?)", [("x" * 3000,)] * 20)
    made.close()
    data = bytearray(path.read_bytes())
    begin, end = (0, 100) if damage == "header" else (4096, len(data))
    data[begin:end] = b"\xff" * (end - begin)
    path.write_bytes(data)
    e = error(connect(f"sqlite:///{path}"), "SELECT * FROM t")
    assert nature(e) == "operator", e
    assert "pressmark reindex" in (e.hint or "")


def test_a_value_that_no_database_was_given_yet_is_rejected() -> None:
    from sqlalchemy.exc import StatementError

    assert fault(StatementError("bad value", "INSERT", {}, OverflowError())).rejected
    assert not fault(IntegrityError("INSERT", {}, Exception("unknown driver"))).temporary


def test_only_a_store_that_has_other_bytes_rejects_what_it_is_given() -> None:
    where = {"location": "file:x", "key": "a"}
    assert nature(ObjectExistsError("other bytes", **where)) == "rejected"
    assert nature(StoreBusyError("busy", **where)) == "temporary"
    assert nature(StoreRefusedError("denied", **where)) == "operator"
