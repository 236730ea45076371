"""The database behind index and frontier: one engine, one type for instants, migrations.

SQLite by default, PostgreSQL for many machines. It is a cache of the object store and can be rebuilt.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Integer,
    Row,
    Select,
    Text,
    cast,
    column,
    create_engine,
    event,
    insert,
    inspect,
    text,
    update,
    values,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.types import TypeDecorator

from archive.errors import DatabaseError, LockedError, SettingsError
from archive.runtime.console import masked
from archive.runtime.database_fault import fault
from archive.runtime.durable import opened_private, private_folder
from archive.runtime.storable import storable

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
    from sqlalchemy.engine import Dialect
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry
    from sqlalchemy.sql.schema import Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_SECONDS = 2**31 - 1
log = logging.getLogger(__name__)

_BUSY_MILLISECONDS = 30_000
_IDLE_SECONDS = 60.0
"""How long a transaction may stand still in PostgreSQL. A machine suspended within one would hold its locks, and
thereby all other machines, until it wakes up; it tries again then."""
_BULK_KILOBYTES = 400_000
"""Memory for pages of an SQLite file while an index is made anew; by default it is 2,000."""
_READS = "pressmark_reads"
_MIGRATION_LOCK = 0x50524D4B  # "PRMK": one PostgreSQL advisory lock for all migrations

_PART = 500
"""Values of one statement."""
_PARAMETERS = 15_000
"""Parameters of one statement: SQLite allows 32,766, the PostgreSQL driver 32,767."""

V = TypeVar("V")


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as microseconds since 1970: the same order and precision in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Microseconds of an aware datetime."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Aware UTC datetime."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Seconds(TypeDecorator[timedelta]):
    """A length of time, stored as whole seconds."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Whole seconds, up to the number that every database can store."""
        return None if value is None else min(round(value.total_seconds()), _MAX_SECONDS)

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:  # noqa: ARG002
        """The value as it was stored."""
        return None if value is None else timedelta(seconds=value)


