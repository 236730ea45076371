"""A change of an archived post, as programs see it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from archive.reader.text_edits import Edit
from archive.runtime.times import iso

Kind = Literal["new", "edited", "vanished", "back"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What can have happened to a post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to a post at an instant."""

    page: str
    """Key of the post's page."""
    at: datetime
    """Date of the capture that shows it; aware, UTC."""
    kind: Kind
    url: str
    host: str
    """Of the URL, without `www.`."""
    title: str | None
    tags: tuple[str, ...]
    edits: tuple[Edit, ...]
    """Of an edited post, as many as are kept; empty otherwise, and if its versions could not be compared."""
    size: int
    """Words that were removed or added by an edit."""
    detail: str
    """Why and since when a post is gone; empty otherwise."""
    id: int = 0
    """Its number in the order in which changes were found; 0 until it is kept."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of its edits, each once, in the order of the text."""
        return tuple(dict.fromkeys(edit.name for edit in self.edits))

    def as_json(self) -> dict[str, object]:
        """It as programs see it."""
        return {
            "id": self.id,
            "at": iso(self.at),
            "kind": self.kind,
            "url": self.url,
            "blog": self.host,
            "title": self.title,
            "tags": list(self.tags),
            "classes": list(self.classes),
            "size": self.size,
            "changes": [edit.as_json() for edit in self.edits],
            "detail": self.detail,
        }
