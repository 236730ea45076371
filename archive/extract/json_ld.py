"""JSON-LD: the metadata of a page in the vocabulary of schema.org, also where it is not quite valid. No I/O."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator

from archive.limits import LINKED_DATA_CHARACTERS, LINKED_DATA_ITEMS

ARTICLES = frozenset(
    "Article BlogPosting NewsArticle SocialMediaPosting Posting Report TechArticle ScholarlyArticle LiveBlogPosting"  # noqa: SIM905
    " OpinionNewsArticle AnalysisNewsArticle ReportageNewsArticle ReviewNewsArticle BackgroundNewsArticle".split()
)
PAGES = frozenset({"WebPage", "ItemPage", "AboutPage", "Recipe", "Review", "VideoObject"})
_NESTED = ("@graph", "mainEntity", "mainEntityOfPage")
"""Properties whose objects are about the page as much as the object that has them."""
_WRAPPED = ("@value", "@list", "@set")
_MAX_DEPTH = 6
_MAX_DOCUMENTS = 20
"""Documents in one script that are read."""
_WRAPPER = re.compile(r"\A\s*(?://\s*)?(?:<!\[CDATA\[|<!--)|(?://\s*)?(?:\]\]>|-->)\s*\Z")
_STRING = r'(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+"?)'
_COMMENTS = re.compile(rf"{_STRING}|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?|//[^\n]*+", re.DOTALL)
_LAST_COMMAS = re.compile(rf"{_STRING}|,(?=\s*+[}}\]])", re.DOTALL)
"""What JavaScript allows beside JSON, and strings, which stay."""
_PREFIX = re.compile(r"\A(?:https?://(?:www\.)?schema\.org/|schema:)", re.IGNORECASE)


def items(scripts: Iterable[str]) -> Iterator[dict[str, object]]:
    """The objects of all JSON-LD on a page: of each document, its lists, its graphs and its main entities.

    Names of properties and types are without the prefix of schema.org.
    """
    count = 0
    for raw in scripts:
        for document in _documents(raw):
            for item in _objects(document, 0):
                if count >= LINKED_DATA_ITEMS:
                    return
                count += 1
                yield item


def _documents(raw: str) -> Iterator[object]:
    """The JSON values in a script. What cannot be read counts as none, as broken JSON-LD is common."""
    if len(raw) > LINKED_DATA_CHARACTERS:
        return
    bare = _WRAPPER.sub("", raw).strip()
    if '"' not in bare:
        bare = html.unescape(bare)
    try:
        yield json.loads(bare, strict=False)
    except (ValueError, RecursionError):
        yield from _lenient(bare)


def _lenient(bare: str) -> Iterator[object]:
    """The JSON values one after another, without comments and superfluous commas, up to the first error."""
    decoder = json.JSONDecoder(strict=False)
    text = _COMMENTS.sub(_only_string, bare)
    text = _LAST_COMMAS.sub(_only_string, text).lstrip(" \t\r\n\ufeff;")
    for _ in range(_MAX_DOCUMENTS):
        try:
            value, end = decoder.raw_decode(text)
        except (ValueError, RecursionError):
            return
        yield value
        text = text[end:].lstrip(" \t\r\n;,")


def _only_string(match: re.Match[str]) -> str:
    return match["string"] or " "


def _objects(value: object, depth: int) -> Iterator[dict[str, object]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for one in value:
            yield from _objects(one, depth + 1)
    elif isinstance(value, dict):
        item = {_bare(key): part for key, part in value.items()}
        yield item
        for key in _NESTED:
            yield from _objects(item.get(key), depth + 1)


def _bare(name: str) -> str:
    return _PREFIX.sub("", name)


def kinds(item: dict[str, object]) -> tuple[str, ...]:
    """The types of an object."""
    return tuple(_bare(name) for name in values(item.get("@type")) if isinstance(name, str))


def values(value: object) -> Iterator[object]:
    """The values of a property: of a list, a set or a typed value what it contains, in order."""
    pending = [(value, 0)]
    while pending:
        one, depth = pending.pop()
        if isinstance(one, list):
            if depth <= _MAX_DEPTH:
                pending.extend((part, depth + 1) for part in reversed(one[:LINKED_DATA_ITEMS]))
        elif isinstance(one, dict) and (key := next((key for key in _WRAPPED if key in one), None)):
            pending.append((one[key] if depth <= _MAX_DEPTH else None, depth + 1))
        elif one is not None:
            yield one


def first(items: Iterable[dict[str, object]], wanted: frozenset[str]) -> dict[str, object]:
    """The first item of one of these types; an empty one if there is none."""
    return next((item for item in items if not wanted.isdisjoint(kinds(item))), {})
