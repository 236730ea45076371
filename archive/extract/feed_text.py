"""The text of a post from its entry in a feed, for posts whose page does not have it. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from archive.extract import language
from archive.extract.blocks import images_in, links_in, markdown_text, plain_text
from archive.extract.date_text import believed
from archive.extract.feed_hints import entry_blocks
from archive.extract.markup import one_line
from archive.extract.page_metadata import unique
from archive.extract.pipeline import DATE_SLACK, extractor
from archive.extract.text import FEED, Entry, Text
from archive.extract.words import count
from archive.limits import TEXT_CHARACTERS

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
        plain = "\n".join(block.plain for block in blocks if block.plain)
    if not plain and title and count(title) >= _MIN_TITLE:
        plain = marked = title
    if not plain:
        return None
    latest = date + DATE_SLACK if date else None
    code, source = language.of(plain, stated=entry.language, source=FEED)
    facts = {
        "title": title,
        "author": one_line(entry.author or entry.shared_author),
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
        links=links_in(blocks),
        images=images_in(blocks),
        extractor=extractor(),
        entry=entry,
        source=FEED,
        verdict=verdict,
    )


def feed_texts(posts: Sequence[tuple[Entry, str, str, datetime]], *, verdict: str | None = None) -> list[Text | None]:
    """`feed_text` of several posts: entry, URL of the post, base of its links, date of the feed's capture."""
    made = [feed_text(entry, url=url, base=base, date=date, verdict=verdict) for entry, url, base, date in posts]
    return [replace(text, own="#" in text.url) if text else None for text in made]
