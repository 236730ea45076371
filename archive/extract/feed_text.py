"""The text of a post from its entry in a feed, for posts whose page does not have it. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from lxml import etree
from lxml.html import HtmlElement, fragment_fromstring

from archive.extract import boilerplate, language
from archive.extract.blocks import Block, blocks_of, markdown_text, plain_text
from archive.extract.date_text import believed
from archive.extract.markup import one_line
from archive.extract.page_metadata import unique
from archive.extract.pipeline import extractor
from archive.extract.text import FEED, Entry, Text
from archive.limits import ENTRY_CHARACTERS, TEXT_CHARACTERS

_DATE_SLACK = timedelta(days=1)
_MIN_TITLE = 3
"""Words from which on a title without any content is a post: "Back from Lisbon, finally"."""


def feed_text(
    entry: Entry, *, url: str, base: str, date: datetime | None = None, verdict: str | None = None
) -> Text | None:
    """The feed's own content as the text of a post; None if the entry has no words.

    Args:
        entry: The post's entry in the feed.
        url: The URL of the post.
        base: What the links in its content are relative to.
        date: When the feed was fetched; dates more than a day later are ignored.
        verdict: Why the page is not the text.
    """
    blocks = entry_blocks(entry.html, base)
    plain, marked = plain_text(blocks).strip(), markdown_text(blocks)
    title = one_line(entry.title)
    if not plain and marked:  # a picture or a video that is described
        plain = "\n".join(block.plain for block in blocks)
    if not plain and title and len(title.split()) >= _MIN_TITLE:
        plain = marked = title
    if not plain:
        return None
    latest = date + _DATE_SLACK if date else None
    code, source = language.of(plain, stated=entry.language, source=FEED)
    facts = {
        "title": title,
        "author": one_line(entry.author),
        "published": believed(entry.published, latest),
        "modified": believed(entry.modified, latest),
        "tags": tuple(unique(entry.tags)),
        "language": code,
    }
    sources = {name: FEED for name, value in facts.items() if value}
    if code:
        sources["language"] = source
    return Text(
        **facts,  # type: ignore[arg-type]
        sources=sources,
        url=url,
        text=plain[:TEXT_CHARACTERS],
        markdown=marked[:TEXT_CHARACTERS],
        extractor=extractor(),
        entry=entry,
        source=FEED,
        verdict=verdict,
    )


def feed_texts(posts: Sequence[tuple[Entry, str, str, datetime]], *, verdict: str | None = None) -> list[Text | None]:
    """`feed_text` of several posts: entry, URL of the post, base of its links, date of the feed's capture."""
    made = [feed_text(entry, url=url, base=base, date=date, verdict=verdict) for entry, url, base, date in posts]
    return [replace(text, own="#" in text.url) if text else None for text in made]


def entry_blocks(markup: str | None, base: str) -> list[Block]:
    """The blocks of an entry's content, without the line that blog software adds to each."""
    root = entry_root(markup)
    if root is None:
        return []
    found = blocks_of(root, dropped=frozenset(), url=base)
    if len(found) > 1 and boilerplate.wording().feed_footer.search(found[-1].plain):
        found.pop()
    return found


def entry_root(markup: str | None) -> HtmlElement | None:
    """An entry's content as an element; None if there is none."""
    if not markup or not markup.strip():
        return None
    try:
        return fragment_fromstring(markup[:ENTRY_CHARACTERS], create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
