"""Counts that are kept as rows change, and an index of the responses that revisits can refer to."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_TABLES = ("captures", "texts", "objects")


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.create_index("tallies_count", "tallies", ["kind", "count"])
    op.create_index("searchable_host_seen", "searchable", ["host", "seen"])
    whole = sa.text("kind = 'response' AND truncated IS NULL AND fault IS NULL")
    op.create_index("captures_whole", "captures", ["digest", "date"], sqlite_where=whole, postgresql_where=whole)
    for table in _TABLES:
        op.execute(f"INSERT INTO tallies (kind, name, count) SELECT 'rows', '{table}', count(*) FROM {table}")  # noqa: S608  our own names
    op.execute(
        "INSERT INTO tallies (kind, name, count) "
        "SELECT 'posts', host, count(DISTINCT page) FROM searchable GROUP BY host"
    )
    op.execute(
        "INSERT INTO tallies (kind, name, count) "
        "SELECT 'language', language, count(*) FROM searchable WHERE language IS NOT NULL GROUP BY language"
    )
    if op.get_bind().dialect.name == "sqlite":
        for statement in _sqlite():
            op.execute(statement)
        return
    for statement in _POSTGRESQL:
        op.execute(statement)
    for table, column in (("objects", "id"), ("captures", "object_id"), ("texts", "object_id"),
                          ("searchable", "id"), ("passages", "text_id")):  # fmt: skip
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE BIGINT")
    for table in ("objects", "searchable"):
        op.execute(f"ALTER SEQUENCE {table}_id_seq AS BIGINT")


def _sqlite() -> list[str]:
    made = []
    for table in _TABLES:
        for name, when, change in (("more", "INSERT", "+ 1"), ("less", "DELETE", "- 1")):
            counted = f"UPDATE tallies SET count = count {change} WHERE kind = 'rows' AND name = '{table}';"  # noqa: S608
            made.append(f"CREATE TRIGGER {table}_{name} AFTER {when} ON {table} BEGIN {counted} END")
    more, less = _more_of_text(), _less_of_text()
    made.append(f"CREATE TRIGGER searchable_more AFTER INSERT ON searchable BEGIN {more} END")
    made.append(f"CREATE TRIGGER searchable_less AFTER DELETE ON searchable BEGIN {less} END")
    moved = "AFTER UPDATE OF page, host, language ON searchable"
    made.append(f"CREATE TRIGGER searchable_moved {moved} BEGIN {less} {more} END")
    return made


def _more_of_text() -> str:
    added = "ON CONFLICT (kind, name) DO UPDATE SET count = count + 1"
    others = "SELECT 1 FROM searchable WHERE page = NEW.page AND host = NEW.host AND id <> NEW.id"
    return (
        f"INSERT INTO tallies (kind, name, count) SELECT 'posts', NEW.host, 1 WHERE NOT EXISTS ({others}) {added}; "
        "INSERT INTO tallies (kind, name, count) SELECT 'language', NEW.language, 1 "
        f"WHERE NEW.language IS NOT NULL {added};"
    )


def _less_of_text() -> str:
    # After a change the row itself is among those that are left, if its page and host are the same.
    left = "SELECT 1 FROM searchable WHERE page = OLD.page AND host = OLD.host AND id <> OLD.id"
    return (
        "UPDATE tallies SET count = count - 1 WHERE kind = 'posts' AND name = OLD.host "  # noqa: S608
        f"AND NOT EXISTS ({left}); "
        "UPDATE tallies SET count = count - 1 WHERE kind = 'language' AND name = OLD.language; "
        "DELETE FROM tallies WHERE count <= 0 AND kind = 'posts' AND name = OLD.host; "
        "DELETE FROM tallies WHERE count <= 0 AND kind = 'language' AND name = OLD.language;"
    )


_FUNCTION = "CREATE FUNCTION {} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NULL; END $$"
_ADDED, _REMOVED = "NEW TABLE AS added", "OLD TABLE AS removed"
_EACH = "FOR EACH STATEMENT EXECUTE FUNCTION"


def _trigger(name: str, when: str, table: str, rows: str, function: str) -> str:
    return f"CREATE TRIGGER {name} AFTER {when} ON {table} REFERENCING {rows} {_EACH} {function}"


_COUNT = "IF EXISTS (SELECT 1 FROM {0}) THEN UPDATE tallies SET count = count {1} (SELECT count(*) FROM {0}) "
_OF_TABLE = "WHERE kind = 'rows' AND name = TG_TABLE_NAME; END IF;"
_MORE_OF_TEXT = """
INSERT INTO tallies AS known (kind, name, count)
SELECT 'posts', host, count(*) FROM (
    SELECT DISTINCT host, page FROM added WHERE NOT EXISTS (
        SELECT 1 FROM searchable s WHERE s.page = added.page AND s.host = added.host
        AND s.id NOT IN (SELECT id FROM added))) AS fresh
