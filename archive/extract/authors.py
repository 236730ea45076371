"""The author of a post, as the page names them: JSON-LD, meta elements, bylines. No I/O."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from archive.extract import boilerplate
from archive.extract.markup import MAX_WALK, Markup, elsewhere, line, meta, one_line
from archive.limits import FIELD_CHARACTERS

_MAX_NAME = 80
_MAX_WORDS = 8
_MAX_NAMES = 12
_AUTHOR_NAMES = (
    "author", "article:author", "dc.creator", "dcterms.creator", "dc.creator.creator", "parsely-author",
    "sailthru.author", "byl", "byline", "cxenseparse:author", "citation_author", "og:author",
)  # fmt: skip
_BYLINE = re.compile(
    r"^(?:(?:(?:view|see|show|read)\s+)?(?:all|more)\s+(?:posts|articles|stories)\s+(?:by|from)\b"
    r"|(?:authored|written|posted|published|created|reviewed|article|story|text|words|erstellt|geschrieben)?\s*"
    r"(?:by|von|vom|par|por|di|da|door|av|af|от)\b"
    r"|(?:about the\s+)?authors?\b(?:\s*\(s\))?|autor(?:e|en|in|innen)?\b|auteur\b|text\b|words\b)[\s:]*",
    re.IGNORECASE,
)
_NAMED_BY = re.compile(
    r"(?:^|\s)(?:by|von|par|por|authors?|autor(?:in)?|auteur)(?::\s*|\s+)"
    r"(?P<name>[^\W\d_][\w.'\u2019-]*(?:\s+(?:(?:van|von|der|den|de|del|di|da|la|le|ten|zu|bin|al)\s+){0,2}[^\W\d_][\w.'\u2019-]*){1,3})"
    r"(?=\s*(?:$|[|•·\u2013\u2014,(]|\s-\s|\bon\b|\bam\b|\bin\b|\d))",
    re.IGNORECASE,
)
_TITLED = re.compile(
    r",[^,]*\b(?:editors?|writers?|experts?|reporters?|staff|correspondents?|educators?|managers?|directors?|contributors?"
    r"|specialists?|founders?|[\w-]+\.(?:com|org|net|de|co\.uk))\b.*$",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"[a-z0-9._-]*[a-z0-9]|.*(?:admin|\.(?:com|org|net|de|at|ch|fr|co\.uk))", re.DOTALL)
"""A login or a domain rather than a person: used only if nobody else is named."""
_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|januar|februar|m\N{LATIN SMALL LETTER A WITH DIAERESIS}rz|mai|juni"
)
_AFTER_NAME = re.compile(
    rf"\s*(?:[|•·\u2013\u2014»]|\s-\s|\bam\b|\bon\s+(?={_MONTHS}|\d)|\b(?:last\s+)?(?:updated|published|posted)\b"
    rf"|\b(?:{_MONTHS})\w*\.?\s+\d|\b\d{{1,2}}[./]\s?\d|\b\d{{1,2}}\.?\s+(?:{_MONTHS})|\b(?:19|20)\d\d\b).*$",
    re.IGNORECASE | re.DOTALL,
)
_URL = re.compile(r"^(?:https?:)?//|^www\.|/", re.IGNORECASE)


def author(
    page: Markup, article: dict[str, object], known: dict[str, dict[str, object]], site: str | None
) -> tuple[str | None, str]:
    """The names, joined with `; `, and their source: `json-ld`, `meta` or `page`."""
    persons, others = _people(article.get("author") or article.get("creator"), known)
    stated = [name for key in _AUTHOR_NAMES for name in page.meta.get(key, ())]
    if "written by" in (meta(page, "twitter:label1") or "").casefold():
        stated += page.meta.get("twitter:data1", ())
    tries: list[tuple[Iterable[str], str]] = [(persons, "json-ld"), (stated, "meta")]
    tries += [([byline], "page") for byline in _bylines(page)]
    tries.append((others, "json-ld"))
    weak: tuple[str, str] | None = None
    for names, source in tries:
        found = list(dict.fromkeys(name for stated in names if (name := _name(stated))))[:_MAX_NAMES]
        people = [name for name in found if not _is_weak(name, site)]
        if people:
            return "; ".join(people), source
        if found:
            weak = weak or ("; ".join(found), source)  # a person may be named further on
    return weak or (None, "")


def _is_weak(name: str, site: str | None) -> bool:
    return bool(site and name.casefold() == site.casefold()) or _HANDLE.fullmatch(name) is not None


def _people(value: object, known: dict[str, dict[str, object]]) -> tuple[list[str], list[str]]:
    """Names of persons, and of organizations that are stated as author."""
    persons: list[str] = []
    others: list[str] = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            persons.append(html.unescape(one))
        elif isinstance(one, dict):
            whole = one if one.get("name") else known.get(str(one.get("@id")), one)
            names = whole.get("name")
            kind = whole.get("@type")
            is_person = "Organization" not in str(kind)
            for name in names if isinstance(names, list) else [names]:
                if isinstance(name, str):
                    (persons if is_person else others).append(html.unescape(name))
    return persons, others


def _bylines(page: Markup) -> Iterator[str]:
    """The text of elements that are marked up as bylines, the most reliable markup first."""
    ranked = sorted(
        (element for element in page.authors if not elsewhere(element)),
        key=lambda element: (
            element.get("itemprop", "").lower() != "author",
            "author" not in element.get("rel", "").lower().split(),
        ),
    )
    for element in ranked[:MAX_WALK]:
        name = element.find(".//*[@itemprop='name']") if element.get("itemprop") else None
        inner = name if name is not None else element.find(".//*[@class='fn']")
        byline = line(inner if inner is not None else element) or element.get("content", "")
        if byline:
            yield byline
    for element in page.lines:
        if not elsewhere(element) and (match := _NAMED_BY.search(line(element))) and _is_cased(match["name"]):
            yield match["name"]
    for element in page.people[:MAX_WALK]:
        if not elsewhere(element) and _is_cased(byline := line(element)) and " " in byline:
            yield byline


def _is_cased(name: str) -> bool:
    """Whether a name is written like a person's: its first and last words begin with a capital."""
    words = name.split()
    return bool(words) and words[0][0].isupper() and words[-1][0].isupper()


def _name(stated: str) -> str | None:
    """The name in a byline; None if there is none."""
    bare = one_line(stated)
    if not bare or len(bare) > 3 * _MAX_NAME:
        return None
    for _ in range(2):
        bare = _BYLINE.sub("", bare).strip()
    bare = _TITLED.sub("", _AFTER_NAME.sub("", bare[:FIELD_CHARACTERS])).strip(" ,;:-")
    if (
        not bare
        or len(bare) > _MAX_NAME
        or len(bare.split()) > _MAX_WORDS
        or bare.casefold() in boilerplate.rules().no_names
        or boilerplate.wording().no_name.match(bare)
    ):
        return None
    if _URL.search(bare) or "@" in bare or not any(c.isalpha() for c in bare):
        return None
    return bare
