"""Detection of deleted posts: login walls, redirects to the front page, soft 404. Pure rules, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from archive.warc.codings import unicode_html
from crawler.limits import VANISHED_BYTES
from crawler.model.visits import Gone

SIMILAR = 0.9
"""Minimum share of common words for two texts to count as the same."""
CHANGED = 0.3
"""Share of the earlier words below which a page may be a different page."""

_LOGIN_PATH = re.compile(
    r"(?:^|/)(?:(?:user|member|customer|account|wp)s?[-_.]?)?"
    r"(?:log[-_]?in|sign[-_]?in|sign[-_]?up|register|auth|sso|accounts?|subscribe|anmelden|connexion)"
    r"(?:\.\w{1,5})?(?:/|$)",
    re.IGNORECASE,
)
_PASSWORD = re.compile(rb"""<input\b[^<>]{0,500}\btype\s*=\s*["']?password""", re.IGNORECASE)
_TITLE = re.compile(r"<title[^<>]{0,500}>([^<]{0,500})", re.IGNORECASE)
_NOT_FOUND = re.compile(
    r"\b404\b|not\s+found|(?:does\s*n[o'\u2019]t|no\s+longer)\s+(?:exist|available)|page\s+is\s+(?:gone|missing)"
    r"|(?:can(?:no|['\u2019])t|could\s*n[o'\u2019]t)\s+(?:be\s+)?f(?:i|ou)nd|nothing\s+(?:was\s+)?(?:found|here)|has\s+been\s+(?:deleted|removed)"
    r"|(?:nicht|niet)\s+(?:mehr\s+)?(?:gefunden|gevonden|verf[üu]gbar|vorhanden)|existiert\s+nicht"
    r"|introuvable|n['\u2019]existe\s+(?:pas|plus)|no\s+(?:encontrad[ao]|existe)|n[ãa]o\s+(?:encontrad[ao]|existe)"
    r"|non\s+(?:trovat[ao]|esiste)|не\s+найден|не\s+существует|ページが見つかりません|存在しません|找不到|不存在|찾을\s*수\s*없",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_HEAD_BYTES = 64 * 1024
"""How much of a page is searched for its title."""
_BEGINNING = 400
"""Length of the beginning of a text that is searched for an error message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The response at the URL of a post."""

    asked: str
    """URL of the post."""
    url: str
    """URL that answered, after redirects."""
    status: int
    site: str | None
    """Front page of the blog, as its feed states it."""
    title: str = ""
    text: str = ""
    """Words of the page; empty if no text was found."""
    before: str | None = None
    """Words of the post before; None if no text of it is archived."""
    asks_password: bool = False


def by_address(seen: Seen) -> Gone | None:
    """Why a post is gone, decided by status and URL alone."""
    if seen.status == 401:  # noqa: PLR2004  unauthorized
        return "login"
    if seen.status != 200 or seen.url == seen.asked:  # noqa: PLR2004  ok
        return None
    asked, came = urlsplit(seen.asked), urlsplit(seen.url)
    if _LOGIN_PATH.search(came.path) and not _LOGIN_PATH.search(asked.path):
        return "login"
    front = (seen.site and _bare(seen.url) == _bare(seen.site)) or not came.path.strip("/")
    if (asked.path.strip("/") or asked.query) and front and _bare(seen.asked) != _bare(seen.url):
        return None if came.query and came.query == asked.query else "home"
    return None


def is_other(seen: Seen) -> bool:
    """Whether so little of the text is left that it may be a different page."""
    return seen.before is not None and overlap(seen.before, seen.text) < CHANGED


def by_words(seen: Seen) -> Gone | None:
    """Why a post is gone, decided by the words of a page with a different text (soft 404, login wall)."""
    if seen.asks_password:
        return "login"
    if _NOT_FOUND.search(seen.title) or _NOT_FOUND.search(seen.text[:_BEGINNING]):
        return "soft-404"
    return None


def overlap(before: str, now: str) -> float:
    """Share of the distinct words of one text that the other one contains; 1 if there were none."""
    old = set(_WORD.findall(before.lower()))
    return len(old & set(_WORD.findall(now.lower()))) / len(old) if old else 1.0


def same(one: str, other: str) -> bool:
    """Whether two texts are the same except for a few words, such as the requested URL."""
    return min(overlap(one, other), overlap(other, one)) >= SIMILAR


def asks_password(body: bytes) -> bool:
    """Whether a page has a field for a password."""
    return _PASSWORD.search(body[:VANISHED_BYTES]) is not None


def title(body: bytes) -> str:
    """A page's title, roughly."""
    found = _TITLE.search(unicode_html(body[:_HEAD_BYTES], None))
    return found[1].strip() if found else ""


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}"
