"""Aliases: addresses that are one page although they are spelt differently, each with the evidence for it.

`archive.warc.page_identity` knows which spellings are one page. What only the site can know, that one page has two
addresses, is evidence: a redirect, a meta refresh, a canonical link, an entry whose stable id got another link. Each
proof names the record that shows it. Pages joined by proofs have one root.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, or_, select, update

from archive.index.fulltext import searchable
from archive.index.schema import alias_proofs, aliases, captures, index_urlkey, texts
from archive.limits import PAGE_ALIASES
from archive.runtime.database import in_parts, transaction, upsert_all
from archive.warc.page_identity import is_front, page_key, post_key

AliasKind = Literal["redirect", "refresh", "canonical", "id"]
"""What shows it: a redirect, a meta refresh, a canonical link, a feed entry that kept its id when its link changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Evidence that two URLs are one page."""

    url: str
    target: str
    """The other URL: where the redirect leads, what the canonical link names, the entry's new link."""
    kind: AliasKind
    proof: str
    """WARC-Record-ID of the capture that shows it."""
    since: datetime
    """When that capture was made; aware, UTC."""


def enter(connection: Connection, found: Iterable[Alias]) -> list[str]:
    """Enter evidence and join the pages; known evidence changes nothing. Returns the keys of pages with new evidence.

    Front pages are never joined with anything, and no page gets more than PAGE_ALIASES addresses: a page to which
    everything leads is no post. However much there is to enter, the number of statements is the same.
    """
    named = [(page_key(one.url), page_key(one.target), one) for one in found]
    named = [
        (page, target, one)
        for page, target, one in named
        if page != target and not is_front(one.url) and not is_front(one.target)
    ]
    if not named:
        return []
    groups = _Groups(connection, {key for page, target, _ in named for key in (page, target)})
    proofs: dict[tuple[str, str, str], dict[str, Any]] = {}
    for page, target, one in named:
        if groups.join(page, target):
            row = {"page": page, "target": target, **asdict(one), "target_url": one.target}
            proofs.setdefault((page, target, one.kind), row)
    groups.write(connection)
    known = _known_proofs(connection, {page for page, _, _ in proofs})
    fresh = [row for key, row in proofs.items() if key not in known]
    upsert_all(connection, alias_proofs, fresh)
    return [row["page"] for row in fresh]


class _Groups:
    """Pages by their addresses, as evidence joins them one after another; written all at once."""

    def __init__(self, connection: Connection, pages: Collection[str]) -> None:
        self._roots: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}
        self._changed: set[str] = set()
        self._over: set[str] = set()
        one, every = aliases.alias("one"), aliases.alias("every")
        for part in in_parts(pages):
            query = select(every.c.page, every.c.root).join(one, one.c.root == every.c.root).where(one.c.page.in_(part))
            for row in connection.execute(query):
                self._roots[row.page] = row.root
                self._members.setdefault(row.root, set()).add(row.page)

    def join(self, page: str, target: str) -> bool:
        """Join two pages under the root of the second; False if they would have too many addresses."""
        root, other = self._roots.get(target, target), self._roots.get(page, page)
        if root == other:
            return True
        joined = self._members.get(root, {root}) | self._members.get(other, {other})
        if len(joined) > PAGE_ALIASES:
            return False
        joined |= {page, target, root}
        self._members.pop(other, None)
        self._members[root] = joined
        self._roots.update(dict.fromkeys(joined, root))
        self._changed |= joined
        self._over.add(other)
        return True

    def write(self, connection: Connection) -> None:
        """Write what has been joined, and let searches list the texts of pages that are one as those of one."""
        rows = [{"page": page, "root": self._roots[page]} for page in sorted(self._changed)]
        upsert_all(connection, aliases, rows, keys=("page",), change=("root",))
        _join_search(connection, self._over)


