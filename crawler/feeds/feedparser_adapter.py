"""Adapter for feedparser's internals: its two parsers with element handlers of our own. No I/O.

feedparser has no options for these rules, so they are methods of subclasses of its parsers, and `feedparser.parse` is
replaced by two functions: one for well-formed XML, one for the rest. Nobody else's feedparser is changed.
"""

from __future__ import annotations

import io
import re
import xml.sax
from email.utils import parseaddr
from typing import Any

import feedparser.api
import feedparser.sanitizer

from crawler.errors import FeedError
from crawler.feeds import links

PRIVATE_NAMES = (
    "api.StrictFeedParser.can_be_relative_uri",
    "api.StrictFeedParser.namespaces",
    "api.StrictFeedParser._matchnamespaces",
    "api.StrictFeedParser._start_itunes_subtitle",
    "api.StrictFeedParser._end_itunes_subtitle",
    "api.StrictFeedParser._start_enclosure",
    "api.StrictFeedParser._start_link",
    "api.StrictFeedParser._end_author",
    "api.StrictFeedParser._end_managingeditor",
    "api.StrictFeedParser._sync_author_detail",
    "api.StrictFeedParser._get_context",
    "api.StrictFeedParser._save_author",
    "api.StrictFeedParser._start_guid",
    "api.StrictFeedParser._start_id",
    "api.StrictFeedParser._end_guid",
    "api.StrictFeedParser._end_id",
    "api.StrictFeedParser._enforce_href",
    "api.StrictFeedParser._save",
    "api.StrictFeedParser.push",
    "api.StrictFeedParser.pop",
    "api.StrictFeedParser.resolve_uri",
    "api.StrictFeedParser.strattrs",
    "api.StrictFeedParser.unknown_starttag",
    "api.LooseFeedParser",
    "sanitizer.replace_doctype",
    "urls.make_safe_absolute_uri",
)
"""Names in `feedparser` that we use although feedparser does not document them."""

_WEB_URL = re.compile(r"https?://", re.IGNORECASE)
_ANY_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_RELATION = re.compile(r"https?://www\.iana\.org/assignments/relation/", re.IGNORECASE)
_ROOTS = frozenset({"feed", "rss", "rdf:rdf"})
_FAULTS = (ValueError, LookupError, AttributeError, TypeError, AssertionError, ArithmeticError)
"""What feedparser raises on documents that it does not expect."""


class NotWellFormedError(FeedError):
    """A document is not well-formed XML."""


def well_formed(body: bytes, *, url: str) -> Any:  # noqa: ANN401  feedparser's dict
    """Parse a feed document that is well-formed; markup stays as it is: not sanitised, with relative links.

    Args:
        body: The document, in UTF-8, without XML declaration.
        url: Base of relative links; empty leaves them unchanged.

    Raises:
        NotWellFormedError: It is not well-formed.
        FeedError: feedparser failed on it.
    """
    version, data, _ = feedparser.sanitizer.replace_doctype(body)
    parser = _Strict(_base(url), None, "utf-8")
    sax = xml.sax.make_parser()  # noqa: S317  entities are removed above, none is loaded
    sax.setFeature(xml.sax.handler.feature_namespaces, state=True)
    sax.setFeature(xml.sax.handler.feature_external_ges, state=False)
    sax.setContentHandler(parser)
    sax.setErrorHandler(parser)
    source = xml.sax.xmlreader.InputSource()
    source.setByteStream(io.BytesIO(data))
    source.setEncoding("utf-8")
    try:
        sax.parse(source)
    except xml.sax.SAXException as e:
        raise NotWellFormedError("is not well-formed", url=url) from e
    except _FAULTS as e:
        raise FeedError(f"cannot be read: {type(e).__name__}", url=url) from e
    return _found(parser, version)


def ill_formed(body: bytes, *, url: str) -> Any:  # noqa: ANN401  feedparser's dict
    """Parse a document as `well_formed` does, whatever is wrong with its XML.

    Raises:
        FeedError: feedparser failed on it.
    """
    try:
        version, data, entities = feedparser.sanitizer.replace_doctype(body)
        parser = _Loose(_base(url), None, "utf-8", entities)
        parser.feed(data.decode("utf-8", "replace"))
    except _FAULTS as e:
        raise FeedError(f"cannot be read: {type(e).__name__}", url=url) from e
    return _found(parser, version)


def _base(url: str) -> str:
    return feedparser.urls.make_safe_absolute_uri(url) or ""


def _found(parser: Any, version: str | None) -> Any:  # noqa: ANN401  feedparser's parser and dict
    return feedparser.FeedParserDict(
        feed=parser.feeddata, entries=parser.entries, version=version or parser.version, root=parser.root
    )


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
    resolve_relative_uris = False
    sanitize_html = False
    root: str | None = None
    """Name of the root element."""

    def unknown_starttag(self: Any, tag: str, attributes: list[tuple[str, str]]) -> None:
        if self.root is None:
            self.root = tag.lower()
        super().unknown_starttag(tag, attributes)  # type: ignore[misc]
        if self.lang and tag.lower() in _ROOTS:  # feedparser misses that of RDF
            self.feeddata.setdefault("language", self.lang.replace("_", "-"))

    def resolve_uri(self: Any, uri: str) -> str:
        """A link may lack its scheme."""
        return links.absolute(self.baseuri or "", uri)

    @staticmethod
    def strattrs(attributes: list[tuple[str, str]]) -> str:
        """Relative links in markup are resolved, so its own base must not apply once more."""
        kept = [(name, value) for name, value in attributes if name != "xml:base"]
        return str(feedparser.api.StrictFeedParser.strattrs(kept))

    def _start_link(self: Any, attributes: dict[str, str]) -> None:
        """A relation may be written as a URI (RFC 4287 §4.2.7.2); the language of an entry's pages counts."""
        if "rel" in attributes:
            attributes["rel"] = _RELATION.sub("", attributes["rel"].strip()) or "alternate"
        self._get_context().setdefault("xml_lang", self.lang)
        super()._start_link(attributes)  # type: ignore[misc]

    def _end_managingeditor(self: Any) -> None:
        """An editor need not be the author."""
        self._end_author()
        self._get_context()["authors"][-1]["is_editor"] = True

    def _sync_author_detail(self: Any, key: str = "author") -> None:
        """`address (name)` and `name <address>` (RFC 5322 §3.4); feedparser knows addresses of old domains alone."""
        context = self._get_context()
        detail = (context.get(f"{key}s") or [None])[-1]
        stated = context.get(key)
        if detail is not None and not detail and stated and "@" in stated:
            name, address = parseaddr(stated)
            if "@" in address:
                detail.update({"name": name, "email": address} if name else {"email": address})
        super()._sync_author_detail(key)  # type: ignore[misc]

    def _save_author(self: Any, key: str, value: str, prefix: str = "author") -> None:
        """The owner of a podcast must not replace its author."""
        if prefix == "author":
            super()._save_author(key, value, prefix)  # type: ignore[misc]

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


_Strict = type("_Strict", (_Handlers, feedparser.api.StrictFeedParser), {})
_Loose = type("_Loose", (_Handlers, feedparser.api.LooseFeedParser), {})
