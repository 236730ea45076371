"""The text of a post, extracted from its page; the home of trafilatura. No I/O, no state between calls.

`body` finds the body, `blocks` writes it and `trim` trims it. If that finds next to nothing, trafilatura is the
fallback; every option of it is fixed here and its cross-page deduplication is never used. Dates are bounded by the
date of the capture: the same page gives the same text on every day and in every order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from importlib.metadata import version
from itertools import zip_longest

from lxml.html import HtmlElement
from trafilatura import bare_extraction, load_html
from trafilatura.xml import xmltotxt

from archive.errors import ExtractError, PageTooLargeError
from archive.extract import body, boilerplate, language, page_metadata, short_posts, trim, words
from archive.extract.blocks import Block, BlockType, blocks_of, images_in, links_in, markdown_text, plain_text
from archive.extract.feed_hints import FeedHints, all_blocks, comparable, feed_only
from archive.extract.links import base_url
from archive.extract.padding import without_padding
from archive.extract.page_signs import Signs, signs_of
from archive.extract.site_profile import Profile
from archive.extract.text import Entry, Facts, Image, Link, Text
from archive.limits import PAGE_BYTES, TEXT_CHARACTERS
from archive.warc.codings import unicode_html

NAME = "pressmark"
RULES = "4"
"""Version of the extraction rules; each change gives some pages another text."""
OPTIONS = {
    "comments": "apart",
    "tables": "yes",
    "formatting": "yes",
    "links": "yes",
    "images": "yes",
    "dates": "original",
}
_MARKUP = re.compile(r"<(?:p|h[1-6]|div|body|article|main|title|meta)\b[^<>]*>", re.IGNORECASE)
_SHORT = 200
"""Characters of a text below which trafilatura is tried too."""
_MUCH_MORE = 2
"""How many times longer the text of trafilatura must be to win."""
_MIN_FALLBACK = 40
"""Characters below which what trafilatura finds is a label rather than a text."""

_VERSIONS = (version("pressmark"), version("trafilatura"))
DATE_SLACK = timedelta(days=1)
"""How much later than its capture a page may be dated: its time zone may be ahead of UTC."""


def extractor(site: Profile | None = None) -> dict[str, str]:
    """Name, version and options of this extractor, and the site profile in use."""
    made = {"name": NAME, "version": _VERSIONS[0], "trafilatura": _VERSIONS[1], "rules": RULES, **OPTIONS}
    return {**made, "profile": site.name} if site else made


def extract(
    payload: bytes,
    *,
    url: str,
    content_type: str | None = None,
    date: datetime | None = None,
    entry: Entry | None = None,
    site: Profile | None = None,
) -> Text:
    """The clean text and metadata of a page.

    Args:
        payload: The page, without content coding.
        url: The URL of the capture.
        content_type: The header of the response; its charset is used if the bytes fit it.
        date: When the page was captured; dates more than a day later are ignored.
        entry: The post's entry in a feed. Its content shows where on the page the post is and which blocks certainly
            belong to it; the text itself comes from the page only. Its title, author and dates take precedence: they
            are the publisher's own fields, while the page's are guessed from its markup. Impossible dates do not.
        site: The blocks that recur on the site; they are removed, whatever else speaks for them.

    Raises:
        ExtractError: The page has no text, is not HTML, or is too large.
    """
    text = read(Source.of(payload, url, content_type), date=date, entry=entry, site=site)
    if not text.text:
        raise ExtractError("contains no text", url=url)
    return text


@dataclass(frozen=True, slots=True)
class Source:
    """A page that was parsed."""

    tree: HtmlElement
    """It is not changed."""
    url: str
    again: Callable[[], HtmlElement]
    """Returns another tree of the same page, which may be changed."""

    @classmethod
    def of(cls, payload: bytes, url: str, content_type: str | None) -> Source:
        """Parse a page.

        Raises:
            PageTooLargeError: It is too large, also without what only fills it.
            ExtractError: It is not HTML.
        """
        page = without_padding(unicode_html(payload, content_type))
        if len(page) > PAGE_BYTES:
            raise PageTooLargeError(
                f"{len(page)} characters exceed the limit of {PAGE_BYTES} for text extraction", url=url
            )
        tree = load_html(page)
        if tree is None and "html" in (content_type or "") and _MARKUP.search(page):
            page = f"<html>{page}"  # both tags are optional (HTML §13.1.2.4), which trafilatura does not know
            tree = load_html(page)
        if tree is None:
            raise ExtractError("is not an HTML page", url=url)
        return cls(tree, url, lambda: load_html(page))


def read(
    source: Source,
    *,
    date: datetime | None,
    entry: Entry | None,
    site: Profile | None,
    signs: Signs | None = None,
) -> Text:
    """The text and metadata of a page as `extract` gives them; the text is empty if the page has none.

    Args:
        source: The page.
        date: As for `extract`, like `entry` and `site`.
        entry: What a feed says about the post.
        site: The blocks that recur on the site.
        signs: The structure of the page, if it is known.
    """
    tree, url = source.tree, source.url
    latest = date + DATE_SLACK if date else None
    facts = page_metadata.read(tree, url=url, latest=latest)
    hints = FeedHints.of(entry.html) if entry else None
    made = _post(tree, url, facts.title, hints, site)
    if len(made.text) < _SHORT:
        made = _by_trafilatura(source, made)
    if short_posts.is_short(made.text):
        signs = signs or signs_of(tree, url=url)
        own = short_posts.own_element(made.text, signs)
        if own is not None:
            made = _post(tree, url, facts.title, hints, site, at=own)
        if short_posts.is_aside(made.text, signs):
            made = _Post(comments=made.comments)
    code, stated_by = language.of(made.text, stated=facts.language, source=facts.sources.get("language", "page"))
    sources = {**facts.sources, **({"language": stated_by} if code else {})}
    facts = replace(facts, language=code, sources=sources)
    text = Text(
        **{one.name: getattr(facts, one.name) for one in fields(Facts)},
        url=url,
        text=made.text[:TEXT_CHARACTERS],
        markdown=made.markdown[:TEXT_CHARACTERS],
        links=made.links,
        images=made.images,
        comments=made.comments[:TEXT_CHARACTERS],
        extractor=extractor(site),
        entry=entry,
    )
    return _with_entry(text, entry, latest) if entry else text


@dataclass(frozen=True, slots=True)
class _Post:
    """The text of a page's post."""

    text: str = ""
    markdown: str = ""
    comments: str = ""
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    left_out: Sequence[HtmlElement] = ()
    """Boxes of the page that are named as boilerplate."""


