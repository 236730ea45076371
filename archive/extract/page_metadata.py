"""The metadata of a page: title, authors, dates, site, tags, canonical URL. No I/O.

Each fact comes from the most reliable source that states it, and the source is recorded.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from archive.extract import authors, dates, json_ld, language
from archive.extract.date_text import believed
from archive.extract.json_ld import ARTICLES, PAGES, first, values
from archive.extract.links import joined
from archive.extract.markup import Markup, elsewhere, line, marked, meta, one_line
from archive.extract.text import Facts
from archive.limits import FIELD_CHARACTERS

__all__ = ["believed", "one_line", "read", "unique"]

_MAX_TAGS = 100
_MAX_HEADING = 300
_MAX_HEADINGS = 60
"""Headings that are compared with the parts of the title."""
_MIN_NAME = 4
"""Letters of the shortest name of a site that is looked for in its host."""
_TITLE_CLASSES = frozenset({"entry-title", "post-title"})
_OWN_WORDS = 0.5
"""Share of a heading's words that the stated titles repeat, from which on it is the post's title."""
_FIRST_RANK = 0.3
"""How much more an `h1` counts than the headings below it."""
_NAMED = 0.35
"""How much more the only heading counts that blog software names as a title."""
_CLEARLY = 0.01
"""How much better a heading must be than one before it."""
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w+")
_DASHES = "-\N{EN DASH}\N{EM DASH}|·•»:/"
_PARTS = re.compile(r"(?<!\s)\s+[-\u2013\u2014|·•»«:/]+\s+")


def read(tree: HtmlElement, *, url: str, latest: datetime | None) -> Facts:
    """The metadata in a page's own markup.

    Args:
        tree: The whole page, as parsed.
        url: Base of relative links.
        latest: Dates after it are ignored.
    """
    page = marked(tree)
    items = list(json_ld.items(page.scripts))
    article = first(items, ARTICLES)
    web_page = article or first(items, PAGES)
    known = {str(item["@id"]): item for item in items if item.get("@id")}
    site = _site(tree, page, items, known, article, url)
    title, title_from = _title(page, article, site)
    author, author_from = authors.author(page, web_page, known, site, _stated_language(tree) or "")
    published, published_from = dates.published(page, web_page, tree, url, latest, title)
    modified, modified_from = dates.modified(page, web_page, tree, latest)
    image = _image(article, known)
    facts = {
        "title": (title, title_from),
        "author": (author, author_from),
        "published": (published, published_from),
        "modified": (modified, modified_from),
        "site": (site, "meta" if page.meta.get("og:site_name") else "page"),
        "language": (_language(tree, page), "page" if tree.get("lang") else "meta"),
        "tags": (tuple(unique(_tags(page, article))), "page"),
        "canonical": (_absolute(page.links.get("canonical"), url), "page"),
        "license": (_absolute(page.links.get("license"), url), "page"),
        "image": (_absolute(meta(page, "og:image") or image, url), "meta" if meta(page, "og:image") else "json-ld"),
    }
    return Facts(
        **{name: value for name, (value, _) in facts.items()},  # type: ignore[arg-type]
        sources={name: source for name, (value, source) in facts.items() if value},
    )


# -- title


def _title(page: Markup, article: dict[str, object], site: str | None) -> tuple[str | None, str]:
    """The heading that readers see; if it cannot be determined, the title in the head of the page."""
    stated = [
        (_headline(article), "json-ld"),
        (_without_site(meta(page, "og:title") or meta(page, "twitter:title"), site), "meta"),
        (_without_site(page.title, site), "page"),
    ]
    known = [(value, source) for value, source in stated if value]
    words = set(_words(" ".join(value for value, _ in known)))
    best: tuple[float, str] | None = None
    named = [heading for heading in page.headings if _is_named_title(heading)]
    for heading in page.headings:
        text = one_line(" ".join(heading.text_content().split()))
        if not text or len(text) > _MAX_HEADING or elsewhere(heading) or (site and text.casefold() == site.casefold()):
            continue
        own = _words(text)
        share = sum(word in words for word in own) / len(own) if own else 0.0
        rank = share + (_FIRST_RANK if heading.tag == "h1" else 0.0)
        if len(named) == 1 and heading is named[0]:  # on a page with several posts, none is the page's
            share, rank = max(share, _OWN_WORDS), max(share, _OWN_WORDS) + _NAMED
        elif heading.tag == "h3":
            continue
        if share >= _OWN_WORDS and (best is None or rank > best[0] + _CLEARLY):
            best = (rank, text)
    if best is not None:
        return best[1], "page"
    if known:
        return known[0]
    first = next((h for h in page.headings if h.tag == "h1" and not elsewhere(h)), None)
    return (one_line(first.text_content()), "page") if first is not None else (None, "")


def _is_named_title(heading: HtmlElement) -> bool:
    """Whether a heading is named as blog software names the title of a post."""
    return not _TITLE_CLASSES.isdisjoint((heading.get("class") or "").split())


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _headline(article: dict[str, object]) -> str | None:
    value = next(values(article.get("headline")), None)
    return one_line(html.unescape(value)) if isinstance(value, str) else None


def _without_site(title: str | None, site: str | None) -> str | None:
    """A title without the site's name, which themes put before or after it."""
    title = one_line(title)
    if not title or not site:
        return title
    folded, name = title.casefold(), site.casefold()
    for bare in (
        title[: -len(site)].rstrip() if folded.endswith(name) else "",
        title[len(site) :].lstrip() if folded.startswith(name) else "",
    ):
        if bare and (bare[-1] in _DASHES or bare[0] in _DASHES) and (cut := bare.strip(f"{_DASHES} ")):
            return cut
    return title


