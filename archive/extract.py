"""The post's own words, out of a page; the home of trafilatura. No I/O, no state between calls.

Every option of trafilatura is fixed here, its cross-page deduplication is never used, and dates are bounded by the
capture's own date: the same page gives the same text on every day and in every order.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import date as Date  # noqa: N812  `date` is an argument's name below
from importlib.metadata import version

from lxml.html import HtmlElement
from trafilatura import bare_extraction, load_html
from trafilatura.metadata import extract_metadata
from trafilatura.xml import xmltotxt

from archive import furniture
from archive.coding import unicode_html
from archive.errors import ExtractError
from archive.text import Entry, Text

NAME = "pressmark"
OPTIONS = {"comments": "apart", "tables": "yes", "formatting": "yes", "links": "no", "dates": "original"}
MAX_BYTES = 20 * 1024 * 1024
"""Page size, content coding removed, above which no text is tried for."""

_VERSIONS = (version("pressmark"), version("trafilatura"))
_DATE_SLACK = timedelta(days=1)
"""A page may be dated this much after its capture: its time zone may be ahead of UTC."""
_OLDEST = "1990-01-01"
_MAX_TAGS = 100
_MAX_FIELD = 1_000
_MAX_JSON = 1_000_000
_BYLINE = re.compile(r"^(?:by|von|par|por|di|da|door|от)\s+", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_BLANKS = re.compile(r"\n{3,}")
_DASHES = "-\N{EN DASH}\N{EM DASH}|·•»:/"
_ARTICLES = ("Article", "BlogPosting", "NewsArticle", "SocialMediaPosting", "Posting", "Report")


def extract(
    payload: bytes,
    *,
    url: str,
    content_type: str | None = None,
    date: datetime | None = None,
    entry: Entry | None = None,
) -> Text:
    """The clean text and metadata of a page.

    Args:
        payload: The page, content coding removed.
        url: Where it was found.
        content_type: Of the response; its charset is used where the bytes fit it.
        date: When it was captured; no date later than this is believed.
        entry: What a feed said of the post. Its title, author and dates win over the page's: they are the
            publisher's own fields, the page's are guessed from its markup.

    Raises:
        ExtractError: The page holds no text, is no HTML, or is too large.
    """
    if len(payload) > MAX_BYTES:
        raise ExtractError(f"{len(payload)} bytes are more than the {MAX_BYTES} that text is taken from", url=url)
    tree = load_html(unicode_html(payload, content_type))
    if tree is None:
        raise ExtractError("is no HTML page", url=url)
    text = _with_metadata(Text(url=url, text="", markdown=""), tree, date + _DATE_SLACK if date else None)
    comments = furniture.remove_widgets(tree)
    furniture.free_captions(tree)
    furniture.join_posts(tree)
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
    plain = _own_lines(xmltotxt(document.body, include_formatting=False)) if document else ""
    if not plain:
        raise ExtractError("holds no text", url=url)
    text = replace(
        text,
        text=plain,
        markdown=_own_lines(xmltotxt(document.body, include_formatting=True)),
        comments=(document.comments or "").strip() or comments,
        extractor={
            "name": NAME,
            "version": _VERSIONS[0],
            "trafilatura": _VERSIONS[1],
            **OPTIONS,
        },
    )
    return _with_entry(text, entry) if entry else text


def _with_metadata(text: Text, tree: HtmlElement, latest: datetime | None) -> Text:
    """The text with what the page's own markup says of it; `latest` is the last date that is believed."""
    found = extract_metadata(
        tree,
        text.url,
        {
            "original_date": True,
            "extensive_search": True,
            "min_date": _OLDEST,
            "max_date": latest.strftime("%Y-%m-%d") if latest else None,
        },
    )
    article = _article(tree)
    published = _instant(article.get("datePublished")) or _instant(_meta(tree, "article:published_time"))
    modified = _instant(article.get("dateModified")) or _instant(_meta(tree, "article:modified_time"))
    return replace(
        text,
        title=_headline(article) or _without_site(_field(found.title), _field(found.sitename)),
        author=_byline(found.author),
        # Where the page tells an instant that cannot be, trafilatura would go on to guess.
        published=_believed(published, latest) if published else _day(found.date),
        modified=_believed(modified, latest),
        site=_field(found.sitename),
        language=_language(tree),
        tags=tuple(_unique([*(found.categories or ()), *_tags(tree, article), *(found.tags or ())])),
    )