def _post(
    tree: HtmlElement,
    url: str,
    title: str | None,
    hints: FeedHints | None,
    site: Profile | None,
    at: HtmlElement | None = None,
) -> _Post:
    url = base_url(tree, url)
    found = body.find(tree, title=title, at=at, url=url)
    if found is None:
        return _Post()
    headings = (" ".join("".join(h1.itertext()).split()) for h1 in tree.iter("h1"))
    titles = {one for one in (title, *headings) if one}
    if hints is None:
        kept = _trimmed(found, found.dropped, url, titles)
    else:
        kept = _with_hints(tree, found, hints, url, title, titles)
    if site is not None:
        kept = _without_recurring(kept, site)
    comments = [
        block
        for element in found.comments
        for block in blocks_of(element, dropped=found.unread, url=url)
        if boilerplate.keep_line(block.plain)
    ]
    return _Post(
        plain_text(kept), markdown_text(kept), plain_text(comments), links_in(kept), images_in(kept), found.left_out
    )


def _trimmed(
    found: body.Body,
    dropped: frozenset[HtmlElement],
    url: str,
    titles: set[str],
    is_certain: Callable[[Block], bool] = lambda _: False,
) -> list[Block]:
    """The blocks of the post, leads first."""
    leads = [block for lead in found.leads for block in blocks_of(lead, dropped=dropped, url=url)]
    return trim.trimmed(blocks_of(found.element, dropped=dropped, url=url), titles, leads=leads, is_certain=is_certain)


