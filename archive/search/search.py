"""Full text search over all versions of all posts."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, func, literal, literal_column, or_, select, text
from sqlalchemy.sql.elements import TextClause

from archive.errors import DamagedError, NotArchivedError, StoreError, TaskError
from archive.index import tallies
from archive.index.from_records import entered
from archive.index.fulltext import WEIGHTS, facet, passages, searchable
from archive.index.schema import TextRow
from archive.index.versions import Version
from archive.limits import RANKED_TEXTS
from archive.reader.page_history import versions_of
from archive.reader.reader import Reader
from archive.reader.vanished import Vanished, told
from archive.runtime.database import fetch
from archive.runtime.times import iso
from archive.search.query import Query, Term
from archive.search.snippet import Piece, passage
from archive.warc.pasted_url import is_address, readings

log = logging.getLogger(__name__)

_COLUMN = {"title": "title", "author": "author", "tag": "tags"}
_RANKS = "bm25(searchable_words, 8.0, 4.0, 4.0, 1.0, 0.0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A version that matches the query."""

    version: Version
    url: str
    title: str | None
    author: str | None
    language: str | None
    tags: tuple[str, ...]
    dated: datetime
    passage: tuple[Piece, ...]
    of: int
    """How many versions the post has."""
    vanished: Vanished | None = None
    """The last time that the post was not online; None if none is known."""

    def as_json(self) -> dict[str, object]:
        """The hit as programs see it."""
        return {
            **self.version.as_json(),
            "title": self.title,
            "author": self.author,
            "language": self.language,
            "tags": list(self.tags),
            "dated": iso(self.dated),
            "versions": self.of,
            **told(self.vanished),
            "snippet": "".join(f"[[{piece.text}]]" if piece.found else piece.text for piece in self.passage),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of hits."""

    hits: tuple[Hit, ...]
    total: int
    """Texts that match; `RANKED_TEXTS` means that many or more."""
    more: bool


class Search:
    """Full-text search over the index."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._engine = reader.index.engine
        self._postgres = self._engine.dialect.name == "postgresql"

    def find(self, query: Query, *, limit: int = 10, offset: int = 0, newest: bool = False) -> Found:
        """Versions that match a query, the best first.

        Args:
            query: What to search for.
            limit: Maximum number of hits.
            offset: Number of matching texts to skip.
            newest: Sort by date, the latest posts first.
        """
        # Some of them belong to the same version, or are texts that no longer count.
        ids, total = self._ranked(query, newest=newest, limit=offset + 3 * limit)
        hits: list[Hit] = []
        seen: set[str] = set()
        at = offset
        while at < len(ids) and len(hits) < limit:
            hit = self._hit(ids[at], query.terms)
            at += 1
            if hit is not None and (key := hit.version.text.record) not in seen:
                seen.add(key)
                hits.append(hit)
        return Found(hits=self._told(hits), total=total, more=at < total)

    def page(self, text: str) -> Found | None:
        """The newest version of the page whose address a query is; None if it is not an archived address."""
        if not is_address(text):
            return None
        try:
            found = versions_of(self._reader, self._reader.meant(readings(text)).url)
        except NotArchivedError:
            return None
        version = found[-1]
        row = entered(self._reader.read_text(version.text))
        hit = Hit(
            version=version,
            url=row.url,
            title=row.title,
            author=row.author,
            language=row.language,
            tags=row.tags,
            dated=row.dated,
            passage=self._passage(version.text, ()),
            of=len(found),
        )
        return Found(hits=self._told([hit]), total=1, more=False)

    def _told(self, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """The hits, with what is known of posts that vanished."""
        gone = self._reader.vanished_of({hit.url for hit in hits})
        return tuple(replace(hit, vanished=gone.get(hit.url)) for hit in hits)

    def known(self, limit: int = 50) -> dict[str, list[str]]:
        """Hosts with the most posts and languages with the most texts, these first."""
        return {
            "host": tallies.most(self._engine, "posts", limit),
            "language": tallies.most(self._engine, "language", limit),
        }

    def _ranked(self, query: Query, *, newest: bool, limit: int) -> tuple[list[int], int]:
        """Texts in order, and how many there are."""
        if not query.wanted:
            found = select(searchable.c.id, searchable.c.dated).where(*_narrow(query, hosts=True))
            matching = found.order_by(searchable.c.dated.desc()).limit(RANKED_TEXTS).subquery()
            order: ColumnElement[Any] = matching.c.dated.desc()
        else:
            chosen = self._vectors(query) if self._postgres else self._fts(query, dated=newest)
            matching = chosen.limit(RANKED_TEXTS).subquery()
            order = matching.c.dated.desc() if newest else matching.c.rank
        ordered = select(matching.c.id, func.count().over().label("total")).order_by(order, matching.c.id.desc())
        rows = fetch(self._engine, ordered.limit(limit))
        return [row.id for row in rows], rows[0].total if rows else 0

    def _fts(self, query: Query, *, dated: bool) -> Select[Any]:
        """SQLite: FTS5 finds and ranks; host, language and rights are filtered as words."""
        parts = [f"({' OR '.join(map(_fts_term, some))})" for some in query.wanted]
        if query.site:
            parts.append(f'facets : "{facet("host", query.site)}"')
        if query.language:
            parts.append(f'facets : "{facet("language", query.language)}"')
        parts += [f'facets : "{facet("rights", word)}"' for word in query.rights]
        match = " AND ".join(parts)
        if query.unwanted:
            match = f"({match}) NOT ({' OR '.join(map(_fts_term, query.unwanted))})"
        number: ColumnElement[int] = literal_column("searchable_words.rowid", Integer)
        columns: tuple[ColumnElement[Any], ...] = (number.label("id"), literal_column(_RANKS).label("rank"))
        matched = text("searchable_words MATCH :match").bindparams(match=match)
        narrow = _narrow(query, hosts=False)
        if not dated and not narrow:
            return select(*columns).select_from(text("searchable_words")).where(matched).order_by(number.desc())
        return (
            select(*columns, searchable.c.dated)
            .select_from(text("searchable_words"))
            .where(searchable.c.id == number, matched, *narrow)
            .order_by(number.desc())
        )

    def _vectors(self, query: Query) -> Select[Any]:
        """PostgreSQL: each of the wanted terms in some passage of the text, and none of the unwanted ones."""
        clauses: list[ColumnElement[bool]] = []
        for number, some in enumerate(query.wanted):
            asked = " | ".join(map(_tsquery, some))
            clauses.append(searchable.c.id.in_(_passages(f"wanted{number}", asked)))
        if query.unwanted:
            asked = " | ".join(map(_tsquery, query.unwanted))
            clauses.append(~searchable.c.id.in_(_passages("unwanted", asked)))
        every = " | ".join(_tsquery(term) for term in query.terms)
        rank: ColumnElement[float] = (
            select(
                -func.max(func.ts_rank(literal_column("passages.words"), literal(every).op("::")(text("tsquery")), 1))
            )
            .select_from(passages)
            .where(passages.c.text_id == searchable.c.id)
            .scalar_subquery()
            .label("rank")
        )
        narrow = _narrow(query, hosts=True)
        found = select(searchable.c.id, searchable.c.dated, rank).where(*clauses, *narrow)
        return found.order_by(searchable.c.id.desc())

    def _hit(self, number: int, terms: Sequence[Term]) -> Hit | None:
        rows = fetch(self._engine, select(searchable).where(searchable.c.id == number))
        if not rows:  # its page turned out to be another one, which has the same text
            return None
        row = rows[0]
        _, found = self._reader.history(row.url)
        # A text that another extractor made of the same captures is not a version.
        of = [version for version in found if row.digest in version.digests]
        if not of:
            return None
        version = of[0]
        if len(of) > 1:  # the text returned later: from its first time to its last
            version = Version(
                number=version.number,
                text=version.text,
                captures=tuple(capture for one in of for capture in one.captures),
                digests=version.digests,
            )
        return Hit(
            version=version,
            url=row.url,
            title=row.title,
            author=row.author,
            language=row.language,
            tags=tuple(json.loads(row.tags)),
            dated=row.dated,
            passage=self._passage(version.text, terms),
            of=len(found),
        )

    def _passage(self, row: TextRow, terms: Sequence[Term]) -> tuple[Piece, ...]:
        try:
            said = self._reader.read_text(row).text
            return self._reader.work(passage, text=said, terms=tuple(terms))
        except TaskError as e:
            log.warning("no passage url=%s error=%s", row.url, e)
            return (Piece("(the text cannot be searched for the words)", found=False),)
        except (DamagedError, StoreError):
            return (Piece("(the text cannot be read now)", found=False),)


def _narrow(query: Query, *, hosts: bool) -> list[ColumnElement[bool]]:
    """Conditions on the fields of a text; `hosts`: on its host, language and wanted rights too."""
    found: list[ColumnElement[bool]] = []
    if hosts and query.site:
        host = searchable.c.host
        found.append(or_(host == query.site, host.endswith(f".{query.site}", autoescape=True)))
    if hosts and query.language:
        found.append(func.lower(searchable.c.language) == query.language)
    if hosts:
        found += [searchable.c.rights.contains(f" {word} ", autoescape=True) for word in query.rights]
    if query.not_rights:
        has = (searchable.c.rights.contains(f" {word} ", autoescape=True) for word in query.not_rights)
        found.append(or_(searchable.c.rights.is_(None), ~or_(*has)))
    if query.since is not None:
        found.append(searchable.c.dated >= query.since)
    if query.before is not None:
        found.append(searchable.c.dated < query.before)
    return found


def _fts_term(term: Term) -> str:
    """A term in FTS5's own syntax; words contain neither quotes nor spaces."""
    column = f"{_COLUMN[term.field]} : " if term.field else ""
    return f'{column}"{" ".join(term.words)}"{" *" if term.prefix else ""}'


def _tsquery(term: Term) -> str:
    weight = WEIGHTS[_COLUMN[term.field]] if term.field else ""
    last = len(term.words) - 1
    marks = [("*" if term.prefix and number == last else "") + weight for number in range(last + 1)]
    quoted = [word.replace("\\", "\\\\").replace("'", "''") for word in term.words]
    return (
        "("
        + " <-> ".join(f"'{word}'" + (f":{mark}" if mark else "") for word, mark in zip(quoted, marks, strict=True))
        + ")"
    )


def _passages(name: str, asked: str) -> TextClause:
    return text(f"SELECT text_id FROM passages WHERE words @@ CAST(:{name} AS tsquery)").bindparams(**{name: asked})  # noqa: S608  our own name
