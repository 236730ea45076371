"""The post's own words, out of a page; the home of trafilatura. No I/O, no state between calls.

The body is found by `body`, written by `blocks` and trimmed by `trim`. Where that gives next to nothing, trafilatura is
asked; every option of it is fixed here and its cross-page deduplication is never used. Dates are bounded by the
capture's own date: the same page gives the same text on every day and in every order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.metadata import version

from lxml.html import HtmlElement
from trafilatura import bare_extraction, load_html
from trafilatura.xml import xmltotxt

from archive.errors import ExtractError
from archive.extract import body, boilerplate, language, page_metadata, trim
from archive.extract.blocks import Block, BlockType, blocks_of, markdown_text, plain_text
from archive.extract.feed_hints import Guide, all_blocks, words
from archive.extract.site_profile import Profile
from archive.extract.text import Entry, Text
from archive.limits import PAGE_BYTES, TEXT_CHARACTERS
from archive.warc.codings import unicode_html

NAME = "pressmark"
RULES = "2"
"""Counts changes of the rules by which texts are made; each makes other texts of some pages."""
OPTIONS = {"comments": "apart", "tables": "yes", "formatting": "yes", "links": "no", "dates": "original"}
_LITTLE = 200
"""Length of a text, in characters, below which trafilatura is asked too."""
_MUCH_MORE = 2
_LEAST = 40
"""Characters of what trafilatura finds, below which it is a label and no text."""

_VERSIONS = (version("pressmark"), version("trafilatura"))
_DATE_SLACK = timedelta(days=1)
"""A page may be dated this much after its capture: its time zone may be ahead of UTC."""


def extractor(site: Profile | None = None) -> dict[str, str]:
    """Name, version and options of what makes texts today, and the profile that it is given."""
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
        payload: The page, content coding removed.
        url: Where it was found.
        content_type: Of the response; its charset is used where the bytes fit it.
        date: When it was captured; no date later than this is believed.
        entry: What a feed said of the post. Its content tells where on the page the post is and which blocks are
            surely its own; words come from the page alone. Its title, author and dates win over the page's: they
            are the publisher's own fields, the page's are guessed from its markup. A date that cannot be does not win.
        site: What recurs on its site; such blocks are not the post, whatever else speaks for them.

    Raises:
        ExtractError: The page holds no text, is no HTML, or is too large.
    """
    if len(payload) > PAGE_BYTES:
        raise ExtractError(f"{len(payload)} bytes are more than the {PAGE_BYTES} that text is taken from", url=url)
    tree = load_html(unicode_html(payload, content_type))
    if tree is None:
        raise ExtractError("is no HTML page", url=url)
    latest = date + _DATE_SLACK if date else None
    facts = page_metadata.read(tree, url=url, latest=latest)
    guide = Guide.of(entry.html) if entry else None
    made = _post(tree, url, facts.title, guide, site)
    if len(made.text) < _LITTLE:
        made = _by_trafilatura(payload, url, content_type, made)
    spoken, told_by = language.of(made.text, stated=facts.language, source=facts.sources.get("language", "page"))
    text = replace(
        _with_facts(Text(url=url, text="", markdown=""), facts),
        language=spoken,
        sources={**facts.sources, **({"language": told_by} if spoken else {})},
        text=made.text[:TEXT_CHARACTERS],
        markdown=made.markdown[:TEXT_CHARACTERS],
        comments=made.comments[:TEXT_CHARACTERS],
        extractor=extractor(site),
        entry=entry,
    )
    if not text.text:
        raise ExtractError("holds no text", url=url)
    return _with_entry(text, entry, latest) if entry else text


@dataclass(frozen=True, slots=True)
class _Post:
    """What a page's post says."""

    text: str = ""
    markdown: str = ""
    comments: str = ""


def _post(tree: HtmlElement, url: str, title: str | None, guide: Guide | None, site: Profile | None) -> _Post:
    found = body.find(tree, title=title)
    if found is None:
        return _Post()
    titles = {said for said in (title, *(" ".join("".join(h1.itertext()).split()) for h1 in tree.iter("h1"))) if said}
    if guide is None:
        kept = _trimmed(found, found.dropped, url, titles)
    else:
        kept = _guided(tree, found, guide, url, title, titles)
    if site is not None:
        kept = _without_recurring(kept, site)
    comments = [
        block
        for element in found.comments
        for block in blocks_of(element, dropped=found.unread, url=url)
        if boilerplate.keep_line(block.plain)
    ]
    return _Post(plain_text(kept), markdown_text(kept), plain_text(comments))


