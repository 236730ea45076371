"""Identity of feed entries: which entry this is (key), and whether it was edited (digest). Pure, no I/O."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from archive.warc.page_identity import page_identity

_KEY_CHARACTERS = 500
"""How much of its text identifies an entry that has neither id nor link."""
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_ADDRESS = re.compile(
    r"""[hHsS](?<!\w[hHsS])(?:[rR][eE][fF]|[rR][cC])\s*=\s*["']?(?:[hH][tT][tT][pP][sS]?:)?([^"'\s>?#]*)"""
)
"""The target of a link or image; written so that the search for its first letter is fast."""
_WAY = re.compile(r"^//(?:www\.)?|/$", re.IGNORECASE)
"""What does not make another address: `www.`, a slash at the end."""
_IMAGE = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_COUNTS = re.compile(r"""\b(?:width|height)\s*=\s*["']?[01]\b|/_/stat\b|/pixel|/beacon|tracker\.""", re.IGNORECASE)
"""Signs of a tracking pixel."""
_UNSEEN = re.compile(
    r"<!--(?:-?>|.*?(?:-->|\Z))|<script\b.*?(?:</script\s*>|\Z)|<style\b.*?(?:</style\s*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
"""Invisible markup. Without an end tag it extends to the end of the text, as in a browser: each match is one pass."""
_NUMBER = re.compile(r"\d[\d.,\u202f]*+(?:[kKmM]\b)?(?:(\s\w+?)s\b)?")
"""A number, and the word after it if that is in the plural: `1 comment`, `2,031 comments`. Each match is one pass."""
_WHOLE, _WORDS = 24, 44
"""Where the parts of a digest end: all that counts, the same without dates, the same without numbers."""

Change = Literal["date", "numbers", "words"]
"""What an edit, or what looks like one, changed at most: dates alone, numbers too, or words."""


def key(known: str) -> str:
    """SHA-256 of what identifies an entry. An id that is a URL is the same in every spelling of it."""
    return hashlib.sha256(_named(known).encode("utf-8", "surrogatepass")).hexdigest()


def _named(known: str) -> str:
    """An id for comparison: `archive.warc.page_identity` of a URL, with its fragment."""
    if not _SCHEME.match(known):
        return known
    fragment = known.partition("#")[2]
    return f"//{page_identity(known)}{'#' + fragment if fragment else ''}"


def beginning(*, title: str | None, published: datetime | None, text: str | None) -> str | None:
    """What identifies an entry without id and link; None if it has no title, date and text either."""
    begins = (text or "")[:_KEY_CHARACTERS]
    date = published.isoformat() if published else ""
    return json.dumps([title or "", date, begins]) if title or date or begins else None


def digest(
    *, link: str | None, title: str | None, summary: str | None, content: str | None, updated: datetime | None
) -> str:
    """Hashes of an entry's visible words and addresses: with dates, without them, without numbers; see `change`.

    Markup, scripts, styles, comments, query strings and tracking pixels change without an edit and do not count.
    """
    text = _essence(content)
    brief = text if summary is content else _essence(summary)  # feeds without a summary have their content there too
    parts = (_named((link or "").partition("#")[0]), _essence(title), brief, text, str(updated))
    bare = [parts[0], *(_NUMBER.sub(r"#\1", part) for part in parts[1:4])]
    whole, words, steady = (_hash(one) for one in (parts, parts[:4], bare))
    return whole[:_WHOLE] + words[: _WORDS - _WHOLE] + steady[: 64 - _WORDS]


def former_digest(
    *, link: str | None, title: str | None, summary: str | None, content: str | None, updated: datetime | None
) -> str:
    """The digest that versions up to 0.2 stored."""
    parts = (_SCHEME.sub("//", link or ""), *(_essence(one, bare=False) for one in (title, summary, content)))
    return _hash([*parts, str(updated)])


def change(before: str, now: str) -> Change | None:
    """What differs between two digests of an entry; None if nothing does.

    Nothing can be told from `former_digest`: every difference counts as one of words.
    """
    if before[:_WHOLE] == now[:_WHOLE]:
        return None
    if before[_WHOLE:_WORDS] == now[_WHOLE:_WORDS]:
        return "date"
    return "numbers" if before[_WORDS:] == now[_WORDS:] else "words"


def _hash(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _essence(markup: str | None, *, bare: bool = True) -> str:
    """The words of markup and the targets of its links and images; `bare`: without what makes no other address."""
    if not markup:
        return ""
    seen = _IMAGE.sub(lambda image: "" if _COUNTS.search(image[0]) else image[0], _UNSEEN.sub(" ", markup))
    found = _ADDRESS.findall(seen) if "=" in seen else ()
    addresses = (_WAY.sub("", address) for address in found) if bare else found
    return " ".join([*_TAG.sub(" ", seen).split(), *addresses])