class Words(TypeDecorator[str]):
    """Text from anywhere: what a database cannot store (NUL, lone surrogates) is dropped or replaced on the way in."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Text that PostgreSQL and SQLite accept."""
        return None if value is None else storable(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """The value as it was stored."""
        return value


def connect(url: str) -> Engine:
    """An engine for a database URL; nothing is opened yet.

    A PostgreSQL URL without a driver uses pg8000.

    Raises:
        SettingsError: The URL cannot be used.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+pg8000")
        if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
            _make_private_file(Path(parsed.database))
        engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (ArgumentError, NoSuchModuleError, ImportError) as e:
        raise SettingsError(
            f"PRESSMARK_DATABASE={masked(url)}: {masked(str(e))}",
            hint="Use sqlite:///PATH or postgresql://USER@HOST/DATABASE.",
        ) from e
    except OSError as e:
        raise DatabaseError(
            e.strerror or str(e), url=url, hint="Make the folder writable, or set PRESSMARK_HOME to another."
        ) from e
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = {round(_IDLE_SECONDS * 1000)}")
    cursor.close()
    connection.commit()


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes late and skips DDL; ours is in _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    # With less, a power failure could undo a commit whose spool files are deleted by then.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that first reads and then writes would fail at once if another one wrote in between.
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine, *, reads: bool = False) -> Iterator[Connection]:
    """A transaction that commits at the end of the block and rolls back when it raises.

    Args:
        engine: From `connect`.
        reads: It only reads, so it waits for no writer.

    Raises:
        DatabaseError: The database is unreachable, full, locked for too long, or refuses the operation.
    """
    try:
        with engine.connect().execution_options(**{_READS: reads}) as connection, connection.begin():
            yield connection
    except SQLAlchemyError as e:
        found = fault(e)
        raise DatabaseError(
            _reason(e), url=shown(engine.url), hint=found.hint, temporary=found.temporary, rejected=found.rejected
        ) from e
    except OSError as e:  # pg8000 passes on the socket's own errors
        raise DatabaseError(str(e), url=shown(engine.url), hint="Is the database up?", temporary=True) from e


def database_time(connection: Connection) -> datetime:
    """The database's clock now, not when the transaction began: the one clock that all machines share.

    SQLite has none of its own; its file belongs to one machine, whose clock it is.
    """
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    asked = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
    return _EPOCH + timedelta(microseconds=int(connection.execute(asked).scalar_one()))


@contextmanager
def bulk(engine: Engine) -> Iterator[None]:
    """While an index is made anew, let SQLite use more memory, and sync at checkpoints only.

    A power failure may then undo the last transactions, never half of one; the same command makes them again.
    """
    if engine.dialect.name != "sqlite" or engine.url.database in {None, "", ":memory:"}:
        yield
        return

    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: object = None) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA cache_size=-{_BULK_KILOBYTES}")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()

    event.listen(engine, "checkout", prepare)
    try:
        yield
    finally:
        event.remove(engine, "checkout", prepare)
        engine.dispose()  # later connections are as usual


@contextmanager
def turn(engine: Engine, number: int, *, what: str) -> Iterator[None]:
    """Hold a lock of a PostgreSQL server as long as its session lasts; an SQLite file serves one machine, and has none.

    Args:
        engine: From `connect`.
        number: The advisory lock.
        what: What runs under it, for the message.

    Raises:
        LockedError: Another session holds it.
        DatabaseError: The database failed.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    try:
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        taken = connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar()
    except (SQLAlchemyError, OSError) as e:
        raise DatabaseError(str(e).splitlines()[0], url=shown(engine.url), temporary=True) from e
    try:
        if not taken:
            raise LockedError(f"another {what} is running", hint="Wait until it has ended.")
        yield
    finally:
        connection.invalidate()  # ends the session, and with it the lock, whatever state it is in
        connection.close()


def in_parts(values: Iterable[V]) -> Iterator[list[V]]:
    """Values in lists short enough for one statement: SQLite allows a limited number of parameters."""
    found = list(values)
    for start in range(0, len(found), _PART):
        yield found[start : start + _PART]


def fetch(engine: Engine, query: Select[Any], **parameters: object) -> list[Row[Any]]:
    """Every row that a query finds, in a read-only transaction of its own.

    Raises:
        DatabaseError: As for `transaction`.
    """
    with transaction(engine, reads=True) as connection:
        return list(connection.execute(query, parameters))


def shown(url: URL) -> str:
    """A database URL without its password."""
    return url.render_as_string(hide_password=True)


def _reason(e: SQLAlchemyError) -> str:
    if not isinstance(e, DBAPIError) or e.orig is None:
        return str(e).splitlines()[0]
    # pg8000 gives the server's error as a dict, with the message under M.
    first = e.orig.args[0] if e.orig.args else e.orig
    return str(first.get("M", first) if isinstance(first, dict) else first).strip().splitlines()[0]


def upsert(engine: Engine, table: Table) -> SqliteInsert | PostgresInsert:
    """An INSERT that supports ON CONFLICT, in the engine's dialect."""
    if engine.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    return sqlite.insert(table)


def _make_private_file(path: Path) -> None:
    """Make the file of a new SQLite database, which only its owner may read; SQLite's other files follow its mode.

    Its folder is made too, closed to others like the home folder that it usually is.
    """
    if not path.parent.exists():
        private_folder(path.parent)
    with suppress(FileExistsError):
        os.close(opened_private(str(path), os.O_RDWR | os.O_CREAT | os.O_EXCL))


def make_private(engine: Engine) -> None:
    """Let only its owner read an SQLite file: it contains secrets from now on."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return
    for file in (path, f"{path}-wal", f"{path}-shm"):
        try:
            Path(file).chmod(0o600)
        except FileNotFoundError:
            continue
        except OSError as e:
            log.warning("database file cannot be made private file=%s error=%s", file, e)


def insert_all(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; there may be none."""
    if rows:
        connection.execute(insert(table), rows)


def upsert_all(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str] = (),
    change: Collection[str] = (),
) -> None:
    """Insert rows, many with one statement.

    On PostgreSQL each row takes a number from the table's sequence, also one that is there already: of tables with
    numbers, insert only what is not known.

    Args:
        connection: A transaction.
        table: The table.
        rows: All with the same columns; none has the key of another one.
        keys: Columns by which a row that is there already is recognized.
        change: Columns that such a row takes over; by default it stays as it is.
    """
    for part in _in_statements(rows):
        adding = upsert(connection.engine, table).values([dict(row) for row in part])
        if change:
            taken = {name: adding.excluded[name] for name in change}
            connection.execute(adding.on_conflict_do_update(index_elements=list(keys), set_=taken))
        else:
            connection.execute(adding.on_conflict_do_nothing())