# -- the rest


def _site(
    tree: HtmlElement,
    page: Markup,
    items: list[dict[str, object]],
    known: dict[str, dict[str, object]],
    article: dict[str, object],
    url: str,
) -> str | None:
    parts = [bare for part in _PARTS.split(page.title or "") if (bare := one_line(part))]
    stated = one_line(meta(page, "og:site_name"))
    if stated and _folded(stated) not in map(_folded, parts[:-1] or parts):
        return stated
    own: set[str] = set()
    if parts:
        titles = (_headline(article), meta(page, "og:title"), *_headings(tree, url))
        own = {_folded(name) for name in titles if name}
    if stated and _folded(stated) not in own:
        return stated
    for one in (*values(article.get("publisher")), first(items, frozenset({"WebSite"}))):
        whole = known.get(str(one.get("@id")), one) if isinstance(one, dict) and not one.get("name") else one
        name = whole.get("name") if isinstance(whole, dict) else None
        if isinstance(name, str) and (found := one_line(html.unescape(name))):
            return found
    if len(parts) > 1:
        host = (urlsplit(url).hostname or "").casefold()
        # Most themes put the site's name last.
        return max(
            reversed((parts[0], parts[-1])), key=lambda part: (_folded(part) not in own, _is_named_by(host, part))
        )
    return stated or one_line(meta(page, "application-name"))


def _headings(tree: HtmlElement, url: str) -> Iterator[str]:
    """The headings of the page, without those that lead home, which are the site's name."""
    for heading in islice(tree.iter("h1", "h2"), _MAX_HEADINGS):
        link = next(chain(heading.iter("a"), heading.iterancestors("a")), None)
        if link is None or urlsplit(joined(url, link.get("href", "")) or url).path.strip("/"):
            yield line(heading)


def _folded(text: str) -> str:
    return "".join(_WORD.findall(text.casefold()))


def _is_named_by(host: str, part: str) -> bool:
    """Whether the name of a host says the same as a part of the title."""
    bare = _folded(part)
    labels = [label for one in host.split(".") if len(label := _folded(one)) >= _MIN_NAME]
    return len(bare) >= _MIN_NAME and any(bare in label or label in bare for label in labels)


def _image(article: dict[str, object], known: dict[str, dict[str, object]]) -> str | None:
    value = article.get("image")
    one = value[0] if isinstance(value, list) and value else value
    if isinstance(one, dict):
        one = one.get("url") or known.get(str(one.get("@id")), {}).get("url")
    return one if isinstance(one, str) else None


def _tags(page: Markup, article: dict[str, object]) -> Iterator[str]:
    """Categories and tags of the post."""
    for key in ("articleSection", "keywords"):
        value = article.get(key)
        for word in value if isinstance(value, list) else [value]:
            if isinstance(word, str):
                yield from word.split(",") if key == "keywords" else [html.unescape(word)]
    for name in ("article:section", "article:tag"):
        yield from page.meta.get(name, ())
    for link in page.tags:
        yield link.text_content()


def unique(words: Iterable[str]) -> Iterator[str]:
    """Tags in order, white space collapsed, each once regardless of case."""
    seen: set[str] = set()
    for word in words:
        bare = _SPACE.sub(" ", word).strip(" ,;#")
        if bare and len(bare) <= FIELD_CHARACTERS and bare.casefold() not in seen and len(seen) < _MAX_TAGS:
            seen.add(bare.casefold())
            yield bare


def _language(tree: HtmlElement, page: Markup) -> str | None:
    return language.fold(_stated_language(tree) or meta(page, "og:locale"))


def _stated_language(tree: HtmlElement) -> str | None:
    stated: str | None = tree.get("lang") or tree.get("xml:lang")
    return stated


def _absolute(link: str | None, url: str) -> str | None:
    found = joined(url, link) if link else None
    return one_line(found) if found and found.lower().startswith(("http://", "https://")) else None
