"""The markup that metadata is read from, collected in one walk: the page's head, bylines, dates, headings. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from lxml.html import HtmlElement

from archive.limits import FIELD_CHARACTERS
from archive.runtime.storable import storable

MAX_LINE = 200
"""Characters above which an element is not a byline or date line."""
MAX_WALK = 60
"""Elements of one kind that are examined."""
_MAX_DEPTH = 22
_MAX_HEADINGS = 200
_AUTHOR_CLASSES = re.compile(
    r"(?:^|[\s_-])(?:author[_-]*(?:names?|link|title)|authors?|byline(?:[_-]*(?:names?|author|link))?|p-author|by[_-]?author"
    r"|written[_-]?by|autore?n?|auteur)(?:$|\s)|(?:document|article|post|entry|meta)Author\b",
    re.IGNORECASE,
)
_MAY_MARK = re.compile(r"autho|autor|auteu|byline|written|date|publi|pubda|poste|datum|fecha|times")
"""What each class for an author or a date contains, in lower case; a pre-filter that is ten times faster."""
_AUTHOR_LINKS = re.compile(r"/(?:authors?|autore?n?|auteurs?|redakteure?|contributors?)/[^/]", re.IGNORECASE)
DATE_CLASSES = re.compile(
    r"(?:^|[\s_-])(?:date|pubdate|published|posted|datum|fecha|timestamp|dt-published)(?:$|[\s_-])", re.IGNORECASE
)
MODIFIED_CLASSES = re.compile(
    r"(?:^|[\s_-])(?:(?:last|date)[_-]?)?(?:modified|updated?|edited)(?:$|[\s_-])|dateModified", re.IGNORECASE
)
_ELSEWHERE = re.compile(
    # Not the footer of a post itself, nor the wrappers that page builders name after possible content.
    r"comment|related|(?<!content-)(?<!has-)(?<!no-)(?<!with-)sidebar(?!-wrap)|(?<!elementor-)widget(?! Blog)"
    r"|(?<!post-)(?<!entry-)(?<!article-)footer|\bnav|recommend|teaser|popular|recent|more-|promo|disqus",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"(?:(?:posted|written|published|authored|words|text|erstellt)\b.{0,60}?\b)?"
    r"(?:by|von|par|por|authors?|autor(?:in)?|auteur)(?:\s|:|$)|posted on\b",
    re.IGNORECASE | re.DOTALL,
)
_FIRST = frozenset("aAbBeEpPtTvVwW")
"""First letters of these words."""
_HEAD = ("meta", "title", "script", "link")
_BODY = (
    "h3", "h4", "h5", "h6", "time", "a", "span", "div", "p", "address", "cite", "ul", "li", "dd", "td", "small", "em",
    "strong", "b", "i", "abbr",
)  # fmt: skip
_SPACE = re.compile(r"\s+")


@dataclass(slots=True)
class Markup:
    """The elements of a page that metadata is read from."""

    meta: dict[str, list[str]] = field(default_factory=dict)
    headings: list[HtmlElement] = field(default_factory=list)
    authors: list[HtmlElement] = field(default_factory=list)
    times: list[HtmlElement] = field(default_factory=list)
    tags: list[HtmlElement] = field(default_factory=list)
    lines: list[HtmlElement] = field(default_factory=list)
    """Elements that begin like a byline."""
    people: list[HtmlElement] = field(default_factory=list)
    """Links to pages about authors."""
    scripts: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    title: str | None = None


def marked(tree: HtmlElement) -> Markup:
    """Collect the elements of a page that can state metadata."""
    page = Markup()
    for element in tree.iter(*_HEAD, "h1", "h2", "h3"):
        if element.tag in _HEAD:
            _note_head(element, page)
        elif (element.tag == "h1" or "title" in element.get("class", "")) and len(page.headings) < _MAX_HEADINGS:
            page.headings.append(element)
    for element in tree.iter(*_BODY):
        _sort(element, page)
    return page


@lru_cache(maxsize=10_000)
def _marks(names: str) -> tuple[bool, bool]:
    """Whether a class names an author, and a date; cached, as a page repeats few classes a thousand times."""
    if not _MAY_MARK.search(names.lower()):
        return False, False
    return _AUTHOR_CLASSES.search(names) is not None, DATE_CLASSES.search(names) is not None


def _note_head(element: HtmlElement, page: Markup) -> None:
    tag = element.tag
    if tag == "meta":
        content = element.get("content")
        for key in ("property", "name", "itemprop", "http-equiv") if content else ():
            if name := element.get(key):
                page.meta.setdefault(name.strip().lower(), []).append(content)
    elif tag == "title":
        page.title = page.title or one_line(element.text)
    elif tag == "script":
        if element.get("type", "").strip().lower().startswith("application/ld+json") and element.text:
            page.scripts.append(element.text)
    else:
        for rel in element.get("rel", "").lower().split():
            page.links.setdefault(rel, element.get("href", ""))


def _sort(element: HtmlElement, page: Markup) -> None:
    """Add an element of the body to the lists that it belongs to. Pages have thousands: the cheap checks come first."""
    get, tag = element.get, element.tag
    text = element.text
    if text and len(text) <= MAX_LINE and (text := text.lstrip()) and text[0] in _FIRST and _STARTS.match(text):
        page.lines.append(element)
    classes = get("class")
    is_author, is_date = _marks(classes) if classes and len(classes) <= MAX_LINE else (False, False)
    if not is_date:
        name = get("id")
        is_date = tag in {"time", "abbr"} or (name is not None and len(name) <= MAX_LINE and _marks(name)[1])
    if prop := get("itemprop"):
        names = prop.lower().split()
        is_author = is_author or "author" in names
        is_date = is_date or "datepublished" in names
    if tag == "a":
        is_author = _sort_link(element, page) or is_author
    if is_author:
        page.authors.append(element)
    if is_date:
        page.times.append(element)


def _sort_link(link: HtmlElement, page: Markup) -> bool:
    """Add a link to the lists that its target and `rel` name; returns whether it names the author."""
    href = link.get("href", "")
    if _leads_to_author(href):
        page.people.append(link)
    rel = (link.get("rel") or "").lower().split()
    if "tag" in rel or "category" in rel:
        page.tags.append(link)
    if "license" in rel:
        page.links.setdefault("license", href)
    return "author" in rel


def is_author_link(link: HtmlElement) -> bool:
    """Whether a link names an author, by its target or by `rel`."""
    return _leads_to_author(link.get("href", "")) or "author" in (link.get("rel") or "").lower().split()


def _leads_to_author(href: str) -> bool:
    return "/" in href and _AUTHOR_LINKS.search(href) is not None


def meta(page: Markup, name: str) -> str | None:
    """The content of the first `meta` element with that name."""
    found = page.meta.get(name)
    return found[0] if found else None


def elsewhere(element: HtmlElement) -> bool:
    """Whether an element is in a part of the page about other posts or by readers, such as a sidebar or comments."""
    one: HtmlElement | None = element
    for _ in range(_MAX_DEPTH):
        if one is None or (tag := one.tag) in {"article", "main", "body"}:
            return False
        if tag in {"aside", "nav", "footer"}:
            return tag != "footer" or one.getparent() is None or one.getparent().tag == "body"
        if names_other_part(f"{one.get('class', '')} {one.get('id', '')}"[:MAX_LINE]):
            return True
        one = one.getparent()
    return False


@lru_cache(maxsize=10_000)
def names_other_part(names: str) -> bool:
    """Whether the class or id of an element names a part of the page about other posts or by readers."""
    return _ELSEWHERE.search(names) is not None


def line(element: HtmlElement) -> str:
    """The text of an element on one line; empty if it is too long for one."""
    parts: list[str] = []
    size = 0
    for part in element.itertext():
        parts.append(part)
        size += len(part.strip())
        if size > MAX_LINE:
            return ""
    return " ".join(" ".join(parts).split())


def one_line(value: str | None) -> str | None:
    """A field as stored: white space collapsed, of bounded length; None if it is empty."""
    bare = _SPACE.sub(" ", storable(value or "")).strip()
    return bare[:FIELD_CHARACTERS] or None
