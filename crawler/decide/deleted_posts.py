"""Detection of deleted posts: login walls, redirects to the front page, soft 404. Pure rules, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from archive.extract.walls import leads_to_login
from archive.limits import COMPARED_CHARACTERS
from crawler.limits import VANISHED_BYTES
from crawler.model.visits import Gone

CHANGED = 0.3
"""Share of the earlier words below which a page may be a different page."""

_PASSWORD = re.compile(rb"""<input\b[^<>]{0,500}\btype\s*=\s*["']?password""", re.IGNORECASE)
_WORD = re.compile(r"\w+")


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
    text: str = ""
    """Words of the page; empty if no text was found."""
    before: str | None = None
    """Words of the post before; None if no text of it is archived."""


def by_address(seen: Seen) -> Gone | None:
    """Why a post is gone, decided by status and URL alone."""
    if seen.status == 401:  # noqa: PLR2004  unauthorized
        return "login"
    if seen.status != 200 or seen.url == seen.asked:  # noqa: PLR2004  ok
        return None
    asked, came = urlsplit(seen.asked), urlsplit(seen.url)
    if leads_to_login(seen.url) and not leads_to_login(seen.asked):
        return "login"
    front = (seen.site and _bare(seen.url) == _bare(seen.site)) or not came.path.strip("/")
    if (asked.path.strip("/") or asked.query) and front and _bare(seen.asked) != _bare(seen.url):
        return None if came.query and came.query == asked.query else "home"
    return None


def is_other(seen: Seen) -> bool:
    """Whether so little of the text is left that it may be a different page."""
    return seen.before is not None and overlap(seen.before, seen.text) < CHANGED


def overlap(before: str, now: str) -> float:
    """Share of the distinct words of one text that the other one contains; 1 if there were none."""
    old, new = (set(_WORD.findall(text[:COMPARED_CHARACTERS].lower())) for text in (before, now))
    return len(old & new) / len(old) if old else 1.0


def asks_password(body: bytes) -> bool:
    """Whether a page has a field for a password."""
    return _PASSWORD.search(body[:VANISHED_BYTES]) is not None


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}"
