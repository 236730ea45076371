"""The full-text search tables, and what is written into them: the words of each distinct text.

SQLite stores the words in a contentless FTS5 table, PostgreSQL as text search vectors that we build ourselves: both
then have the same words, those of `archive.index.tokens`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    insert,
    select,
    text,
    tuple_,
)

from archive.index.schema import NUMBER
from archive.limits import INDEXED_WORDS
from archive.runtime.database import Instant, Words, upsert

metadata = MetaData()

searchable = Table(
    "searchable",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("page", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("url", Words, nullable=False),
    Column("host", String(255), nullable=False),
    Column("title", Words),
    Column("author", Words),
    Column("language", String(16)),
    Column("tags", Words, nullable=False),
    Column("rights", Words),
    Column("dated", Instant, nullable=False),
    Column("seen", Instant, nullable=False),
    UniqueConstraint("page", "digest"),
)

passages = Table(
    "passages",
    metadata,
    Column("text_id", BigInteger, ForeignKey("searchable.id"), nullable=False),
    Column("number", Integer, nullable=False),
)
"""Only in PostgreSQL; its column `words` is a tsvector."""

PASSAGE = 3_000
"""Words of a passage: PostgreSQL stores at most 255 positions of a word."""
OVERLAP = 50
"""Words that a passage shares with the one before: the longest phrase that is certain to be found."""
_PLACES = 250
_COLUMNS = ("title", "author", "tags", "body")
WEIGHTS = {"title": "A", "author": "B", "tags": "C", "body": "D"}
_GAP = 8
"""Positions between two columns, so that no phrase spans them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What is known about a text that can be searched for."""

    page: str
    """Key of its post: `page_key`, or `post_key` for a post with an address of its own."""
    digest: str
    url: str
    host: str
    title: str | None
    author: str | None
    language: str | None
    tags: tuple[str, ...]
    rights: tuple[str, ...] = ()
    """Words for what others may do with it, as `archive.extract.right_words.marks` gives them."""
    dated: datetime
    """The date that the post states for itself; otherwise when it was first seen."""
    seen: datetime
    """Date of the capture."""
    body: str
    words: dict[str, list[str]] | None = None
    """The words of each column, if they are known already."""


def enter(connection: Connection, engine: Engine, found: Iterable[Entered]) -> None:
    """Add texts to the full-text index; those that are in it already stay as they are."""
    fresh: dict[tuple[str, str], Entered] = {}
    for one in found:
        fresh.setdefault((one.page, one.digest), one)
    keys = list(fresh)
    for start in range(0, len(keys), 200):
        part = keys[start : start + 200]
        query = select(searchable.c.page, searchable.c.digest)
        for row in connection.execute(query.where(tuple_(searchable.c.page, searchable.c.digest).in_(part))):
            fresh.pop((row.page, row.digest), None)
    if not fresh:
        return
    if engine.dialect.name == "postgresql":
        # Another machine may be adding some of them; in one order, so that neither waits for the other for ever.
        columns_of_row = (searchable.c.id, searchable.c.page, searchable.c.digest)
        adding = upsert(engine, searchable).on_conflict_do_nothing().returning(*columns_of_row)
        made = connection.execute(adding, [_values(fresh[key]) for key in sorted(fresh)]).all()
        for row in made:
            words = vectors(_words(fresh[row.page, row.digest]))
            connection.execute(
                _ADD_PASSAGE, [{"text_id": row.id, "number": n, "words": v} for n, v in enumerate(words)]
            )
        return
    # The words of a text that was removed stay under its number, which must never be another's.
    first = max(int(connection.execute(last).scalar() or 0) for last in _LAST) + 1
    numbered = list(enumerate(fresh.values(), first))
    connection.execute(insert(searchable), [{"id": number, **_values(one)} for number, one in numbered])
    columns = [
        {"id": number, **{name: " ".join(some) for name, some in _words(one).items()}, "facets": " ".join(_facets(one))}
        for number, one in numbered
    ]
    connection.execute(_ADD_WORDS, columns)


def with_words(one: Entered) -> Entered:
    """A text with its words, and without the text itself: entering it costs no more than writing."""
    return replace(one, words=_columns(one), body="")


def _words(one: Entered) -> dict[str, list[str]]:
    return _columns(one) if one.words is None else one.words


def _values(one: Entered) -> dict[str, object]:
    return {
        "page": one.page,
        "digest": one.digest,
        "url": one.url,
        "host": one.host,
        "title": one.title,
        "author": one.author,
        "language": one.language,
        "tags": json.dumps(one.tags, ensure_ascii=False),
        "rights": f" {' '.join(one.rights)} " if one.rights else None,
        "dated": one.dated,
        "seen": one.seen,
    }


_LAST = (text("SELECT max(id) FROM searchable"), text("SELECT max(id) FROM searchable_words_docsize"))

_ADD_WORDS = text(
    "INSERT INTO searchable_words (rowid, title, author, tags, body, facets) "
    "VALUES (:id, :title, :author, :tags, :body, :facets)"
)
_ADD_PASSAGE = text(
    "INSERT INTO passages (text_id, number, words) VALUES (:text_id, :number, CAST(:words AS tsvector))"
).bindparams(bindparam("words", type_=Words))


def _columns(one: Entered) -> dict[str, list[str]]:
    from archive.index.tokens import bare

    return {
        "title": bare(one.title or "")[:1_000],
        "author": bare(one.author or "")[:1_000],
        # Each tag is a phrase of its own.
        "tags": [word for tag in one.tags for word in (*bare(tag), "\ue000")][:2_000],
        "body": bare(one.body)[:INDEXED_WORDS],
    }


def facet(kind: Literal["host", "language", "rights"], value: str) -> str:
    """The word that stands for a host, a language or a right among the words of SQLite; no text contains it."""
    mark = {"host": "\ue001", "language": "\ue002", "rights": "\ue004"}[kind]
    return mark + "".join(c if c.isalnum() else "\ue003" for c in value.lower())


def _facets(one: Entered) -> list[str]:
    """A text's language and rights, its host, and all parent domains of the host."""
    found = [facet("language", one.language)] if one.language else []
    found += [facet("rights", word) for word in one.rights]
    host = one.host.partition(":")[0] if not one.host.startswith("[") else one.host
    labels = host.split(".")
    found += [facet("host", ".".join(labels[place:])) for place in range(len(labels))]
    return [*found, facet("host", one.host)] if one.host != host else found


def vectors(columns: dict[str, list[str]]) -> Iterator[str]:
    """A text as PostgreSQL's vectors, in its input syntax; each also contains all columns other than the body."""
    body, start = columns["body"], 0
    while True:
        places: dict[str, list[str]] = {}
        at = 1
        for name in ("title", "author", "tags"):
            for word in columns[name][:300]:
                if len(of := places.setdefault(word, [])) < _PLACES:
                    of.append(f"{at}{WEIGHTS[name]}")
                at += 1
            at += _GAP
        end = start
        for word in body[start : start + PASSAGE]:
            if len(of := places.setdefault(word, [])) >= _PLACES:
                break
            of.append(str(at))
            at += 1
            end += 1
        yield " ".join(f"'{_quoted(word)}':{','.join(of)}" for word, of in places.items())
        if end >= len(body):
            return
        start = max(end - OVERLAP, start + 1)


def _quoted(word: str) -> str:
    return word.replace("\\", "\\\\").replace("'", "''")
