"""Texts of posts in their feed's own words: of posts without a page, and of those whose page could not be had."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from archive.errors import TaskError
from archive.extract.text import Text
from archive.writer.batch import TextSource
from crawler.model.visits import FeedPost
from crawler.session import tasks
from crawler.session.run import Run

log = logging.getLogger(__name__)

_AT_ONCE = 50
"""Posts of one task of a worker process."""


async def write_texts(run: Run, posts: Sequence[FeedPost], *, verdict: str | None = None) -> tuple[str, ...]:
    """Write the texts that a feed has for posts; returns the addresses of those that have words.

    Args:
        run: What the components of this crawl share.
        posts: Posts as their feed has them.
        verdict: Why their page does not have the text.
    """
    written: list[str] = []
    for start in range(0, len(posts), _AT_ONCE):
        part = posts[start : start + _AT_ONCE]
        asked = [(post.entry, post.address, post.base, post.at) for post in part]
        try:
            made: list[Text | None] = await run.texts.work(tasks.feed_texts, posts=asked, verdict=verdict)
        except TaskError as e:
            log.warning("no text in the feed's words posts=%d first=%s error=%s", len(part), part[0].address, e)
            continue
        for post, text in zip(part, made, strict=True):
            if text is not None:
                await run.committer.add_text(TextSource(record=post.record, date=post.at), text)
                written.append(post.address)
    return tuple(written)
