"""The home of trafilatura: parsing a page, and what it takes for the post and its comments. No I/O, no state.

Every option is fixed here and its cross-page deduplication is never used, so that the same page gives the same text on
every day and in every order.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version

from lxml.etree import ElementDefaultClassLookup, LxmlError
from lxml.html import HtmlComment, HtmlElement, HTMLParser, fromstring
from trafilatura import bare_extraction
from trafilatura.utils import is_dubious_html, repair_faulty_html
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


_PARSER = HTMLParser(collect_ids=False, default_doctype=False, encoding="utf-8", remove_comments=True, remove_pis=True)
"""As trafilatura's own, but for the next line."""
# One class for all elements, so that none has to be looked up in Python for each of them.
_PARSER.set_element_class_lookup(ElementDefaultClassLookup(element=HtmlElement, comment=HtmlComment))


def parse(page: str) -> HtmlElement | None:
    """The tree of an HTML page, as trafilatura makes it; None if it is not one."""
    beginning = page[:50].lower()
    repaired = repair_faulty_html(page, beginning)
    tree = None
    with suppress(ValueError):  # it declares an encoding: then bytes are asked for
        tree = _parsed(repaired)
    if tree is None or len(tree) < 1:
        tree = _parsed(repaired.encode("utf8", "surrogatepass"))
    is_page = tree is not None and (len(tree) > 1 or not is_dubious_html(beginning))
    return tree if is_page else None


def _parsed(page: str | bytes) -> HtmlElement | None:
    try:
        return fromstring(page, parser=_PARSER)
    except LxmlError:  # it is empty
        return None


def find(tree: HtmlElement, url: str) -> Found | None:
    """The post of a page; None if it finds none. The tree is not changed: trafilatura works on a copy."""
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
