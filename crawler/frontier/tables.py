"""The crawler's tables. All except claims, alarms and credentials can be rebuilt from the archive."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, FetchedValue, ForeignKey, Integer, MetaData, String, Table

from archive.runtime.database import Instant, Seconds, Words

REVISION = "0016"

metadata = MetaData()


_VISITS: tuple[tuple[str, Any], ...] = (
    ("etag", Words),
    ("last_modified", Words),
    ("validated", String(64)),
    ("status", Integer),
    ("error", Words),
)

feeds = Table(
    "feeds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", Words, nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("shard", Integer, nullable=False),
    Column("title", Words),
    Column("site", Words),
    Column("paused", Boolean, nullable=False, default=False),
    Column("added", Instant, nullable=False),
    Column("visited", Instant),
    Column("due", Instant, nullable=False),
    *(Column(name, kind) for name, kind in _VISITS),
    Column("failures", Integer, nullable=False, default=0),
    Column("rhythm", Seconds),
    Column("moved_to", Words),
    Column("moved_since", Instant),
    Column("moved_times", Integer, nullable=False, default=0),
    Column("whole", Instant),
    Column("shown", Integer),
    Column("media", Words),
    Column("news", Instant),
    Column("hub", Words),
    Column("topic", Words),
    Column("pushed", Instant),
    Column("fresh", Seconds),
    Column("every", Seconds),
    Column("skips", Words),
    Column("unverified", Boolean, nullable=False, default=False),
    Column("listing", String(16)),
    Column("name", Words),
    Column("folder", Words),
    Column("window", Seconds),
    Column("restless", Boolean, nullable=False, default=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("origin", String(300), primary_key=True),
    Column("user", Words, nullable=False),
    Column("password", Words, nullable=False),
)

seeds = Table(
    "seeds",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("feed_id", Integer, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("url", Words, nullable=False),
)

FIRST_CHECK, LATER_CHECK, NEW, OLDER = range(4)
"""What a page waits for: its first re-check, if no backfill has found it; another re-check; its first visit, if a feed
has shown it; its first visit, if a listing has. The database computes it; None: it does not wait."""

pages = Table(
    "pages",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("url", Words, nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("feed_id", Integer, ForeignKey("feeds.id", ondelete="SET NULL")),
    Column("shard", Integer, nullable=False),
    Column("host", String(255), nullable=False, default=""),
    Column("kept", Boolean, nullable=False, default=False),
    Column("backfill", Boolean, nullable=False, default=False),
    Column("first_seen", Instant, nullable=False),
    Column("visited", Instant),
    Column("due", Instant),
    *(Column(name, kind) for name, kind in _VISITS),
    Column("failures", Integer, nullable=False, default=0),
    Column("checks", Integer, nullable=False, default=0),
    Column("alive", Instant),
    Column("alive_record", Words),
    Column("source", String(8)),
    Column("verdict", String(16)),
    Column("shared", Boolean, nullable=False, default=False),
    Column("looks", Integer, nullable=False, default=0),
    Column("looks_since", Instant),
    Column("turn", Integer, FetchedValue()),
)

rechecks = Table(
    "rechecks",
    metadata,
    Column("host", String(255), primary_key=True),
    Column("shard", Integer, nullable=False),
    Column("due", Instant, nullable=False),
)
"""Hosts with archived pages that are visited again: none of them is due before `due`."""

frontier_tallies = Table(
    "frontier_tallies",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""How many feeds, pages and open deletions there are; the database's triggers keep it."""

feed_tallies = Table(
    "feed_tallies",
    metadata,
    Column("feed_id", Integer, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("kept", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
)
"""How many posts of each feed are archived, and how many could not be had; the database's triggers keep it."""

entries = Table(
    "entries",
    metadata,
    Column("feed_id", Integer, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("id", Words),
    Column("page_id", BigInteger, ForeignKey("pages.id")),
    Column("digest", String(64), nullable=False),
    Column("facts", Words, nullable=False),
    Column("markup", Words),
    Column("first_seen", Instant, nullable=False),
    Column("record", String(64)),
    Column("seen", Instant),
    Column("address", Words),
    Column("shown", Boolean),
    Column("departed", Instant),
)

holds = Table(
    "holds",
    metadata,
    Column("scope", String(255), primary_key=True),
    Column("until", Instant, nullable=False),
)

claims = Table(
    "claims",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("holder", String(64), nullable=False),
    Column("until", Instant, nullable=False),
    Column("epoch", BigInteger, nullable=False, default=0),
)

machines = Table(
    "machines",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("identity", String(64), nullable=False),
    Column("boot", String(64), nullable=False),
    Column("seen", Instant, nullable=False),
)

deletions = Table(
    "deletions",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("since", Instant, primary_key=True),
    Column("url", Words, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", Integer),
    Column("proof", String(64)),
    Column("alive", Instant),
    Column("alive_record", Words),
    Column("restored", Instant),
    Column("restored_record", String(64)),
)

alarms = Table(
    "alarms",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("subject", Words, nullable=False),
    Column("since", Instant, nullable=False),
    Column("detail", Words, nullable=False),
    Column("ended", Instant),
    Column("told", Instant),
)

backfills = Table(
    "backfills",
    metadata,
    Column("feed_id", Integer, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("asked", Instant, nullable=False),
    Column("why", String(16), nullable=False),
    Column("ended", Instant),
    Column("total", Integer),
    Column("shown", Integer),
    Column("everything", Boolean, nullable=False, default=False),
)

listings = Table(
    "listings",
    metadata,
    Column("feed_id", Integer, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("url", Words, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("visited", Instant),
    Column("status", Integer),
    Column("error", Words),
    Column("failures", Integer, nullable=False, default=0),
    Column("found", Integer, nullable=False, default=0),
    Column("listed", Integer, nullable=False, default=0),
    Column("aside", Integer, nullable=False, default=0),
    Column("elsewhere", Integer, nullable=False, default=0),
    Column("unread", Integer, nullable=False, default=0),
)

hubs = Table(
    "hubs",
    metadata,
    Column("feed_id", Integer, ForeignKey("feeds.id", ondelete="CASCADE"), primary_key=True),
    Column("hub", Words, nullable=False),
    Column("topic", Words, nullable=False),
    Column("token", String(64), nullable=False, unique=True),
    Column("secret", String(64), nullable=False),
    Column("renew", Instant, nullable=False),
    Column("until", Instant),
    Column("told", Instant),
)

unsaved = Table(
    "unsaved",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("mark", String(16), nullable=False),
)
"""What has changed since the state in the store was written."""
