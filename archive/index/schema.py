"""Tables of the index, and the values of their rows. No I/O."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    literal_column,
    select,
)

from archive.runtime.database import Instant, Words
from archive.runtime.times import iso
from archive.warc.urlkey import urlkey

REVISION = "0015"

CRAWL = "pressmark"
IMPORT = "import"
AGAIN = "again"
"""First words of batch names: who made them."""
VISITS = "visits"
"""First part of the keys of objects with confirmations."""
UNSTATED = -1
"""Status of a revisit whose record has no head, until the response that it refers to is known; never in the index."""
OK = 200
UNNAMED = "unk"
"""Media type of a capture that states none."""
PARTIAL = 206
"""Status of a response that is a part of the page: it is in the history of its URL, but never the page."""
_MAX_KEY = 500
"""Characters of a urlkey in the index."""


metadata = MetaData()

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""Type of numbers that the database gives; SQLite's have 64 bits anyway."""

objects = Table(
    "objects",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("key", String(512), nullable=False, unique=True),
    Column("length", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("verified", Instant),
    Column("fault", Words),
    Column("fault_since", Instant),
    Column("told", Instant),
    Column("begun", String(20), nullable=False, default=""),
)
"""Objects with captures or texts. `verified` is when one was last read to its end, `fault` what was found to be wrong
with it, `told` when the crawler was told of that. Which rows are lost with it, the rows say. `begun` is when its batch
was begun, as `begun_of` finds it in the key: of two texts of one capture, the one in the batch that was begun later
counts, and later in it."""

retired = Table(
    "retired",
    metadata,
    Column("key", String(512), primary_key=True),
    Column("length", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("joined_into", String(512), nullable=False),
    Column("since", Instant, nullable=False),
)
"""Objects whose bytes are in a joined one, to which the rows refer; they are stored until the grace period ends."""

joining = Table(
    "joining",
    metadata,
    Column("key", String(512), primary_key=True),
    Column("given_up", Boolean, nullable=False, default=False),
)
"""Joined objects that may be in the store already, and to which no row refers yet."""

state_objects = Table(
    "state_objects",
    metadata,
    Column("key", String(512), primary_key=True),
    Column("verified", Instant, nullable=False),
)
"""When each object without captures and texts was last read."""

captures = Table(
    "captures",
    metadata,
    Column("record", String(64), primary_key=True),
    Column("urlkey", Words, nullable=False),
    Column("page", String(64), nullable=False, default=""),
    Column("date", Instant, nullable=False),
    Column("url", Words, nullable=False),
    Column("status", Integer, nullable=False),
    Column("mime", Words, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("refers_to", String(64)),
    Column("truncated", String(16)),
    Column("object_id", BigInteger, ForeignKey("objects.id"), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("fault", Words),
)

IS_WHOLE: ColumnElement[bool] = (
    (captures.c.kind == literal_column("'response'")) & captures.c.truncated.is_(None) & captures.c.fault.is_(None)
)
"""Complete responses that are not known to be lost. With a parameter, databases would not use the index of these."""

confirmations = Table(
    "confirmations",
    metadata,
    Column("record", String(64), primary_key=True),
    Column("last", Instant, nullable=False),
    Column("confirmed", Integer, nullable=False),
)
"""Captures with status 304 that further visits have confirmed: when last, and how often."""

texts = Table(
    "texts",
    metadata,
    Column("record", String(64), primary_key=True),
    Column("capture", String(64), nullable=False),
    Column("urlkey", Words, nullable=False),
    Column("page", String(64), nullable=False, default=""),
    Column("date", Instant, nullable=False),
    Column("url", Words, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("title", Words),
    Column("made_by", String(64)),
    Column("source", String(8), nullable=False, default="page"),
    Column("object_id", BigInteger, ForeignKey("objects.id"), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("fault", Words),
    Column("stated", Words),
    Column("plain", String(64)),
    Column("marks", Words),
)

untold = Table(
    "untold",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("page", String(64), nullable=False, unique=True),
    Column("url", Words, nullable=False),
    Column("mark", String(16), nullable=False),
)
"""Posts with texts of which nobody was told yet; see `archive.index.untold`."""

PLACED: tuple[Table, ...] = (captures, texts)
"""Tables whose rows are places in objects: each has `object_id` and `offset`, which change when objects are joined."""

aliases = Table(
    "aliases",
    metadata,
    Column("page", String(64), primary_key=True),
    Column("root", String(64), nullable=False),
)
"""Keys of pages that are one page under several addresses, and the key that they share."""

alias_proofs = Table(
    "alias_proofs",
    metadata,
    Column("page", String(64), primary_key=True),
    Column("target", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("url", Words, nullable=False),
    Column("target_url", Words, nullable=False),
    Column("proof", String(64), nullable=False),
    Column("since", Instant, nullable=False),
)

logs = Table(
    "logs",
    metadata,
    Column("log", String(16), primary_key=True),
    Column("key", Words, nullable=False),
    Column("machine", Words, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("edge", Words, nullable=False),
    Column("at", Instant, nullable=False),
)
"""Logs of sealed objects with their verifier keys, and the machine that the first leaf names. `size` is the number of
leaves that are known here, `edge` the roots of the complete subtrees that these consist of, hexadecimal, `at` when the
last of them was added here."""

log_commits = Table(
    "log_commits",
    metadata,
    Column("log", String(16), primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("key", String(512), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
)
"""What one commit added to a log: its first leaf, the size of the log afterwards, and where its line is in the store,
which has the leaves and the signed checkpoint."""

log_leaves = Table(
    "log_leaves",
    metadata,
    Column("log", String(16), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("key", String(512), nullable=False, index=True),
    Column("hash", String(64), nullable=False),
)
"""Hashes of leaves, hexadecimal, each with the key of its object; the first leaf of a log has none."""

log_nodes = Table(
    "log_nodes",
    metadata,
    Column("log", String(16), primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("hash", String(64), nullable=False),
)
"""Roots of complete subtrees with 256, 65,536 … leaves, hexadecimal: with them a proof reads little of a large log."""

log_stamps = Table(
    "log_stamps",
    metadata,
    Column("log", String(16), primary_key=True),
    Column("size", BigInteger, primary_key=True),
    Column("key", String(512), nullable=False),
)
"""Time stamps of checkpoints: the size of the log that one is about, and its object."""


CAPTURES = select(captures, objects.c.key, confirmations.c.last, confirmations.c.confirmed).select_from(
    captures.join(objects, objects.c.id == captures.c.object_id).outerjoin(
        confirmations, confirmations.c.record == captures.c.record
    )
)
"""All captures with the keys of their objects and their confirmations, as `capture_row` reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRow:
    """One row of the index: a capture and where its records are stored."""

    record: str
    """WARC-Record-ID of the response or revisit."""
    url: str
    date: datetime
    """When the request was sent; aware, UTC."""
    status: int
    mime: str
    digest: str
    """Payload digest, `sha1:BASE32`. A `server-not-modified` revisit carries that of the response it refers to."""
    kind: str
    """`response` or `revisit`."""
    refers_to: str | None
    """For a revisit: WARC-Record-ID of the response that has the payload."""
    truncated: str | None
    object: str
    """Key of the WARC object."""
    offset: int
    """First byte of the capture's records in the object."""
    length: int
    """Bytes of its records: response or revisit, request and metadata, one after the other."""
    last: datetime | None = None
    """When a visit last confirmed it, answered like this one; None if there was no such visit."""
    confirmed: int = 0
    """How many visits have confirmed it."""
    fault: str | None = None
    """Why its records cannot be read any more: nothing may refer to it. None: nothing is known to be wrong."""

    @property
    def seen(self) -> datetime:
        """When the server last said what this capture says."""
        return self.date if self.last is None else max(self.date, self.last)

    def distance(self, at: datetime) -> timedelta:
        """How far an instant is from the time during which the server said this; 0 within it."""
        return max(self.date - at, at - self.seen, timedelta(0))

    @property
    def timestamp(self) -> str:
        """14 digits, as in the Wayback Machine."""
        return self.date.strftime("%Y%m%d%H%M%S")

    def as_json(self) -> dict[str, Any]:
        """The capture as programs see it."""
        return {
            "url": self.url,
            "timestamp": self.timestamp,
            "date": iso(self.date),
            "status": self.status,
            "mime": self.mime,
            "digest": self.digest,
            "kind": self.kind,
            "object": self.object,
            "offset": self.offset,
            "length": self.length,
            "record": self.record,
            "truncated": self.truncated,
            "last": iso(self.last) if self.last else None,
            "confirmed": self.confirmed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRow:
    """A text and where its records are stored."""

    record: str
    """WARC-Record-ID of the conversion record."""
    capture: str
    """WARC-Record-ID of the capture that it was made from."""
    url: str
    date: datetime
    """Date of that capture."""
    digest: str
    """Digest of the plain text, `sha1:BASE32`."""
    title: str | None
    made_by: str | None
    """What made it, as `archive.extract.text.made_by` returns it; None in rows written by an earlier version."""
    object: str
    offset: int
    length: int
    """Bytes of its two records: conversion and metadata."""
    source: str = "page"
    """Where it comes from: `page` or `feed`."""
    fault: str | None = None
    """Why its records cannot be read any more; None: nothing is known to be wrong."""
    stated: str | None = None
    """What the post states of itself, as `archive.index.edits.stated` writes it; None in rows written by an earlier
    version, whose texts are not read for it."""
    plain: str | None = None
    """Digest of the text without its typography, `sha1:BASE32`; None as `stated`."""
    marks: str | None = None
    """Marks of its lines, as `archive.index.line_marks` makes them; None in rows written by an earlier version."""
    own: bool = False
    """Whether the URL's fragment is part of the post's own address; known only while the row is made."""

    def distance(self, at: datetime) -> timedelta:
        """How far an instant is from the text's capture."""
        return abs(self.date - at)

    def as_json(self) -> dict[str, Any]:
        """The text's place and what distinguishes it from others of its capture, as programs see it."""
        names = ("digest", "made_by", "object", "offset", "length", "record")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """An object that index rows refer to."""

    key: str
    length: int
    sha256: str
    """SHA-256 of the whole object, lower-case hexadecimal."""
    verified: datetime | None = None
    """When `verify` last read it to its end; aware, UTC."""
    fault: str | None = None
    """What is wrong with it, or with a part of it; None: nothing is known to be."""


OF_THE_PAGE: ColumnElement[bool] = (texts.c.source == "page") & ~texts.c.urlkey.contains("#")
"""Texts of whole pages; not those of posts that are a part of the capture, such as the entries of a feed."""


def texts_select() -> Select[Any]:
    """All texts with the keys of their objects, as `text_row` reads them."""
    return select(texts, objects.c.key).join(objects, objects.c.id == texts.c.object_id)


def newest(table: Table) -> tuple[ColumnElement[Any], ...]:
    """Order of captures or texts by their batch and their place in it, the newest first."""
    return (objects.c.begun.desc(), table.c.object_id.desc(), table.c.offset.desc())


def begun_of(key: str) -> str:
    """When the batch of an object was begun, 20 digits: the second word of its name, whoever made it."""
    words = key.rsplit("/", 1)[-1].split("-")
    return words[1][:20] if len(words) > 1 else ""


JOINED = "-joined-"
"""In the name of every joined object."""


def is_joined(key: str) -> bool:
    """Whether an object joins others, by its name."""
    return JOINED in key.rsplit("/", 1)[-1]


def index_urlkey(url: str) -> str:
    """The urlkey in a length that every database can index; if it is longer, its beginning and its hash.

    A fragment counts: only posts with an address of their own are stored with one.
    """
    fragment = url.partition("#")[2]
    found = f"{urlkey(url)}#{fragment}" if fragment else urlkey(url)
    if len(found) <= _MAX_KEY:
        return found
    return f"{found[:_MAX_KEY]} {hashlib.sha256(found.encode()).hexdigest()}"


def capture_row(row: Row[Any]) -> CaptureRow:
    """The capture that a row of `CAPTURES` describes; the row may have more columns after those."""
    record, _, _, date, url, status, mime, digest, kind, refers_to, truncated, _, offset, length, *more = tuple(row)[
        :18
    ]
    fault, key, last, confirmed = more
    return CaptureRow(
        record=record,
        url=url,
        date=date,
        status=status,
        mime=mime,
        digest=digest,
        kind=kind,
        refers_to=refers_to,
        truncated=truncated,
        object=key,
        offset=offset,
        length=length,
        last=last,
        confirmed=confirmed or 0,
        fault=fault,
    )


def text_row(row: Row[Any]) -> TextRow:
    """The text that a row of `texts_select` describes."""
    found = row._mapping  # noqa: SLF001  SQLAlchemy's documented name
    names = (name for name in TextRow.__slots__ if name not in {"object", "own"})
    return TextRow(**{name: found[name] for name in names}, object=found["key"])
