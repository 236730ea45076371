"""The home of trafilatura: parsing a page, and what it takes for the post and its comments. No I/O, no state.

Every option is fixed here and its cross-page deduplication is never used, so that the same page gives the same text on
every day and in every order.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from lxml.html import HtmlElement
from trafilatura import bare_extraction, load_html
from trafilatura.xml import xmltotxt

VERSION = version("trafilatura")


@dataclass(frozen=True, slots=True)
class Found:
    """What trafilatura takes for the post."""

    plain: str
    """Plain text, one paragraph a line."""
    markdown: str
    """The same as Markdown, without links and pictures."""
    comments: str


def parse(page: str) -> HtmlElement | None:
    """The tree of an HTML page; None if it is not one."""
    return load_html(page)


def find(tree: HtmlElement, url: str) -> Found | None:
    """The post of a page; None if it finds none. The tree is used up."""
    document = bare_extraction(
        tree,
        url=url,
        fast=False,
        favor_precision=False,
        favor_recall=False,
        include_comments=True,
        include_tables=True,
        include_images=False,
        include_formatting=True,
        include_links=False,
        deduplicate=False,
        with_metadata=False,
    )
    if document is None:
        return None
    plain, marked = (xmltotxt(document.body, include_formatting=formatted) for formatted in (False, True))
    return Found(plain, marked, (document.comments or "").strip())