GROUP BY host ORDER BY host ON CONFLICT (kind, name) DO UPDATE SET count = known.count + excluded.count;
INSERT INTO tallies AS known (kind, name, count)
SELECT 'language', language, count(*) FROM added WHERE language IS NOT NULL
GROUP BY language ORDER BY language ON CONFLICT (kind, name) DO UPDATE SET count = known.count + excluded.count;
"""
_LESS_OF_TEXT = """
UPDATE tallies SET count = tallies.count - gone.many FROM (
    SELECT host, count(*) AS many FROM (
        SELECT DISTINCT host, page FROM removed WHERE NOT EXISTS (
            SELECT 1 FROM searchable s WHERE s.page = removed.page AND s.host = removed.host
            AND s.id NOT IN (SELECT id FROM removed))) AS pairs GROUP BY host) AS gone
WHERE tallies.kind = 'posts' AND tallies.name = gone.host;
UPDATE tallies SET count = tallies.count - gone.many FROM (
    SELECT language, count(*) AS many FROM removed WHERE language IS NOT NULL GROUP BY language) AS gone
WHERE tallies.kind = 'language' AND tallies.name = gone.language;
DELETE FROM tallies WHERE count <= 0 AND kind = 'posts' AND name IN (SELECT host FROM removed);
DELETE FROM tallies WHERE count <= 0 AND kind = 'language' AND name IN (SELECT language FROM removed);
"""
_POSTGRESQL = (
    _FUNCTION.format("rows_more()", _COUNT.format("added", "+") + _OF_TABLE),
    _FUNCTION.format("rows_less()", _COUNT.format("removed", "-") + _OF_TABLE),
    *(_trigger(f"{table}_more", "INSERT", table, _ADDED, "rows_more()") for table in _TABLES),
    *(_trigger(f"{table}_less", "DELETE", table, _REMOVED, "rows_less()") for table in _TABLES),
    _FUNCTION.format("searchable_more()", _MORE_OF_TEXT),
    _FUNCTION.format("searchable_less()", _LESS_OF_TEXT),
    _FUNCTION.format("searchable_moved()", _LESS_OF_TEXT + _MORE_OF_TEXT),
    _trigger("searchable_more", "INSERT", "searchable", _ADDED, "searchable_more()"),
    _trigger("searchable_less", "DELETE", "searchable", _REMOVED, "searchable_less()"),
    _trigger("searchable_moved", "UPDATE", "searchable", f"{_REMOVED} {_ADDED}", "searchable_moved()"),
)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in _TABLES:
            op.execute(f"DROP TRIGGER {table}_more")
            op.execute(f"DROP TRIGGER {table}_less")
        for name in ("more", "less", "moved"):
            op.execute(f"DROP TRIGGER searchable_{name}")
    else:
        for name in ("rows_more", "rows_less", "searchable_more", "searchable_less", "searchable_moved"):
            op.execute(f"DROP FUNCTION {name}() CASCADE")
    op.drop_index("captures_whole", "captures")
    op.drop_index("searchable_host_seen", "searchable")
    op.drop_table("tallies")
