"""The Markdown of a block and the links in it, made when they are first asked for. No I/O.

A page has ten times as many blocks as its post: of most of them only the words are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from lxml.html import HtmlElement

from archive.extract import markdown
from archive.extract.addresses import href_target
from archive.extract.characters import collapsed, composed
from archive.extract.markdown import (
    BREAK,
    FIRST_TARGET,
    LAST_TARGET,
    LINKED,
    REFERENCES,
    TOGGLES,
    number_of,
)
from archive.extract.outward import leads_away
from archive.extract.text import Link
from archive.limits import LINK_CHARACTERS

Markup = tuple[str, tuple[Link, ...]]
"""The Markdown of a block by itself, and the links in it."""


class Written:
    """What a block is in Markdown."""

    def __init__(self, make: Callable[[], Markup], *, url: str, first: str = "", rest: str = "") -> None:
        """`make`: writes it; `url`: of the page; `first`, `rest`: what stands before its first and its other lines."""
        self._make, self._url, self._first, self._rest = make, url, first, rest

    @cached_property
    def _made(self) -> Markup:
        return self._make()

    @property
    def links(self) -> tuple[Link, ...]:
        """The links in it."""
        return self._made[1]

    @cached_property
    def markdown(self) -> str:
        """Its Markdown, within the lists and quotations around it."""
        lines = self._made[0].split("\n")
        rest = (self._rest + line if line else self._rest.rstrip() for line in lines[1:])
        return "\n".join([self._first + lines[0], *rest])

    @cached_property
    def outward(self) -> int:
        """Characters of its links that lead to other sites."""
        return sum(len(link.words) for link in self.links if leads_away(link.target, self._url))


class Targets:
    """Where the links of a page lead, by the number of their character; the first leads nowhere."""

    def __init__(self, url: str) -> None:
        """`url`: what they are relative to."""
        self._url = url
        self._links: list[tuple[HtmlElement | None, str]] = [(None, "")]
        self._known: dict[int, str] = {0: ""}

    def add(self, element: HtmlElement, href: str) -> str:
        """The character that stands for the target of a link."""
        number = len(self._links)
        if not href or href.isspace() or number > LAST_TARGET - FIRST_TARGET:
            return chr(FIRST_TARGET)
        self._links.append((element, href))
        return chr(FIRST_TARGET + number)

    def address(self, number: int) -> str:
        """The absolute address; empty if it is none that is kept."""
        if number not in self._known:
            self._known[number] = href_target(self._url, self._links[number][1])
        return self._known[number]

    def rel(self, number: int) -> str:
        """The `rel` of a link, in lower case; empty if it has none."""
        element = self._links[number][0]
        return "" if element is None else " ".join((element.get("rel") or "").lower().split())[:LINK_CHARACTERS]


def paragraph(text: str, targets: Targets, heading: int) -> Markup:
    """A paragraph with marks; `heading`: its level if it is one, else 0."""
    marked = composed(markdown.inline(text, targets.address))
    if heading:
        marked = "#" * heading + " " + marked.replace("\n", " ")
    return marked, tuple(_links(text, targets)) if markdown.LINK in text else ()


def _links(text: str, targets: Targets) -> list[Link]:
    """The links in a paragraph that lead somewhere and have words."""
    found = []
    for character, marked in LINKED.findall(text):
        number = number_of(character)
        words = collapsed(TOGGLES.sub("", REFERENCES.sub("", marked).replace(BREAK, " "))).strip()
        if words and (target := targets.address(number)):
            found.append(Link(target=target, words=composed(words)[:LINK_CHARACTERS], rel=targets.rel(number)))
    return found
