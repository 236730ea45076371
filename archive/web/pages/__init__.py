"""The web app's pages for people: one module a page, listed in one table."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from archive.web.pages import at, blogs, calendar, deletions, diff, downloads, exchange, home, posts, replay, search
from archive.web.pages.layout import Site, page_route

PAGES: tuple[tuple[str, Callable[[Site, Request], Response]], ...] = (
    ("/", home.home),
    ("/blogs", blogs.blogs),
    ("/blog/{host}", blogs.blog),
    ("/at", at.form),
    ("/at/{rest:path}", at.at),
    ("/post/{rest:path}", posts.post),
    ("/diff/{rest:path}", diff.diff),
    ("/replay/{rest:path}", replay.replay),
    ("/exchange/{rest:path}", exchange.exchange),
    ("/download/{form}/{rest:path}", downloads.download),
    ("/search", search.search),
    ("/deletions", deletions.deletions),
    ("/calendar", calendar.any_url),
    ("/web/*/{rest:path}", calendar.captures),
)
"""Path and function of each page. A new page is a module with such a function, a template, and a row here."""


def routes(site: Site) -> list[BaseRoute]:
    """The routes of all pages; they come before those of the mementos, which match `/web/*/` as well."""
    return [page_route(path, _bound(site, page)) for path, page in PAGES]


def _bound(site: Site, page: Callable[[Site, Request], Response]) -> Callable[[Request], Response]:
    return lambda request: page(site, request)
