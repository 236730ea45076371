"""What people type into a search: words, "phrases", pre*, -not, OR, and fields. Pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import regex

from archive.index.tokens import bare
from archive.limits import QUERY_CHARACTERS, QUERY_TERMS
from archive.runtime.console import printable
from archive.runtime.times import begin

Field = Literal["", "title", "author", "tag"]
_PIECE = regex.compile(r'(?P<not>-)?(?:(?P<field>[a-z]{2,9}):)?(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))')
_RIGHT = regex.compile(r"[a-z][a-z0-9._-]{1,39}")
_MOMENTS = frozenset({"before", "after"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Adjacent words."""

    words: tuple[str, ...]
    prefix: bool = False
    """The last word may continue."""
    field: Field = ""
    """Field that contains the words; any if empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to search for."""

    wanted: tuple[tuple[Term, ...], ...] = ()
    """One term of each of these groups."""
    unwanted: tuple[Term, ...] = ()
    site: str = ""
    """A host, with its subdomains."""
    language: str = ""
    rights: tuple[str, ...] = ()
    """Words such as `noai`, all of which the text has."""
    not_rights: tuple[str, ...] = ()
    """Words of which it has none."""
    since: datetime | None = None
    """At or after this instant; by the post's own date, or by when it was first seen."""
    before: datetime | None = None

    @property
    def terms(self) -> tuple[Term, ...]:
        """All terms that can be found."""
        return tuple(term for some in self.wanted for term in some)

    @property
    def empty(self) -> bool:
        """Whether the query asks for nothing."""
        return not (self.wanted or self.site or self.language or self.rights or self.since or self.before)


def parse(text: str) -> Query:  # noqa: C901  one branch for each kind of word
    """Parse a query.

    Raises:
        ValueError: It is not a valid query; the message states which part is wrong.
    """
    if len(text) > QUERY_CHARACTERS:
        raise ValueError(f"the query is longer than {QUERY_CHARACTERS} characters")
    query, either = Query(), False
    for found in _PIECE.finditer(printable(text)):
        field, phrase, word = found["field"] or "", found["phrase"], found["word"]
        value = phrase if phrase is not None else word
        if value == "OR" and not field and phrase is None and not found["not"]:
            either = bool(query.wanted)
            continue
        if value == "AND" and not field and phrase is None:
            continue
        if field not in _FIELDS:
            field, value = "", f"{field}:{value}"
        if field in _MOMENTS or field in {"site", "lang", "rights"}:
            query = _narrowed(query, field, value, wanted=not found["not"])
            continue
        term = Term(
            words=tuple(bare(value)),
            prefix=phrase is None and value.endswith("*"),
            field=field,  # type: ignore[arg-type]  # looked up above
        )
        if not term.words:
            continue
        if found["not"]:
            query = replace(query, unwanted=(*query.unwanted, term))
        elif either:
            query = replace(query, wanted=(*query.wanted[:-1], (*query.wanted[-1], term)))
        else:
            query = replace(query, wanted=(*query.wanted, (term,)))
        either = False
        if len(query.terms) + len(query.unwanted) > QUERY_TERMS:
            raise ValueError(f"the query has more than {QUERY_TERMS} terms")
    if query.empty:
        said = (
            "what is not wanted is told, but not what is"
            if query.unwanted or query.not_rights
            else "the query has no words"
        )
        raise ValueError(said)
    return query


_FIELDS = frozenset({"title", "author", "tag", "site", "lang", "rights", *_MOMENTS})


def _with_rights(query: Query, word: str, *, wanted: bool) -> Query:
    """The query with a word for rights.

    Raises:
        ValueError: It is none.
    """
    word = word.lower()
    if not _RIGHT.fullmatch(word):
        raise ValueError(f"rights: {word[:40]!r} is no such word: use for example noai, tdm-reserved or cc-by-4.0")
    if len(query.rights) + len(query.not_rights) >= QUERY_TERMS:
        raise ValueError(f"the query has more than {QUERY_TERMS} terms")
    if wanted:
        return replace(query, rights=(*query.rights, word))
    return replace(query, not_rights=(*query.not_rights, word))


def _narrowed(query: Query, field: str, value: str, *, wanted: bool) -> Query:
    if field == "rights":
        return _with_rights(query, value, wanted=wanted)
    if field == "site":
        host = value.partition("://")[2] or value
        return replace(query, site=host.partition("/")[0].strip(".").lower()[:255])
    if field == "lang":
        return replace(query, language=value.lower()[:8])
    moment = begin(value)
    return replace(query, since=moment) if field == "after" else replace(query, before=moment)