def proofs(engine: Engine, pages: Iterable[str] | None = None) -> list[Alias]:
    """All evidence in the order of its records, or that about the pages with these keys."""
    query = select(alias_proofs).order_by(alias_proofs.c.since, alias_proofs.c.url)
    queries = [query] if pages is None else [query.where(alias_proofs.c.page.in_(part)) for part in in_parts(pages)]
    with transaction(engine, reads=True) as connection:
        return [
            Alias(url=row.url, target=row.target_url, kind=row.kind, proof=row.proof, since=row.since)
            for one in queries
            for row in connection.execute(one)
        ]


def keys_of(connection: Connection, pages: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """For each page that has aliases, by its key: the keys of all its addresses, its own first."""
    wanted = list(pages)
    one, other = aliases.alias("one"), aliases.alias("other")
    found: dict[str, list[str]] = {}
    for part in in_parts(wanted):
        query = select(one.c.page, other.c.page.label("other")).join(other, other.c.root == one.c.root)
        for row in connection.execute(query.where(one.c.page.in_(part)).order_by(other.c.page)):
            found.setdefault(row.page, [row.page]).append(row.other)
    return {page: tuple(dict.fromkeys(keys)) for page, keys in found.items()}


def conditions(engine: Engine, table: Table, url: str) -> list[ColumnElement[bool]]:
    """Conditions for the captures or texts of the page at a URL, the narrowest first; the first that matches counts.

    The page under all its addresses; for texts, before that the post whose own address is the URL with its fragment.
    Redirects count only if they are of exactly this URL: between addresses of one page they lead to the page itself.
    Last, whatever has the same urlkey.
    """
    own = [post_key(url)] if table is texts and "#" in url else []
    wanted = [*own, page_key(url)]
    with transaction(engine, reads=True) as connection:
        joined = keys_of(connection, wanted)
    bare = url.partition("#")[0]
    found = [of_page(table, keys=joined.get(key, (key,)), url=bare) for key in wanted]
    return [*found, table.c.urlkey == index_urlkey(bare)]


def page_keys(engine: Engine, url: str) -> list[str]:
    """Keys of all addresses of the page at a URL, its own first."""
    key = page_key(url)
    with transaction(engine, reads=True) as connection:
        return list(keys_of(connection, [key]).get(key, (key,)))


def of_page(table: Table, *, keys: Any, url: Any) -> ColumnElement[bool]:  # noqa: ANN401  or parameters
    """Rows of the page with these keys, asked for by a URL without fragment."""
    same: ColumnElement[bool] = table.c.page.in_(keys)
    if table is captures:
        redirect = table.c.status.between(300, 399) & (table.c.status != 304)  # noqa: PLR2004  RFC 9110 §15.4
        same &= (table.c.url == url) | ~redirect
    return same


def _known_proofs(connection: Connection, pages: Iterable[str]) -> set[tuple[str, str, str]]:
    """Page, target and kind of the evidence about pages."""
    query = select(alias_proofs.c.page, alias_proofs.c.target, alias_proofs.c.kind)
    return {
        (row.page, row.target, row.kind)
        for part in in_parts(pages)
        for row in connection.execute(query.where(alias_proofs.c.page.in_(part)))
    }


def _join_search(connection: Connection, over: Collection[str]) -> None:
    """Let searches list the texts of pages under their roots; a text that several of them have stays once."""
    mine, others, there = aliases.alias("mine"), aliases.alias("others"), searchable.alias("there")
    same = (
        select(there.c.id)
        .join(others, others.c.page == there.c.page)
        .join(mine, mine.c.root == others.c.root)
        .where(mine.c.page == searchable.c.page, there.c.digest == searchable.c.digest)
        .where(or_(there.c.page == mine.c.root, there.c.id < searchable.c.id), there.c.id != searchable.c.id)
    )
    root = select(aliases.c.root).where(aliases.c.page == searchable.c.page).scalar_subquery()
    for part in in_parts(sorted(over)):
        connection.execute(delete(searchable).where(searchable.c.page.in_(part), same.exists()))
    for part in in_parts(sorted(over)):
        connection.execute(update(searchable).where(searchable.c.page.in_(part)).values(page=root))
