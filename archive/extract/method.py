"""How the texts of a site are extracted; cheap to import, unlike the extractors. Pure values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from archive.extract.site_rules import SiteRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How texts are extracted."""

    extractor: str = "judged"
    """The name of an extractor."""
    rules: SiteRules | None = None
    """The operator's rules for the site."""
    witness: str | None = None
    """`pressmark`, `trafilatura` or `joined`: what the judged extractor is to choose, so that a text can be compared
    with one for which it chose that; None: by the evidence."""


DEFAULT = Method()