def update_all(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]], *, by: str = "id") -> None:
    """Change rows, each in its own way, many with one statement.

    Args:
        connection: A transaction.
        table: The table.
        rows: The column `by` and those that change; rows with the same columns are changed together.
        by: Column by which rows are recognized.
    """
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        alike.setdefault(tuple(sorted(row)), []).append(row)
    for names, some in alike.items():
        for part in _in_statements(some):
            given = (
                values(*(column(name, table.c[name].type) for name in names), name="given")
                .data([tuple(row[name] for name in names) for row in part])
                .cte("given")
            )
            # A column of nothing but NULL would have no type.
            change = {name: cast(given.c[name], table.c[name].type) for name in names if name != by}
            connection.execute(update(table).where(table.c[by] == given.c[by]).values(change))


def _in_statements(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Rows in lists that one statement can take."""
    size = max(1, min(_PART, _PARAMETERS // max(1, len(rows[0])))) if rows else 1
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def optimize(engine: Engine) -> None:
    """Let the database update its statistics, and SQLite checkpoint its log into the file.

    Raises:
        DatabaseError: The database failed.
    """
    sqlite_file = engine.dialect.name == "sqlite"
    commands = ("PRAGMA optimize", "PRAGMA wal_checkpoint(TRUNCATE)") if sqlite_file else ("ANALYZE",)
    try:
        # Not in a transaction: SQLite would refuse it.
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            for command in commands:
                cursor.execute(command)
                if cursor.description:
                    cursor.fetchall()
            connection.commit()
        finally:
            connection.close()
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as e:
        raise DatabaseError(str(e), url=shown(engine.url), temporary=True) from e


def migrate(engine: Engine, package: str, head: str) -> None:
    """Bring the tables of one package to revision `head` by its `migrations` folder.

    Each package has its own line of revisions, in the table `PACKAGE_revision`.

    Raises:
        DatabaseError: It is unreachable, or was created by a newer version of Pressmark.
    """
    version_table = f"{package}_revision"
    with transaction(engine, reads=True) as connection:
        if _revision(connection, version_table) == head:
            return
    with transaction(engine) as connection:  # in SQLite this waits for another process that is migrating
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        if _revision(connection, version_table) != head:
            _upgrade(connection, package, version_table, shown(engine.url))


def _revision(connection: Connection, version_table: str) -> str | None:
    if not inspect(connection).has_table(version_table):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {version_table}"))  # noqa: S608  a constant name
    return found.scalar_one_or_none()


def _upgrade(connection: Connection, package: str, version_table: str, url: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, version_table=version_table)
    try:
        command.upgrade(config, "head")
    except CommandError as e:
        raise DatabaseError(str(e), url=url, hint="Upgrade Pressmark, or name another database.") from e


def run_migrations(package: str) -> None:
    """Run by the `env.py` of each package's migrations."""
    context = import_module("alembic.context")
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        version_table=attributes.get("version_table", f"{package}_revision"),
    )
    with context.begin_transaction():
        context.run_migrations()
