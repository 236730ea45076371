"""WordPress: its REST API lists all posts (developer.wordpress.org/rest-api). No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from crawler.backfill.model import WORDPRESS, Found
from crawler.errors import FeedError
from crawler.feeds.model import FeedEntry, ParsedFeed
from crawler.model.url_identity import with_query

_FIELDS = "id,link,guid,date_gmt,modified_gmt,title"
_PAGE_SIZE = 100


def is_wordpress(parsed: ParsedFeed, url: str) -> bool:
    """Whether WordPress made a feed."""
    generator = (parsed.feed.generator or "").lower()
    return "wordpress" in generator or (not generator and bool(re.search(r"/feed/?$|[?&]feed=", url)))


def posts_url(site: str, page: int = 1) -> str:
    """URL of one page of the list of posts; oldest first, so that new posts do not shift the pages."""
    return _list_url(api_of(site), page=page, order="asc")


def newest_url(api: str) -> str:
    """URL of the list of the newest posts; `api` is the root of the REST API."""
    return _list_url(api, order="desc")


def api_of(site: str) -> str:
    """Usual root of the REST API of a site."""
    return urljoin(site if site.endswith("/") else f"{site}/", "wp-json/")


def _list_url(api: str, *, order: str, **paging: int) -> str:
    query = {"per_page": _PAGE_SIZE, **paging, "orderby": "date", "order": order, "_fields": _FIELDS}
    # Without pretty permalinks, the path of the API is in the query: `/?rest_route=/`.
    return f"{api}wp/v2/posts{'&' if '?' in api else '?'}{urlencode(query, safe=',')}"


def read(body: bytes, url: str, headers: Mapping[str, str]) -> Found:
    """Read one page of the list of posts (developer.wordpress.org/rest-api/using-the-rest-api/pagination).

    Raises:
        FeedError: It is not a list of posts.
    """
    try:
        posts = json.loads(body)
    except (ValueError, RecursionError) as e:
        raise FeedError("is not a list of posts", url=url) from e
    if not isinstance(posts, list):
        raise FeedError("is not a list of posts", url=url)
    entries = tuple(entry for post in posts if isinstance(post, dict) and (entry := _post(post)))
    page = int(parse_qs(urlsplit(url).query).get("page", ["1"])[0])
    pages, total = _header_number(headers, "x-wp-totalpages"), _header_number(headers, "x-wp-total")
    more = page < pages if pages is not None else len(posts) == _PAGE_SIZE
    return Found(
        entries=entries,
        more=((with_query(url, page=str(page + 1)), WORDPRESS),) if more else (),
        total=total,
        complete=total is not None and not more,
    )


def _post(post: dict[str, Any]) -> FeedEntry | None:
    link = post.get("link")
    if not isinstance(link, str):
        return None
    guid, title = _rendered(post.get("guid")), _rendered(post.get("title"))
    return FeedEntry(
        id=guid, link=link, title=title, published=_gmt(post.get("date_gmt")), updated=_gmt(post.get("modified_gmt"))
    )


def _rendered(value: object) -> str | None:
    text = value.get("rendered") if isinstance(value, dict) else value
    return text.strip() or None if isinstance(text, str) else None


def _gmt(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else None
    except ValueError:
        return None


def _header_number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "").strip()
    return int(value) if value.isdecimal() and len(value) < 10 else None  # noqa: PLR2004  digits
