"""What stands in the place of posts - challenges, logins, consent, paywalls, errors - by names and addresses.

The names are data, in `walls.toml`. No I/O except reading that file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import urlsplit

_LOGIN_PATH = re.compile(
    r"(?:^|/)(?:(?:user|member|customer|account|wp)s?[-_.]?)?"
    r"(?:log[-_]?in|sign[-_]?in|sign[-_]?up|register|auth|sso|accounts?|subscribe|anmelden|connexion)"
    r"(?:\.\w{1,5})?(?:/|$)",
    re.IGNORECASE,
)
_SESSIONS = re.compile(r"(?:^|/)(?:sessions?|oauth2?|users/auth|saml|openid|cas)(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Walls:
    """The content of `walls.toml`."""

    challenge_headers: Mapping[str, re.Pattern[str]]
    challenge_marks: tuple[str, ...]
    challenge_pages: tuple[str, ...]
    consent_marks: tuple[str, ...]
    consent_hosts: re.Pattern[str]
    paywall_names: tuple[str, ...]
    errors: re.Pattern[str]
    error_names: frozenset[str]


@cache
def walls() -> Walls:
    """The names in `walls.toml`, read once."""
    data = tomllib.loads(files("archive.extract").joinpath("walls.toml").read_text("utf-8"))

    def pattern(listed: Iterable[str]) -> re.Pattern[str]:
        return re.compile("|".join(listed), re.IGNORECASE)

    return Walls(
        challenge_headers={name: pattern([wanted]) for name, wanted in data["challenge"]["headers"].items()},
        challenge_marks=tuple(data["challenge"]["marks"]),
        challenge_pages=tuple(data["challenge"]["pages"]),
        consent_marks=tuple(data["consent"]["marks"]),
        consent_hosts=pattern(data["consent"]["hosts"]),
        paywall_names=tuple(data["paywall"]["names"]),
        errors=pattern(data["error"]["wording"]),
        error_names=frozenset(data["error"]["names"]),
    )


def marked(text: str, marks: Iterable[str]) -> str | None:
    """The first of the marks that is in a text; None if none is."""
    # Not a regular expression of them: that is a hundred times slower on long scripts.
    lower = text.lower()
    return next((mark for mark in marks if mark in lower), None)


@lru_cache(maxsize=8_192)
def names_paywall(names: str) -> str | None:
    """The name of a paywall in the class or id of an element; None if there is none."""
    return marked(names, walls().paywall_names)


def leads_to_login(url: str) -> bool:
    """Whether the path of a URL is one at which people log in or register."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return False
    return _LOGIN_PATH.search(path) is not None or _SESSIONS.search(path) is not None


def names_error(text: str) -> bool:
    """Whether a title or the beginning of a text is that of an error page."""
    return walls().errors.search(text) is not None


def challenge_in_headers(headers: Mapping[str, str]) -> str | None:
    """What in the headers of a response marks it as a challenge; None if nothing does."""
    known = walls().challenge_headers
    for name, value in headers.items():
        wanted = known.get(name.lower())
        if wanted is not None and wanted.search(value):
            return f"header {name}"
    return None
