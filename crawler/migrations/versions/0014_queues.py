"""Pages wait in queues: re-checks by host, new posts first; counts that are kept as rows change."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TURN = (
    "CASE WHEN due IS NULL THEN NULL WHEN kept THEN CASE WHEN checks = 0 AND NOT backfill THEN 0 ELSE 1 END "
    "WHEN backfill THEN 3 ELSE 2 END"
)


def upgrade() -> None:
    _let_numbers_grow()
    sqlite = op.get_bind().dialect.name == "sqlite"
    kind = "INTEGER GENERATED ALWAYS AS ({}) VIRTUAL" if sqlite else "SMALLINT GENERATED ALWAYS AS ({}) STORED"
    op.execute(f"ALTER TABLE pages ADD COLUMN turn {kind.format(_TURN)}")
    op.create_index("pages_turn", "pages", ["turn", "due", "id"])
    op.create_index("pages_host_turn", "pages", ["host", "turn", "due", "id"])
    op.create_index("pages_host_visited", "pages", ["host", "visited"])
    op.drop_index("pages_feed", "pages")
    op.create_index("pages_feed", "pages", ["feed_id", "due"])
    op.create_table(
        "rechecks",
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
    )
    op.create_index("rechecks_due", "rechecks", ["due", "host"])
    op.execute(
        "INSERT INTO rechecks (host, shard, due) SELECT host, min(shard), min(due) FROM pages WHERE turn IN (0, 1) "
        "GROUP BY host"
    )
    for statement in _WAKE_SQLITE if sqlite else _WAKE_POSTGRESQL:
        op.execute(statement)
    _count()
    for statement in _COUNT_SQLITE if sqlite else _COUNT_POSTGRESQL:
        op.execute(statement)
    _order_feeds("unverified = 1" if sqlite else "unverified")


def _count() -> None:
    """Count feeds, pages and deletions, and the posts of each feed."""
    op.create_table(
        "frontier_tallies",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "feed_tallies",
        sa.Column("feed_id", sa.Integer, sa.ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kept", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
    )
    for name, rows in (("feeds", "feeds"), ("pages", "pages"), ("vanished", "deletions WHERE restored IS NULL")):
        op.execute(f"INSERT INTO frontier_tallies (name, count) SELECT '{name}', count(*) FROM {rows}")  # noqa: S608
    counts = f"sum({_KEPT.format('')}), sum({_REFUSED.format('')})"
    op.execute(
        f"INSERT INTO feed_tallies (feed_id, kept, refused) SELECT feed_id, {counts} FROM pages "  # noqa: S608
        "WHERE feed_id IS NOT NULL GROUP BY feed_id"
    )


def _order_feeds(unverified: str) -> None:
    """Indexes for lists and counts of feeds, alarms and deletions."""
    op.drop_index("feeds_due", "feeds")
    op.create_index("feeds_due", "feeds", ["paused", "due", "id"])
    op.create_index("feeds_added", "feeds", ["added", "id"])
    op.create_index("feeds_failures", "feeds", ["failures"])
    partial = (
        ("feeds_error", "feeds", ["id"], "error IS NOT NULL"),
        ("feeds_unverified", "feeds", ["id"], unverified),
        ("alarms_active", "alarms", ["since", "key"], "ended IS NULL"),
        ("deletions_open", "deletions", ["since", "key"], "restored IS NULL"),
    )
    for name, table, columns, where in partial:
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index("alarms_key", "alarms", ["key"])


_WAKE = """INSERT INTO rechecks (host, shard, due) VALUES (NEW.host, NEW.shard, NEW.due)
ON CONFLICT (host) DO UPDATE SET due = excluded.due WHERE excluded.due < rechecks.due;"""
_WAKE_ALL = """INSERT INTO rechecks (host, shard, due)
SELECT host, min(shard), min(due) FROM pages WHERE feed_id = NEW.id AND turn IN (0, 1) GROUP BY host
ON CONFLICT (host) DO UPDATE SET due = excluded.due WHERE excluded.due < rechecks.due;"""
_IS_RECHECK = "NEW.kept AND NEW.due IS NOT NULL"

_ON_WAKE = "AFTER UPDATE OF due, kept, host ON pages"
_ON_RESUME = "AFTER UPDATE OF paused ON feeds"
_RESUMED = "OLD.paused AND NOT NEW.paused"

_WAKE_SQLITE = (
    f"CREATE TRIGGER pages_wake_new AFTER INSERT ON pages WHEN {_IS_RECHECK} BEGIN {_WAKE} END",
    f"CREATE TRIGGER pages_wake {_ON_WAKE} WHEN {_IS_RECHECK} BEGIN {_WAKE} END",
    f"CREATE TRIGGER feeds_wake {_ON_RESUME} WHEN {_RESUMED} BEGIN {_WAKE_ALL} END",
)

_EACH = "FOR EACH ROW WHEN ({}) EXECUTE FUNCTION {}()"
_WAKE_POSTGRESQL = (
    f"CREATE FUNCTION pages_wake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_WAKE} RETURN NULL; END $$",
    f"CREATE TRIGGER pages_wake_new AFTER INSERT ON pages {_EACH.format(_IS_RECHECK, 'pages_wake')}",
    f"CREATE TRIGGER pages_wake {_ON_WAKE} {_EACH.format(_IS_RECHECK, 'pages_wake')}",
    f"CREATE FUNCTION feeds_wake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_WAKE_ALL} RETURN NULL; END $$",
    f"CREATE TRIGGER feeds_wake {_ON_RESUME} {_EACH.format(_RESUMED, 'feeds_wake')}",
)


_IF = "CASE WHEN {} THEN 1 ELSE 0 END"
_KEPT = _IF.format("{0}kept OR {0}source IS NOT NULL")
_HAD = "{0}kept AND coalesce({0}source, 'page') = 'page'"
_NOT_HAD = (
    "({0}error IS NOT NULL AND {0}failures > 0) OR ({0}verdict IS NOT NULL AND {0}verdict NOT IN ('media', 'foreign'))"
)
_REFUSED = _IF.format(f"NOT ({_HAD}) AND ({_NOT_HAD})")


def _of(row: str) -> tuple[str, str]:
    return _KEPT.format(f"{row}."), _REFUSED.format(f"{row}.")


def _sqlite_counts() -> list[str]:
    made = []
    for table, name in (("feeds", "feeds"), ("pages", "pages")):
        for of, when, change in (("more", "INSERT", "+ 1"), ("less", "DELETE", "- 1")):
            counted = f"UPDATE frontier_tallies SET count = count {change} WHERE name = '{name}';"  # noqa: S608
            made.append(f"CREATE TRIGGER {table}_{of} AFTER {when} ON {table} BEGIN {counted} END")
    for of, when, change in (
        ("more", "INSERT", "+ (NEW.restored IS NULL)"),
        ("less", "DELETE", "- (OLD.restored IS NULL)"),
        ("back", "UPDATE OF restored", "+ (NEW.restored IS NULL) - (OLD.restored IS NULL)"),
    ):
        counted = f"UPDATE frontier_tallies SET count = count {change} WHERE name = 'vanished';"  # noqa: S608
        made.append(f"CREATE TRIGGER deletions_{of} AFTER {when} ON deletions BEGIN {counted} END")
    (new_kept, new_refused), (old_kept, old_refused) = _of("NEW"), _of("OLD")
    more = (
        "INSERT INTO feed_tallies (feed_id, kept, refused) "
        f"SELECT NEW.feed_id, {new_kept}, {new_refused} WHERE NEW.feed_id IS NOT NULL "
        "ON CONFLICT (feed_id) DO UPDATE SET kept = kept + excluded.kept, refused = refused + excluded.refused;"
    )
    less = (
        f"UPDATE feed_tallies SET kept = kept - {old_kept}, refused = refused - {old_refused} "  # noqa: S608
        "WHERE feed_id = OLD.feed_id;"
    )
    changed = f"({new_kept}) <> ({old_kept}) OR ({new_refused}) <> ({old_refused}) OR OLD.feed_id IS NOT NEW.feed_id"
    columns = "kept, source, error, failures, verdict, feed_id"
    made.append(f"CREATE TRIGGER pages_had_new AFTER INSERT ON pages BEGIN {more} END")
    made.append(f"CREATE TRIGGER pages_had_gone AFTER DELETE ON pages BEGIN {less} END")
    made.append(f"CREATE TRIGGER pages_had AFTER UPDATE OF {columns} ON pages WHEN {changed} BEGIN {less} {more} END")
    return made


_COUNT_SQLITE = tuple(_sqlite_counts())
_FUNCTION = "CREATE FUNCTION {} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NULL; END $$"
_STATEMENT = "FOR EACH STATEMENT EXECUTE FUNCTION"
_ADDED, _REMOVED = "NEW TABLE AS added", "OLD TABLE AS removed"
_ROWS = (
    "IF EXISTS (SELECT 1 FROM {0}) THEN UPDATE frontier_tallies SET count = count {1} (SELECT count(*) FROM {0}) "
    "WHERE name = TG_TABLE_NAME; END IF;"
)
_OPEN = "(SELECT count(*) FROM {} WHERE restored IS NULL)"
_VANISHED = "IF {0} <> 0 THEN UPDATE frontier_tallies SET count = count + {0} WHERE name = 'vanished'; END IF;"


def _postgresql_counts() -> list[str]:
    more, less = _OPEN.format("added"), _OPEN.format("removed")
    functions = {
        "frontier_more": _ROWS.format("added", "+"),
        "frontier_less": _ROWS.format("removed", "-"),
        "deletions_more": _VANISHED.format(more),
        "deletions_less": _VANISHED.format(f"(- {less})"),
        "deletions_back": _VANISHED.format(f"({more} - {less})"),
        "pages_had_new": _change_of_feeds(_change("added", 1)),
        "pages_had_gone": _change_of_feeds(_change("removed", -1)),
        "pages_had": _change_of_feeds(f"{_change('added', 1)} UNION ALL {_change('removed', -1)}"),
    }
    made = [_FUNCTION.format(f"{name}()", body) for name, body in functions.items()]
    for name, when, table, rows, function in (
        ("feeds_more", "INSERT", "feeds", _ADDED, "frontier_more"),
        ("feeds_less", "DELETE", "feeds", _REMOVED, "frontier_less"),
        ("pages_more", "INSERT", "pages", _ADDED, "frontier_more"),
        ("pages_less", "DELETE", "pages", _REMOVED, "frontier_less"),
        ("deletions_more", "INSERT", "deletions", _ADDED, "deletions_more"),
        ("deletions_less", "DELETE", "deletions", _REMOVED, "deletions_less"),
        ("deletions_back", "UPDATE", "deletions", f"{_REMOVED} {_ADDED}", "deletions_back"),
        ("pages_had_new", "INSERT", "pages", _ADDED, "pages_had_new"),
        ("pages_had_gone", "DELETE", "pages", _REMOVED, "pages_had_gone"),
        ("pages_had", "UPDATE", "pages", f"{_REMOVED} {_ADDED}", "pages_had"),
    ):
        made.append(f"CREATE TRIGGER {name} AFTER {when} ON {table} REFERENCING {rows} {_STATEMENT} {function}()")
    return made


def _change(rows: str, sign: int) -> str:
    kept, refused = _of(rows)
    columns = f"{rows}.feed_id, {sign} * ({kept}) AS kept, {sign} * ({refused}) AS refused"
    # A feed that is removed takes its counts with it.
    return f"SELECT {columns} FROM {rows} WHERE EXISTS (SELECT 1 FROM feeds WHERE feeds.id = {rows}.feed_id)"  # noqa: S608


def _change_of_feeds(changes: str) -> str:
    return (
        "INSERT INTO feed_tallies AS known (feed_id, kept, refused) "  # noqa: S608
        f"SELECT feed_id, sum(kept), sum(refused) FROM ({changes}) AS changes GROUP BY feed_id "
        "HAVING sum(kept) <> 0 OR sum(refused) <> 0 ORDER BY feed_id "
        "ON CONFLICT (feed_id) DO UPDATE "
        "SET kept = known.kept + excluded.kept, refused = known.refused + excluded.refused;"
    )


_COUNT_POSTGRESQL = tuple(_postgresql_counts())


def _let_numbers_grow() -> None:
    """SQLite's numbers have 64 bits anyway."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE pages ALTER COLUMN id TYPE BIGINT")
    op.execute("ALTER TABLE entries ALTER COLUMN page_id TYPE BIGINT")
    op.execute("ALTER SEQUENCE pages_id_seq AS BIGINT")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        triggers = [statement.split()[2] for statement in (*_WAKE_SQLITE, *_COUNT_SQLITE)]
        for name in triggers:
            op.execute(f"DROP TRIGGER {name}")
    else:
        made = [statement.split()[2] for statement in (*_WAKE_POSTGRESQL, *_COUNT_POSTGRESQL)]
        for name in (one for one in made if one.endswith("()")):
            op.execute(f"DROP FUNCTION {name} CASCADE")
    for table, names in (
        ("deletions", ("deletions_open",)),
        ("alarms", ("alarms_active", "alarms_key")),
        ("feeds", ("feeds_unverified", "feeds_error", "feeds_failures", "feeds_added", "feeds_due")),
        ("pages", ("pages_feed", "pages_host_visited", "pages_host_turn", "pages_turn")),
    ):
        for name in names:
            op.drop_index(name, table)
    op.create_index("feeds_due", "feeds", ["due"])
    op.create_index("pages_feed", "pages", ["feed_id"])
    for name in ("feed_tallies", "frontier_tallies", "rechecks"):
        op.drop_table(name)
    op.drop_column("pages", "turn")
