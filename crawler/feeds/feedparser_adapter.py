"""Adapter for feedparser's internals: our own element handlers, without changing feedparser for others. No I/O.

feedparser has no options for these rules, so they are methods of subclasses of its two parsers. `feedparser.parse`
refers to its parsers in its own module; we run a second, private copy of that module that refers to ours.
"""

from __future__ import annotations

import importlib.util
import io
import re
from typing import TYPE_CHECKING, Any

import feedparser.api

from crawler.errors import FeedError

if TYPE_CHECKING:
    from types import ModuleType

PRIVATE_NAMES = (
    "StrictFeedParser.can_be_relative_uri",
    "StrictFeedParser.namespaces",
    "StrictFeedParser._matchnamespaces",
    "StrictFeedParser._start_itunes_subtitle",
    "StrictFeedParser._end_itunes_subtitle",
    "StrictFeedParser._start_enclosure",
    "StrictFeedParser._start_guid",
    "StrictFeedParser._start_id",
    "StrictFeedParser._end_guid",
    "StrictFeedParser._end_id",
    "StrictFeedParser._enforce_href",
    "StrictFeedParser._save",
    "StrictFeedParser.push",
    "StrictFeedParser.pop",
    "StrictFeedParser.resolve_uri",
    "LooseFeedParser",
    "_FeedParserMixin",
)
"""Names in `feedparser.api` that we use although feedparser does not document them."""

_WEB_URL = re.compile(r"https?://", re.IGNORECASE)
_ANY_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def parse(body: bytes, *, url: str, content_type: str | None) -> Any:  # noqa: ANN401  feedparser's dict
    """Parse a feed document with feedparser; the markup is not sanitised.

    Args:
        body: The document.
        url: Base of relative links; empty leaves them unchanged.
        content_type: Of the response, for its charset.

    Raises:
        FeedError: feedparser failed on the document.
    """
    headers = {"content-type": content_type} if content_type else {}
    if url:
        headers["content-location"] = url
    try:
        return _api.parse(io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=True)
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError, ArithmeticError) as e:
        raise FeedError(f"cannot be read: {type(e).__name__}", url=url) from e


class _Handlers:
    """Our element handlers, in front of feedparser's own."""

    # An id is a name, not an address: it must not change with the location of the feed (RFC 4287 §4.2.6).
    can_be_relative_uri = frozenset(feedparser.api.StrictFeedParser.can_be_relative_uri) - {"id"}
    # RFC 5005 §2 under any prefix.
    namespaces = {  # noqa: RUF012  feedparser's attribute, never changed
        **feedparser.api.StrictFeedParser.namespaces,
        "http://purl.org/syndication/history/1.0": "fh",
    }
    _matchnamespaces = {uri.lower(): prefix for uri, prefix in namespaces.items()}  # noqa: RUF012  else it is shared

    def _start_itunes_subtitle(self: Any, _attributes: dict[str, str]) -> None:
        """A podcast's subtitle must not replace the description."""
        self.push("itunes_subtitle", 1)

    def _end_itunes_subtitle(self: Any) -> None:
        self.pop("itunes_subtitle")

    def _start_guid(self: Any, attributes: dict[str, str]) -> None:
        """A relative id is the post's URL only if the feed says so: many are mere names."""
        self.is_stated_permalink = attributes.get("ispermalink") == "true"
        super()._start_guid(attributes)  # type: ignore[misc]

    def _end_guid(self: Any) -> None:
        """An id that is a URL serves as the link of an entry without one, unless the feed denies it (RSS 2.0)."""
        value = self.pop("id")
        is_address = value and (_WEB_URL.match(value) or (self.is_stated_permalink and not _ANY_SCHEME.match(value)))
        if self.guidislink and is_address:
            self._save("link", value)
            self._save("permalink", value)

    _start_id, _end_id = _start_guid, _end_guid

    def _start_enclosure(self: Any, attributes: dict[str, str]) -> None:
        """Resolve a file's URL against the feed's base, like its links (XML Base)."""
        found = self._enforce_href(attributes)
        href = found.get("href", "").strip()
        if href and not _WEB_URL.match(href):
            found["href"] = self.resolve_uri(href) or href
        super()._start_enclosure(found)  # type: ignore[misc]


def _own_api() -> ModuleType:
    """A second copy of `feedparser.api`, whose `parse` uses our parsers."""
    spec = importlib.util.find_spec("feedparser.api")
    if spec is None or spec.loader is None:
        raise ImportError("feedparser.api cannot be loaded a second time; see crawler/feeds/feedparser_adapter.py")
    api = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(api)
    for name in ("StrictFeedParser", "LooseFeedParser"):
        setattr(api, name, type(name, (_Handlers, getattr(api, name)), {}))
    return api


_api = _own_api()
