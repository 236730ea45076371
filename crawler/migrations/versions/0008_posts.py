"""Pages by the identity that the archive uses; sources, verdicts and addresses of posts; what validators belong to."""

import hashlib
import re

import sqlalchemy as sa
from alembic import op

from archive.warc.page_identity import page_key
from crawler.feeds.identity import key as entry_key

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for table in ("feeds", "pages"):
        op.add_column(table, sa.Column("validated", sa.String(64)))
    op.add_column("feeds", sa.Column("listing", sa.String(16)))
    op.add_column("feeds", sa.Column("name", sa.Text()))
    op.add_column("feeds", sa.Column("folder", sa.Text()))
    op.add_column("feeds", sa.Column("window", sa.BigInteger()))
    op.add_column("feeds", sa.Column("restless", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("pages", sa.Column("source", sa.String(8)))
    op.add_column("pages", sa.Column("verdict", sa.String(16)))
    op.add_column("pages", sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("pages", sa.Column("looks", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("pages", sa.Column("looks_since", sa.BigInteger()))
    op.add_column("entries", sa.Column("record", sa.String(64)))
    op.add_column("entries", sa.Column("seen", sa.BigInteger()))
    op.add_column("entries", sa.Column("address", sa.Text()))
    op.add_column("backfills", sa.Column("everything", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ("listed", "aside", "elsewhere", "unread"):
        op.add_column("listings", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE pages SET source = 'page' WHERE kept")
    _rename_entries()
    _rename_pages()
    _rename_deletions()
    _rename_feeds()


def _rename_entries() -> None:
    """Give entries whose key was made from a URL the key that is the same in every spelling of it."""
    connection = op.get_bind()
    entries = sa.table("entries", *(sa.column(name) for name in ("feed_id", "key", "id", "page_id")))
    pages = sa.table("pages", sa.column("id"), sa.column("url"))
    query = sa.select(entries.c.feed_id, entries.c.key, entries.c.id.label("named"), pages.c.url)
    for row in connection.execute(query.outerjoin(pages, pages.c.id == entries.c.page_id)).all():
        known = row.named or row.url or ""
        if not known.lower().startswith(("http://", "https://")) or row.key != _old_key(known):
            continue
        mine = (entries.c.feed_id == row.feed_id) & (entries.c.key == row.key)
        there = (entries.c.feed_id == row.feed_id) & (entries.c.key == entry_key(known))
        if entry_key(known) == row.key:
            continue
        if connection.execute(sa.select(entries.c.key).where(there)).first() is None:
            connection.execute(sa.update(entries).where(mine).values(key=entry_key(known)))
        else:
            connection.execute(sa.delete(entries).where(mine))


def _old_key(known: str) -> str:
    """The key that earlier versions made."""
    return hashlib.sha256(re.sub("^https?://", "//", known, flags=re.IGNORECASE).encode()).hexdigest()


def _rename_pages() -> None:
    """Give every page its new key; pages that turn out to be one are merged into the one that is archived."""
    connection = op.get_bind()
    pages = sa.table("pages", *(sa.column(name) for name in ("id", "url", "key", "kept")))
    entries = sa.table("entries", sa.column("page_id"))
    winners: dict[str, int] = {}
    losers: list[tuple[int, int]] = []
    order = sa.case((pages.c.kept, 0), else_=1)
    for row in connection.execute(sa.select(pages.c.id, pages.c.url).order_by(order, pages.c.id)).all():
        winner = winners.setdefault(page_key(row.url), row.id)
        if winner != row.id:
            losers.append((row.id, winner))
    for loser, winner in losers:
        connection.execute(sa.update(entries).where(entries.c.page_id == loser).values(page_id=winner))
        connection.execute(sa.delete(pages).where(pages.c.id == loser))
    for key, winner in winners.items():  # the losers are gone, so no row has that key already
        connection.execute(sa.update(pages).where(pages.c.id == winner).values(key=key))


def _rename_deletions() -> None:
    connection = op.get_bind()
    deletions = sa.table("deletions", sa.column("key"), sa.column("since"), sa.column("url"))
    for row in connection.execute(sa.select(deletions)).all():
        key = page_key(row.url)
        there = sa.select(deletions.c.key).where(deletions.c.key == key, deletions.c.since == row.since)
        mine = (deletions.c.key == row.key) & (deletions.c.since == row.since)
        if key == row.key:
            continue
        if connection.execute(there).first() is None:
            connection.execute(sa.update(deletions).where(mine).values(key=key))
        else:
            connection.execute(sa.delete(deletions).where(mine))


def _rename_feeds() -> None:
    """Give feeds and seeds their new keys, so that every spelling finds them; duplicates stay as they are."""
    connection = op.get_bind()
    feeds = sa.table("feeds", *(sa.column(name) for name in ("id", "url", "key")))
    seeds = sa.table("seeds", *(sa.column(name) for name in ("key", "feed_id", "url")))
    taken = set(connection.scalars(sa.select(feeds.c.key)))
    for row in connection.execute(sa.select(feeds).order_by(feeds.c.id)).all():
        key = page_key(row.url)
        if key not in taken:
            taken.add(key)
            connection.execute(sa.update(feeds).where(feeds.c.id == row.id).values(key=key))
    found = connection.execute(sa.select(seeds).order_by(seeds.c.feed_id, seeds.c.url)).all()
    names = {(row.key, row.feed_id) for row in found}
    for row in found:
        key = page_key(row.url)
        mine = (seeds.c.key == row.key) & (seeds.c.feed_id == row.feed_id)
        if (key, row.feed_id) not in names:
            names.add((key, row.feed_id))
            connection.execute(sa.update(seeds).where(mine).values(key=key))
        elif key != row.key:
            connection.execute(sa.delete(seeds).where(mine))


def downgrade() -> None:
    for name in ("listed", "aside", "elsewhere", "unread"):
        op.drop_column("listings", name)
    op.drop_column("backfills", "everything")
    for name in ("record", "seen", "address"):
        op.drop_column("entries", name)
    for name in ("source", "verdict", "shared", "looks", "looks_since", "validated"):
        op.drop_column("pages", name)
    for name in ("validated", "listing", "name", "folder", "window", "restless"):
        op.drop_column("feeds", name)
