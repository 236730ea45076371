"""What a crawl asks of its worker processes. Each function loads its parsers when it is called, in the worker.

So the process that talks to the network starts without them. No I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archive.extract.reading import PageReading
    from archive.extract.text import Text

MODULES = (
    "archive.extract.page_reading",
    "archive.extract.feed_text",
    "babel.dates",
    "crawler.discover",
    "crawler.feeds.reading",
    "crawler.session.tasks",
)
"""What a worker process has loaded before its first task."""


def extract(**page: Any) -> Text:  # noqa: ANN401  as the function that it calls
    """See `archive.extract.pipeline.extract`."""
    from archive.extract import pipeline

    return pipeline.extract(**page)


def read_page(**page: Any) -> PageReading:  # noqa: ANN401  as the function that it calls
    """See `archive.extract.page_reading.read_page`."""
    from archive.extract import page_reading

    return page_reading.read_page(**page)


def same_page_everywhere(one: str, other: str) -> bool:
    """See `archive.extract.page_reading.same_page_everywhere`."""
    from archive.extract import page_reading

    return page_reading.same_page_everywhere(one, other)


def feed_texts(**posts: Any) -> list[Text | None]:  # noqa: ANN401  as the function that it calls
    """See `archive.extract.feed_text.feed_texts`."""
    from archive.extract import feed_text

    return feed_text.feed_texts(**posts)