def _with_hints(
    tree: HtmlElement, found: body.Body, hints: FeedHints, url: str, title: str | None, titles: set[str]
) -> list[Block]:
    """The post's blocks, found with the hints in its feed entry."""
    page = all_blocks(tree, found.unread)
    at = hints.body(page)
    if at is not None and at is not found.element:
        found = body.find(tree, title=title, at=at, url=url) or found
    # What the entry contains stays, and so do the elements around it.
    own = [block.element for block in page if block.element is not None and hints.knows(block)]
    kept_elements = {above for element in own for above in (element, *element.iterancestors())}
    if hints.is_whole:
        found = replace(
            found, leads=[lead for lead in found.leads if lead in kept_elements or boilerplate.names_lead(lead)]
        )
    kept = _trimmed(found, found.dropped - kept_elements, url, titles, hints.knows)
    begins = [block for block in page if hints.begins(block)]
    if begins and not any(hints.begins(block) for block in kept):
        kept.insert(0, begins[0])
    return [_as_text(block) if hints.knows(block) else block for block in _without_twins(kept)]


def _without_recurring(blocks: list[Block], site: Profile) -> list[Block]:
    """Blocks without those that recur on the site, unless there are no others."""
    return [block for block in blocks if not site.knows(block.plain)] or blocks


def _as_text(block: Block) -> Block:
    """A caption or description as a paragraph, because the feed entry shows that it belongs to the post."""
    return replace(block, type=BlockType.PARAGRAPH) if block.type in (BlockType.CAPTION, BlockType.IMAGE) else block


def _without_twins(blocks: list[Block]) -> list[Block]:
    """Blocks without the descriptions of pictures that their captions repeat."""
    return [
        block
        for block, following in zip_longest(blocks, blocks[1:])
        if block.type is not BlockType.IMAGE
        or following is None
        or not block.plain
        or comparable(block) != comparable(following)
    ]


def _by_trafilatura(source: Source, ours: _Post) -> _Post:
    """The text that trafilatura finds, if it is much longer than ours."""
    document = bare_extraction(
        source.again(),
        url=source.url,
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
        return ours
    left_out = {words.letters(line) for line in ours.comments.split("\n")}
    for box in ours.left_out if ours.text else ():
        left_out |= {words.letters(block.plain) for block in blocks_of(box, dropped=frozenset())}
    plain = _own_lines(xmltotxt(document.body, include_formatting=False), left_out)
    if len(plain) < max(_MIN_FALLBACK, _MUCH_MORE * len(ours.text)):
        return ours
    marked = _own_lines(xmltotxt(document.body, include_formatting=True), left_out)
    return _Post(plain, marked, ours.comments or (document.comments or "").strip())


def _own_lines(text: str, left_out: Collection[str]) -> str:
    """Text without the lines that are boilerplate, or by their letters are in what was left out of ours."""
    lines = (line.rstrip() for line in text.split("\n") if boilerplate.keep_line(line))
    return "\n".join(line for line in lines if not line or words.letters(line) not in left_out).strip()


def _with_entry(text: Text, entry: Entry, latest: datetime | None) -> Text:
    """The text with the metadata of its feed entry; dates after `latest` are ignored."""
    stated = {
        "title": page_metadata.one_line(entry.title),
        "author": page_metadata.one_line(entry.author or (None if text.author else entry.shared_author)),
        "published": page_metadata.believed(entry.published, latest),
        "modified": page_metadata.believed(entry.modified, latest),
        "tags": tuple(page_metadata.unique([*entry.tags, *text.tags])) if entry.tags else (),
        # A feed states one language for all its posts, so the text and the page are more reliable.
        "language": None if text.language else language.fold(entry.language),
    }
    won = {name: value for name, value in stated.items() if value}
    won["feed_only"] = feed_only(entry, text.text, text.url)
    sources = {**text.sources, **dict.fromkeys((name for name in won if name != "feed_only"), "feed")}
    return replace(text, **won, sources=sources)  # type: ignore[arg-type]
