"""What a page says: the post's text, or why it is not the post. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from archive.errors import ExtractError
from archive.extract import pipeline
from archive.extract.site_profile import Profile
from archive.extract.text import Entry, Text
from archive.extract.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """What a page says: the post's text, or why it is not the post."""

    text: Text | None
    """None if there is a certain verdict."""
    verdict: Verdict | None
    words: str
    """The plain text of the page, also if it is not the post's: for comparison with other pages."""
    next_page: str | None = None
    """Absolute URL of the next page of the same post."""
    amp: str | None = None
    """Absolute URL of its AMP version."""
    canonical: str | None = None
    """Absolute canonical URL that the page states."""


def read_page(
    payload: bytes,
    *,
    url: str,
    asked: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str | None = None,
    date: datetime | None = None,
    entry: Entry | None = None,
    site: Profile | None = None,
    front: str | None = None,
) -> PageReading:
    """Read a page."""
    del asked, status, headers, front
    try:
        text = pipeline.extract(payload, url=url, content_type=content_type, date=date, entry=entry, site=site)
    except ExtractError as e:
        return PageReading(text=None, verdict=Verdict(kind="empty", reason=str(e), certain=True), words="")
    return PageReading(text=text, verdict=None, words=text.text)


def same_page_everywhere(words: str, probe_words: str) -> bool:
    """Whether a page that cannot exist has the same words as a page: then that is not a post."""
    return words.split() == probe_words.split()
