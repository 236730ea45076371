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


def _let_numbers_grow() -> None:
    """SQLite's numbers have 64 bits anyway."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE pages ALTER COLUMN id TYPE BIGINT")
    op.execute("ALTER TABLE entries ALTER COLUMN page_id TYPE BIGINT")
    op.execute("ALTER SEQUENCE pages_id_seq AS BIGINT")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("feeds_wake", "pages_wake", "pages_wake_new"):
            op.execute(f"DROP TRIGGER {name}")
    else:
        op.execute("DROP FUNCTION feeds_wake() CASCADE")
        op.execute("DROP FUNCTION pages_wake() CASCADE")
    op.drop_table("rechecks")
    op.drop_index("pages_feed", "pages")
    op.create_index("pages_feed", "pages", ["feed_id"])
    for name in ("pages_host_visited", "pages_host_turn", "pages_turn"):
        op.drop_index(name, "pages")
    op.drop_column("pages", "turn")
