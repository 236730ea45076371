"""A text: the post's own words and what is known about it. Pure values, no I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import date as Date  # noqa: N812  `date` is a field's name below
from datetime import datetime

from archive.limits import ENTRY_CHARACTERS
from archive.warc.capture import digest

_WORDS = frozenset({"title", "author", "language", "html", "published_raw", "modified_raw", "related", "named_by"})


def made_by(extractor: object) -> str:
    """What tells extractors apart in an index: a digest of the name, versions, options and profile of one."""
    return digest(json.dumps(extractor, sort_keys=True).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a publisher said of a post elsewhere than on its page, in a feed for instance."""

    title: str | None = None
    author: str | None = None
    published: datetime | None = None
    """Aware, UTC; None if it was not said or could not be read."""
    modified: datetime | None = None
    """Aware, UTC; None if it was not said or could not be read."""
    tags: tuple[str, ...] = ()
    language: str | None = None
    """As a feed states it for all its posts."""
    html: str | None = None
    """Content or summary as markup, not sanitised."""
    published_raw: str | None = None
    """The date of publication as it was written."""
    modified_raw: str | None = None
    """The date of the last change as it was written."""
    doubts: tuple[str, ...] = ()
    """What makes its dates doubtful: `unreadable`, `no zone` (read as UTC), `future` (more than a day after it was
    seen), `old` (before 1990)."""
    related: str | None = None
    """URL that the publisher relates to the post: for a link to somebody else's page, the post's own page."""
    named_by: str | None = None
    """What tells it from the others: `id`, `link` or `content`."""

    def as_json(self) -> dict[str, object]:
        """What is known of it, as JSON knows it; markup that is too long is left out."""
        known: dict[str, object] = {
            one.name: value.isoformat() if isinstance(value := getattr(self, one.name), datetime) else value
            for one in fields(self)
        }
        if self.html is not None and len(self.html) > ENTRY_CHARACTERS:
            known["html"] = None
        return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items() if value}

    @classmethod
    def from_json(cls, said: object) -> Entry | None:
        """The entry that `as_json` gave; None if there is none. What is unknown or of another kind is left out."""
        if not isinstance(said, dict):
            return None
        found: dict[str, object] = {}
        for name, value in said.items():
            if name in {"published", "modified"} and isinstance(value, str):
                found[name] = _instant(value)
            elif name in {"tags", "doubts"} and isinstance(value, list):
                found[name] = tuple(map(str, value))
            elif name in _WORDS and isinstance(value, str):
                found[name] = value
        return cls(**found)  # type: ignore[arg-type]


def _instant(written: str) -> datetime | None:
    """An aware instant; None of a day alone, or of what is none."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The clean text of one capture."""

    url: str
    """URL of the capture."""

    text: str
    """The post's own words: plain, one paragraph a line."""

    markdown: str
    """The same with its structure."""

    title: str | None = None
    author: str | None = None
    """Names joined with `; `."""
    published: datetime | Date | None = None
    """Aware instant with the offset that the page states, so that its day is the author's (a feed's is in UTC); or a
    day where no more is told."""
    modified: datetime | Date | None = None
    """As `published`."""
    site: str | None = None
    language: str | None = None
    """ISO 639-1 code."""
    tags: tuple[str, ...] = ()
    """Tags and categories, in the page's order."""
    canonical: str | None = None
    """Absolute URL that the page calls its own; not followed, not compared with `url`."""
    license: str | None = None
    """Absolute URL of the licence that the page links to."""
    image: str | None = None
    """Absolute URL of the lead image; not fetched."""
    sources: dict[str, str] = field(default_factory=dict)
    """For each of the facts above that is known where it stood: `feed`, `json-ld`, `meta`, `page`, `url` or `text`."""
    comments: str = ""
    """Readers' comments; not part of `text`."""
    extractor: dict[str, str] = field(default_factory=dict)
    """Name, version and options of what made this text, and the site profile that it was given."""
    entry: Entry | None = None
    """What was said of the post elsewhere when this text was made."""

    @property
    def digest(self) -> str:
        """Digest of the plain text as it is stored, `sha1:BASE32`."""
        return digest(self.text.encode("utf-8", "replace"))

    def fields(self) -> dict[str, object]:
        """Everything but the plain text, as JSON knows it."""
        return {
            "title": self.title,
            "author": self.author,
            "published": self.published.isoformat() if self.published else None,
            "modified": self.modified.isoformat() if self.modified else None,
            "site": self.site,
            "language": self.language,
            "tags": list(self.tags),
            "canonical": self.canonical,
            "license": self.license,
            "image": self.image,
            "sources": dict(self.sources),
            "markdown": self.markdown,
            "comments": self.comments,
            "extractor": dict(self.extractor),
            "entry": self.entry.as_json() if self.entry else None,
        }
