"""Identity of feed entries: which entry this is (key), and whether it was edited (digest). Pure, no I/O."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from functools import lru_cache

_KEY_CHARACTERS = 500
"""How much of its text identifies an entry that has neither id nor link."""
_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_ADDRESS = re.compile(
    r"""[hHsS](?<!\w[hHsS])(?:[rR][eE][fF]|[rR][cC])\s*=\s*["']?(?:[hH][tT][tT][pP][sS]?:)?([^"'\s>?#]*)"""
)
"""The target of a link or image; written so that the search for its first letter is fast."""
_IMAGE = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_COUNTS = re.compile(r"""\b(?:width|height)\s*=\s*["']?[01]\b|/_/stat\b|/pixel|/beacon|tracker\.""", re.IGNORECASE)
"""Signs of a tracking pixel."""
_UNSEEN = re.compile(
    r"<!--(?:-?>|.*?(?:-->|\Z))|<script\b.*?(?:</script\s*>|\Z)|<style\b.*?(?:</style\s*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
"""Invisible markup. Without an end tag it extends to the end of the text, as in a browser: each match is one pass."""


def key(known: str) -> str:
    """SHA-256 of what identifies an entry: http and https are the same, as a blog's move to https edits no post."""
    return hashlib.sha256(_SCHEME.sub("//", known).encode()).hexdigest()


def beginning(*, title: str | None, published: datetime | None, text: str | None) -> str | None:
    """What identifies an entry without id and link; None if it has no title, date and text either."""
    begins = (text or "")[:_KEY_CHARACTERS]
    date = published.isoformat() if published else ""
    return json.dumps([title or "", date, begins]) if title or date or begins else None


def digest(
    *, link: str | None, title: str | None, summary: str | None, content: str | None, updated: datetime | None
) -> str:
    """SHA-256 of an entry's visible words and addresses.

    Markup, scripts, styles, comments, query strings and tracking pixels change without an edit and do not count.
    """
    parts = (_SCHEME.sub("//", link or ""), _essence(title), _essence(summary), _essence(content), str(updated))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@lru_cache(maxsize=2)  # feeds without summaries have their content there too
def _essence(markup: str | None) -> str:
    """The words of markup and the targets of its links and images."""
    if not markup:
        return ""
    bare = _IMAGE.sub(lambda image: "" if _COUNTS.search(image[0]) else image[0], _UNSEEN.sub(" ", markup))
    return " ".join([*_TAG.sub(" ", bare).split(), *(_ADDRESS.findall(bare) if "=" in bare else ())])
