"""Which URLs are of one host or site; which are one page, `archive.warc.page_identity` knows. Pure, no I/O."""

from __future__ import annotations

import hashlib
import re
import zlib
from functools import lru_cache
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit, urlunsplit

import tldextract

from crawler.model.visits import SHARDS

_DEFAULT_PORTS = frozenset({80, 443})
_BEFORE_HTTP = re.compile(r"^feed:(?://)?(?=https?:)", re.IGNORECASE)
_BEFORE_HOST = re.compile(r"^feed:(?://)?(?![\w+.-]+:(?!\d))(?=[^/])", re.IGNORECASE)


def key(url: str) -> str:
    """SHA-256 of a URL: its fixed length lets any database index it."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def joined(base: str, url: str) -> str | None:
    """A link resolved against its base (RFC 3986 §5); None if that is impossible."""
    try:
        return urljoin(base, url)
    except ValueError:
        return None


def as_http(url: str) -> str:
    """The http or https URL that a `feed:` URL stands for (`feed://host/…`, `feed:https://…`); others unchanged."""
    return _BEFORE_HOST.sub("http://", _BEFORE_HTTP.sub("", url.strip()))


def with_query(url: str, **changed: str) -> str:
    """A URL with these query parameters, which replace any of the same name."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    return urlunsplit(parts._replace(query=urlencode({**query, **changed}, safe=",")))


def host_of(url: str) -> str:
    """Host of a URL, as the frontier stores it."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")[:255]
    except ValueError:
        return ""


def authority(url: str) -> str:
    """Host and port of a URL, by which the requests to it are counted; empty if it has none.

    Neither a user name, letter case, a dot at the end nor a default port makes another host.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    return host if port is None or port in _DEFAULT_PORTS else f"{host}:{port}"


def shard(url: str) -> int:
    """Shard number of a URL's registrable domain, or of its host if it has none: a host is always in one shard."""
    return shard_of(host_of(url))


@lru_cache(maxsize=65_536)
def shard_of(host: str) -> int:
    """`shard` of all URLs with that host."""
    return zlib.crc32(registrable_domain(host).encode()) % SHARDS


def registrable_domain(host: str) -> str:
    """The registrable domain of a host name; the host itself if it has none."""
    return _suffixes()(host).top_domain_under_public_suffix or host


@lru_cache(maxsize=1)
def _suffixes() -> tldextract.TLDExtract:
    """The public suffix list that tldextract ships; nothing is fetched."""
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def is_address(url: str) -> bool:
    """Whether a text is an http or https URL that can be fetched."""
    try:
        parts = urlsplit(url)
        _ = parts.port
        return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and bool(url.encode())
    except ValueError:
        return False
