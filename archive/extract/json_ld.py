"""JSON-LD: the metadata of a page in the vocabulary of schema.org. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from archive.limits import LINKED_DATA_CHARACTERS, LINKED_DATA_ITEMS

ARTICLES = frozenset(
    "Article BlogPosting NewsArticle SocialMediaPosting Posting Report TechArticle ScholarlyArticle LiveBlogPosting"  # noqa: SIM905
    " OpinionNewsArticle AnalysisNewsArticle ReportageNewsArticle ReviewNewsArticle BackgroundNewsArticle".split()
)
PAGES = frozenset({"WebPage", "ItemPage", "AboutPage", "Recipe", "Review", "VideoObject"})


def items(scripts: Iterable[str]) -> Iterator[dict[str, object]]:
    """The objects of all JSON-LD on a page: of each document, its lists and its graphs."""
    count = 0
    for raw in scripts:
        if len(raw) > LINKED_DATA_CHARACTERS:
            continue
        try:
            data = json.loads(raw, strict=False)
        except (ValueError, RecursionError):
            continue  # broken JSON-LD is common; it counts as none
        for item in data if isinstance(data, list) else [data]:
            graph = item.get("@graph") if isinstance(item, dict) else None
            for part in [item, *(graph if isinstance(graph, list) else [])]:
                if isinstance(part, dict) and count < LINKED_DATA_ITEMS:
                    count += 1
                    yield part


def first(items: Iterable[dict[str, object]], kinds: frozenset[str]) -> dict[str, object]:
    """The first item of one of these types; an empty one if there is none."""
    for item in items:
        kind = item.get("@type")
        if any(isinstance(name, str) and name in kinds for name in (kind if isinstance(kind, list) else [kind])):
            return item
    return {}