def _with_entry(text: Text, entry: Entry) -> Text:
    """The text with what a feed said of the post."""
    return replace(
        text,
        title=_field(entry.title) or text.title,
        author=_field(entry.author) or text.author,
        published=entry.published or text.published,
        modified=entry.modified or text.modified,
        tags=tuple(_unique([*entry.tags, *text.tags])),
        # A feed states one language for all its posts, so that the page's own word on it counts for more.
        language=text.language or _language_code(entry.language),
    )


def _own_lines(text: str) -> str:
    """Text without the lines that are furniture."""
    kept = "\n".join(line.rstrip() for line in text.split("\n") if furniture.keep_line(line))
    return _BLANKS.sub("\n\n", kept).strip()


def _article(tree: HtmlElement) -> dict[str, object]:
    """The page's schema.org article, or nothing."""
    for script in tree.iterfind(".//script[@type='application/ld+json']"):
        raw = script.text or ""
        if len(raw) > _MAX_JSON:
            continue
        try:
            data = json.loads(raw, strict=False)
        except (ValueError, RecursionError):
            continue  # broken JSON-LD is common and says nothing
        for item in _items(data):
            kind = item.get("@type")
            if any(name in _ARTICLES for name in (kind if isinstance(kind, list) else [kind])):
                return item
    return {}


def _items(data: object) -> Iterator[dict[str, object]]:
    """Objects at the top of a JSON-LD document: itself, its list, its graph."""
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, dict):
            yield item
            graph = item.get("@graph")
            if isinstance(graph, list):
                yield from (part for part in graph if isinstance(part, dict))


def _meta(tree: HtmlElement, name: str) -> str | None:
    for element in tree.iter("meta"):
        if name in {element.get("property"), element.get("name"), element.get("itemprop")}:
            value: str | None = element.get("content")
            return value
    return None


def _tags(tree: HtmlElement, article: dict[str, object]) -> Iterator[str]:
    """Categories and tags that the page names for this post."""
    for key in ("articleSection", "keywords"):
        value = article.get(key)
        for word in value if isinstance(value, list) else [value]:
            if isinstance(word, str):
                yield from word.split(",") if key == "keywords" else [word]
    for element in tree.iter("meta"):
        if element.get("property") in {"article:section", "article:tag"}:
            yield element.get("content") or ""
    for link in tree.iter("a"):
        rel = (link.get("rel") or "").lower().split()
        if "tag" in rel or "category" in rel:
            yield link.text_content()


def _unique(words: Iterable[str]) -> Iterator[str]:
    """Words in order, white space folded, each once whatever its case."""
    seen: set[str] = set()
    for word in words:
        bare = _SPACE.sub(" ", word).strip(" ,;#")
        if bare and len(bare) <= _MAX_FIELD and bare.casefold() not in seen and len(seen) < _MAX_TAGS:
            seen.add(bare.casefold())
            yield bare


def _field(value: str | None) -> str | None:
    bare = _SPACE.sub(" ", (value or "").replace("\0", "").encode("utf-8", "replace").decode()).strip()
    return bare[:_MAX_FIELD] or None


def _headline(article: dict[str, object]) -> str | None:
    value = article.get("headline")
    return _field(html.unescape(value)) if isinstance(value, str) else None


def _without_site(title: str | None, site: str | None) -> str | None:
    """A title without the ` - Name of the site` that themes put after it."""
    if not title or not site or not title.casefold().endswith(site.casefold()):
        return title
    bare = title[: -len(site)].rstrip()
    return bare.rstrip(f"{_DASHES} ") or title if bare and bare[-1] in _DASHES else title


def _byline(value: str | None) -> str | None:
    bare = _field(value)
    return _BYLINE.sub("", bare) or None if bare else None


def _language(tree: HtmlElement) -> str | None:
    return _language_code(tree.get("lang") or tree.get("xml:lang") or _meta(tree, "og:locale"))


def _language_code(declared: str | None) -> str | None:
    code = re.split(r"[-_]", (declared or "").strip(), maxsplit=1)[0].lower()
    return code if re.fullmatch(r"[a-z]{2,3}", code) else None


def _instant(value: object) -> datetime | None:
    """An ISO 8601 date and time with its zone, as UTC; None if it is anything else."""
    if not isinstance(value, str) or "T" not in value:
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _day(value: str | None) -> Date | None:
    try:
        return Date.fromisoformat(value[:10]) if value else None
    except ValueError:
        return None


def _believed(moment: datetime | None, latest: datetime | None) -> datetime | None:
    return None if moment and latest and moment > latest else moment
