"""Tables of changes, watches and deliveries. No I/O."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, UniqueConstraint

from archive.runtime.database import Instant, Words

metadata = MetaData()

_NUMBER = BigInteger().with_variant(Integer, "sqlite")

changes = Table(
    "changes",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("page", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("url", Words, nullable=False),
    Column("host", String(255), nullable=False),
    Column("title", Words),
    Column("tags", Words, nullable=False),
    Column("edits", Words, nullable=False),
    Column("size", Integer, nullable=False),
    Column("detail", Words, nullable=False),
    UniqueConstraint("page", "kind", "at"),
    Index("changes_at", "at", "id"),
    Index("changes_host", "host", "at", "id"),
)
"""What happened to posts. `tags` is a JSON list, `edits` one of triples: class, before, after."""

watches = Table(
    "watches",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("query", Words, nullable=False),
    Column("webhook", Words, nullable=False),
    Column("mail", Words, nullable=False),
    Column("added", Instant, nullable=False),
)
"""Named filters of changes, and where those that match are sent."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("watch", String(64), nullable=False),
    Column("change_id", BigInteger, nullable=False),
    Column("way", String(8), nullable=False),
    Column("due", Instant, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("error", Words),
    Column("dead", Boolean, nullable=False, default=False),
    UniqueConstraint("watch", "change_id", "way"),
    Index("deliveries_due", "dead", "way", "due"),
)
"""Changes that are still to be sent, by webhook or mail, and those that could not be: dead letters."""