def _trimmed(
    found: body.Body,
    dropped: frozenset[HtmlElement],
    url: str,
    titles: set[str],
    sure: Callable[[Block], bool] = lambda _: False,
) -> list[Block]:
    """The post's blocks; leads first."""
    leads = [block for lead in found.leads for block in blocks_of(lead, dropped=dropped, url=url)]
    return trim.trimmed(blocks_of(found.element, dropped=dropped, url=url), titles, leads=leads, sure=sure)


def _guided(
    tree: HtmlElement, found: body.Body, guide: Guide, url: str, title: str | None, titles: set[str]
) -> list[Block]:
    """The post's blocks, with what its entry in a feed tells of them."""
    page = all_blocks(tree, found.unread)
    at = guide.body(page)
    if at is not None and at is not found.element:
        found = body.find(tree, title=title, at=at) or found
    said = [block for block in page if block.element is not None and guide.knows(block)]
    # What the entry says stays, and so does what it is in.
    holders = {above for block in said for above in (block.element, *block.element.iterancestors())}  # type: ignore[union-attr]
    if guide.is_whole:
        found = replace(found, leads=[lead for lead in found.leads if lead in holders or boilerplate.names_lead(lead)])
    kept = _trimmed(found, found.dropped - holders, url, titles, guide.knows)
    begins = [block for block in page if guide.begins(block)]
    if begins and not any(guide.begins(block) for block in kept):
        kept.insert(0, begins[0])
    return [_as_text(block) if guide.knows(block) else block for block in _without_twins(kept)]


def _without_recurring(blocks: list[Block], site: Profile) -> list[Block]:
    """Without what recurs on the site, unless that is all there is."""
    return [block for block in blocks if not site.knows(block.plain)] or blocks


def _as_text(block: Block) -> Block:
    """A picture's caption or description as words of the post, which a page alone does not tell that they are."""
    return replace(block, type=BlockType.PARAGRAPH) if block.type in (BlockType.CAPTION, BlockType.IMAGE) else block


def _without_twins(blocks: list[Block]) -> list[Block]:
    """Without descriptions of pictures that their captions repeat."""
    return [
        block
        for block, following in zip(blocks, [*blocks[1:], None], strict=True)
        if block.type is not BlockType.IMAGE or following is None or words(block) != words(following)
    ]


def _by_trafilatura(payload: bytes, url: str, content_type: str | None, ours: _Post) -> _Post:
    """What trafilatura finds, if it is much more than what we found."""
    document = bare_extraction(
        load_html(unicode_html(payload, content_type)),
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
        return ours
    plain = _own_lines(xmltotxt(document.body, include_formatting=False))
    if len(plain) < max(_LEAST, _MUCH_MORE * len(ours.text)):
        return ours
    marked = _own_lines(xmltotxt(document.body, include_formatting=True))
    return _Post(plain, marked, ours.comments or (document.comments or "").strip())


def _own_lines(text: str) -> str:
    """Text without the lines that are furniture."""
    return "\n".join(line.rstrip() for line in text.split("\n") if boilerplate.keep_line(line)).strip()


def _with_facts(text: Text, facts: page_metadata.Facts) -> Text:
    """The text with what the page's own markup says of it."""
    return replace(
        text,
        title=facts.title,
        author=facts.author,
        published=facts.published,
        modified=facts.modified,
        site=facts.site,
        language=facts.language,
        tags=facts.tags,
        canonical=facts.canonical,
        license=facts.license,
        image=facts.image,
        sources=dict(facts.sources),
    )


def _with_entry(text: Text, entry: Entry, latest: datetime | None) -> Text:
    """The text with what a feed said of the post; `latest` is the last date that is believed."""
    said = {
        "title": page_metadata.one_line(entry.title),
        "author": page_metadata.one_line(entry.author),
        "published": page_metadata.believed(entry.published, latest),
        "modified": page_metadata.believed(entry.modified, latest),
        "tags": tuple(page_metadata.unique([*entry.tags, *text.tags])) if entry.tags else (),
        # A feed states one language for all its posts, so that the text's and the page's word on it count for more.
        "language": None if text.language else language.fold(entry.language),
    }
    won = {name: value for name, value in said.items() if value}
    sources = {**text.sources, **dict.fromkeys(won, "feed")}
    return replace(text, **won, sources=sources)  # type: ignore[arg-type]
