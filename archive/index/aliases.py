"""Aliases: addresses that are one page although they are spelt differently, each with the evidence for it.

`archive.warc.page_identity` knows which spellings are one page. What only the site can know, that one page has two
addresses, is evidence: a redirect, a meta refresh, a canonical link, an entry whose stable id got another link. Each
proof names the record that shows it. Pages joined by proofs have one root.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, func, select, update

from archive.index.fulltext import searchable
from archive.index.schema import alias_proofs, aliases, captures, index_urlkey, texts
from archive.limits import PAGE_ALIASES
from archive.runtime.database import in_parts, transaction, upsert
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


def enter(connection: Connection, engine: Engine, found: Iterable[Alias]) -> list[str]:
    """Enter evidence and join the pages; known evidence changes nothing. Returns the keys of pages with new evidence.

    Front pages are never joined with anything, and no page gets more than PAGE_ALIASES addresses: a page to which
    everything leads is no post.
    """
    fresh: list[str] = []
    for one in found:
        page, target = page_key(one.url), page_key(one.target)
        if page == target or is_front(one.url) or is_front(one.target):
            continue
        roots = _roots(connection, {page, target})
        root, other = roots.get(target, target), roots.get(page, page)
        if root != other:
            if _size(connection, root) + _size(connection, other) > PAGE_ALIASES:
                continue
            connection.execute(update(aliases).where(aliases.c.root == other).values(root=root))
            for key in (page, target, root):
                insert = upsert(engine, aliases).values(page=key, root=root)
                connection.execute(insert.on_conflict_do_update(index_elements=["page"], set_={"root": root}))
            _join_search(connection, other, root)
        proof = {"page": page, "target": target, **asdict(one), "target_url": one.target}
        if connection.execute(upsert(engine, alias_proofs).values(proof).on_conflict_do_nothing()).rowcount:
            fresh.append(page)
    return fresh


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


def _roots(connection: Connection, pages: set[str]) -> dict[str, str]:
    query = select(aliases).where(aliases.c.page.in_(sorted(pages)))
    return {row.page: row.root for row in connection.execute(query)}


def _join_search(connection: Connection, page: str, root: str) -> None:
    """Let searches list the texts of two pages as those of one; a text that both have stays once."""
    there = searchable.alias("there")
    same = select(there.c.digest).where(there.c.page == root)
    connection.execute(delete(searchable).where(searchable.c.page == page, searchable.c.digest.in_(same)))
    connection.execute(update(searchable).where(searchable.c.page == page).values(page=root))


def _size(connection: Connection, root: str) -> int:
    found = connection.execute(select(func.count()).select_from(aliases).where(aliases.c.root == root)).scalar_one()
    return max(1, int(found))
