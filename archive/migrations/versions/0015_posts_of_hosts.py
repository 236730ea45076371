"""Counting the posts of a host asks for the texts of the page, not for all of the host's (SQLite).

Without the sign before `host`, SQLite takes the index of hosts, and each new text costs as much as its host has texts.
"""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    _count_again("+host")


def downgrade() -> None:
    _count_again("host")


def _count_again(host: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    more, less = _more(host), _less(host)
    for name, when, counted in (
        ("more", "AFTER INSERT", more),
        ("less", "AFTER DELETE", less),
        ("moved", "AFTER UPDATE OF page, host, language", f"{less} {more}"),
    ):
        op.execute(f"DROP TRIGGER searchable_{name}")
        op.execute(f"CREATE TRIGGER searchable_{name} {when} ON searchable BEGIN {counted} END")


def _more(host: str) -> str:
    added = "ON CONFLICT (kind, name) DO UPDATE SET count = count + 1"
    others = f"SELECT 1 FROM searchable WHERE page = NEW.page AND {host} = NEW.host AND id <> NEW.id"  # noqa: S608
    return (
        f"INSERT INTO tallies (kind, name, count) SELECT 'posts', NEW.host, 1 WHERE NOT EXISTS ({others}) {added}; "
        "INSERT INTO tallies (kind, name, count) SELECT 'language', NEW.language, 1 "
        f"WHERE NEW.language IS NOT NULL {added};"
    )


def _less(host: str) -> str:
    left = f"SELECT 1 FROM searchable WHERE page = OLD.page AND {host} = OLD.host AND id <> OLD.id"  # noqa: S608
    return (
        "UPDATE tallies SET count = count - 1 WHERE kind = 'posts' AND name = OLD.host "  # noqa: S608
        f"AND NOT EXISTS ({left}); "
        "UPDATE tallies SET count = count - 1 WHERE kind = 'language' AND name = OLD.language; "
        "DELETE FROM tallies WHERE count <= 0 AND kind = 'posts' AND name = OLD.host; "
        "DELETE FROM tallies WHERE count <= 0 AND kind = 'language' AND name = OLD.language;"
    )
