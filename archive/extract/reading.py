"""What reading a page gives; cheap to import, unlike the reading itself. A pure value."""

from __future__ import annotations

from dataclasses import dataclass

from archive.extract.text import Text
from archive.extract.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """What a page says: the post's text, or why it is not the post."""

    text: Text | None
    """The post's text; None if there is a certain verdict. With an uncertain one, both are there."""
    verdict: Verdict | None
    """Why the page is not, or may not be, the post."""
    words: str
    """The plain text of the page, also if it is not the post's: for comparison with other pages."""
    next_page: str | None = None
    """Absolute URL of the next page of the same post."""
    amp: str | None = None
    """Absolute URL of its AMP version."""
    canonical: str | None = None
    """Absolute canonical URL that the page states."""
    is_section: bool = False
    """Whether it is what the page says in the section that the URL's fragment names."""
