"""A verdict: why a page is not the post. Pure values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "login",
    "paywall",
    "consent",
    "challenge",
    "script",
    "error",
    "front",
    "refresh",
    "empty",
    "media",
    "other",
    "foreign",
]
"""What is there instead of the post: a form to log in; an offer to subscribe; a question for consent; a test whether a
person is asking; an empty page that scripts fill; an error page; the front page; a stub that leads on; no words at all;
something that is not a web page; another text; a page of somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a page is not the post."""

    kind: Kind
    reason: str
    """The evidence, one line for people."""
    certain: bool
    """If not, it is a doubt. It is settled by asking the site for a page that cannot exist: if that has the same words
    (`same_page_everywhere`), the page is not the post."""
