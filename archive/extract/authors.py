"""The author of a post, as the page names them: JSON-LD, meta elements, bylines. No I/O."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from lxml.html import HtmlElement

from archive.extract.json_ld import kinds, values
from archive.extract.markup import MAX_WALK, Markup, elsewhere, is_author_link, line, meta
from archive.extract.names import people

_MAX_NAMES = 12
_AUTHOR_NAMES = (
    "author", "article:author", "dc.creator", "dcterms.creator", "dc.creator.creator", "parsely-author",
    "sailthru.author", "byl", "byline", "cxenseparse:author", "citation_author", "og:author",
)  # fmt: skip
_NAMED_BY = re.compile(
    r"(?:^|\s)(?:by|von|par|por|authors?|autor(?:in)?|auteur)(?::\s*|\s+)"
    r"(?P<name>[^\W\d_][\w.'\u2019-]*(?:\s+(?:(?:van|von|der|den|de|del|di|da|la|le|ten|zu|bin|al)\s+){0,2}[^\W\d_][\w.'\u2019-]*){1,3})"
    r"(?=\s*(?:$|[|•·\u2013\u2014,(]|\s-\s|\bon\b|\bam\b|\bin\b|\d))",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"[a-z0-9._-]*[a-z0-9]|.*(?:admin|\.(?:com|org|net|de|at|ch|fr|co\.uk))", re.DOTALL)
"""A login or a domain rather than a person: used only if nobody else is named."""


def author(
    page: Markup,
    article: dict[str, object],
    known: dict[str, dict[str, object]],
    site: str | None,
    language: str = "",
) -> tuple[str | None, str]:
    """The names, joined with `; `, and their source: `json-ld`, `meta` or `page`.

    Args:
        page: The markup of the page.
        article: The post in its JSON-LD; empty if it has none.
        known: The objects of its JSON-LD by their ids.
        site: The name of the site.
        language: Of the page, as a BCP 47 tag.
    """
    persons, others = _people(article, known)
    stated = [name for key in _AUTHOR_NAMES for name in page.meta.get(key, ())]
    if "written by" in (meta(page, "twitter:label1") or "").casefold():
        stated += page.meta.get("twitter:data1", ())
    tries: list[tuple[Iterable[str], str]] = [(persons, "json-ld"), (stated, "meta")]
    tries += [(bylines, "page") for bylines in _bylines(page)]
    tries.append((others, "json-ld"))
    weak: tuple[str, str] | None = None
    for texts, source in tries:
        names = (name for text in texts for name in people(text, language=language, is_byline=source == "page"))
        found = list(dict.fromkeys(names))[:_MAX_NAMES]
        strong = [name for name in found if not _is_weak(name, site)]
        if strong:
            return "; ".join(strong), source
        if found:
            weak = weak or ("; ".join(found), source)  # a person may be named further on
    return weak or (None, "")


def _is_weak(name: str, site: str | None) -> bool:
    return bool(site and name.casefold() == site.casefold()) or _HANDLE.fullmatch(name) is not None


def _people(article: dict[str, object], known: dict[str, dict[str, object]]) -> tuple[list[str], list[str]]:
    """Names of persons, and of organizations that are stated as author."""
    persons: list[str] = []
    others: list[str] = []
    for one in values(article.get("author") or article.get("creator")):
        item = one if isinstance(one, dict) else known.get(one) if isinstance(one, str) else None
        if item is None:
            persons += [html.unescape(one)] if isinstance(one, str) else []
            continue
        whole = item if item.get("name") else known.get(str(item.get("@id")), item)
        is_person = not any("Organization" in kind for kind in kinds(whole))
        (persons if is_person else others).extend(_names(whole))
    return persons, others


def _names(item: dict[str, object]) -> list[str]:
    """The names of one person or organization, or the one that its parts make."""
    names = [html.unescape(name) for name in values(item.get("name")) if isinstance(name, str)]
    parts = [item.get(key) for key in ("givenName", "additionalName", "familyName")]
    whole = " ".join(html.unescape(part) for part in parts if isinstance(part, str))
    return names or ([whole] if whole else [])


def _bylines(page: Markup) -> Iterator[list[str]]:
    """The text of elements that are marked up as bylines, the most reliable markup first."""
    ranked = sorted((element for element in page.authors if not elsewhere(element)), key=_rank)[:MAX_WALK]
    for _, together in groupby(ranked, key=lambda element: (_rank(element), element.getparent(), element.tag)):
        names = (one for element in together for one in _stated_by(element))
        if listed := [name for name in names if name]:
            yield listed
    for element in page.lines:
        if not elsewhere(element) and (match := _NAMED_BY.search(line(element))) and _is_cased(match["name"]):
            yield [match["name"]]
    for element in page.people[:MAX_WALK]:
        if not elsewhere(element) and _is_cased(byline := line(element)) and " " in byline:
            yield [byline]


def _rank(element: HtmlElement) -> tuple[bool, bool]:
    return (
        element.get("itemprop", "").lower() != "author",
        "author" not in element.get("rel", "").lower().split(),
    )


def _stated_by(element: HtmlElement) -> list[str]:
    """The names in an element that is marked up as a byline: of its links to authors, else its whole text."""
    links = [line(link) for link in element.iterfind(".//a") if is_author_link(link)]
    if len(links) > 1:
        return links
    name = element.find(".//*[@itemprop='name']") if element.get("itemprop") else None
    inner = name if name is not None else element.find(".//*[@class='fn']")
    return [line(inner if inner is not None else element) or element.get("content", "")]


def _is_cased(name: str) -> bool:
    """Whether a name is written like a person's: its first and last words begin with a capital."""
    words = name.split()
    return bool(words) and words[0][0].isupper() and words[-1][0].isupper()
