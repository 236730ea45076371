"""Which URLs are the same page: one notion for index, retrieval, frontier, backfill and subscriptions. No I/O.

Two URLs are one page if they differ only in scheme, `www.`, default port, letter case of the host, percent-encoding
(RFC 3986 §6.2.2), order of the query, session ids, tracking parameters, a slash at the end or the fragment. What a
site itself says, by redirects and canonical links, is evidence with a record: `archive.index.aliases`.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import quote, urlsplit

import idna

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE = "!$&'()*+,/:;=?@%~-._[]"
"""Characters that stay as they are: unreserved, reserved, and the percent sign of an escape."""
_TOKEN = re.compile(r"[0-9a-fA-F]{16,}|(?=.*\d)(?=.*[A-Za-z])(?:[0-9a-fA-F]{8,}|[0-9A-Za-z._!-]{20,})")
"""What a session id looks like."""
_PATH_SESSION = re.compile(
    r";(?:jsessionid|phpsessid|sid|sessionid|cfid|cftoken)=[^/;?]*|/\([A-Za-z]\([0-9A-Za-z]{20,}\)\)(?=/)",
    re.IGNORECASE,
)
"""Session ids in paths: of Java servers, and of ASP.NET without cookies."""
_DEFAULT_PORTS = frozenset({80, 443})


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules in tracking.toml."""

    prefixes: tuple[str, ...]
    tracking: frozenset[str]
    source_names: frozenset[str]
    source_values: re.Pattern[str]
    sessions: frozenset[str]
    session_names: frozenset[str]


@cache
def _rules() -> _Rules:
    said = tomllib.loads(files("archive.warc").joinpath("tracking.toml").read_text())
    values = "|".join(map(re.escape, said["source_values"]))
    return _Rules(
        prefixes=tuple(said["tracking_prefixes"]),
        tracking=frozenset(said["tracking"]),
        source_names=frozenset(said["source_names"]),
        source_values=re.compile(rf"(?:{values})(?![a-z])[^/]*", re.IGNORECASE),
        sessions=frozenset(said["sessions"]),
        session_names=frozenset(said["session_names"]),
    )


def page_key(url: str) -> str:
    """Key of the page at a URL: SHA-256 of its identity, in a length that any database can index."""
    return _key(page_identity(url))


def post_key(url: str) -> str:
    """Key of a post with an address of its own: as `page_key`, but a fragment counts."""
    fragment = url.partition("#")[2]
    return _key(f"{page_identity(url)}#{_escaped(fragment)}") if fragment else page_key(url)


def _key(identity: str) -> str:
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=8192)
def page_identity(url: str) -> str:
    """What all URLs of one page have in common, such as `blog.example/2025/a-post?x=1`; for comparison only.

    A text that is not an http or https URL is its own identity, without a fragment.
    """
    whole = url.partition("#")[0].strip()
    try:
        parts = urlsplit(whole)
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return whole
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return whole
    where = host if port is None or port in _DEFAULT_PORTS else f"{host}:{port}"
    query = _query(parts.query)
    return f"{where}{_path(parts.path)}{'?' + query if query else ''}"


def same_page(one: str, other: str) -> bool:
    """Whether two URLs are spellings of one page."""
    return one == other or page_identity(one) == page_identity(other)


def is_front(url: str) -> bool:
    """Whether a URL is the front page of its host."""
    return not page_identity(url).partition("/")[2] and "?" not in page_identity(url)


def without_fragment(url: str) -> str:
    """The URL as it is requested."""
    return url.partition("#")[0]


def without_tracking(url: str) -> str:
    """The URL without tracking parameters; everything else as it is written."""
    before, mark, query = url.partition("#")[0].partition("?")
    if not mark:
        return before
    kept = [pair for pair in query.split("&") if not _tracks(pair)]
    return f"{before}?{'&'.join(kept)}" if kept else before


def _host(host: str) -> str:
    host = host.rstrip(".").lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            return host
    bare = host.removeprefix("www.")
    return bare if "." in bare or ":" in bare else host


def _path(path: str) -> str:
    path = _escaped(_PATH_SESSION.sub("", path))
    if "/." in path:  # RFC 3986 §5.2.4
        path = posixpath.normpath(path).replace("//", "/")
    return path.rstrip("/")


def _query(query: str) -> str:
    pairs = (_escaped(pair) for pair in query.split("&") if pair)
    return "&".join(sorted(pair for pair in pairs if not _tracks(pair) and not _is_session(pair)))


def _tracks(pair: str) -> bool:
    """Whether a parameter says how the reader came to the page."""
    rules = _rules()
    name, _, value = pair.partition("=")
    name = name.lower().removeprefix("amp;")
    if name in rules.tracking or name.startswith(rules.prefixes):
        return True
    return name in rules.source_names and rules.source_values.fullmatch(value) is not None


def _is_session(pair: str) -> bool:
    """Whether a parameter is a session id."""
    name, _, value = pair.partition("=")
    name = name.lower()
    rules = _rules()
    if name in rules.sessions or name.startswith("aspsessionid"):
        return True
    return name in rules.session_names and _TOKEN.fullmatch(value) is not None


def _escaped(part: str) -> str:
    """A part of a URL with only the necessary escapes, in upper case; other characters as escapes of their UTF-8."""
    plain = _ESCAPE.sub(_normal, part)
    return quote(plain, safe=_SAFE, errors="surrogatepass")


def _normal(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()
