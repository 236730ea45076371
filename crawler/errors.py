"""Errors of the crawler.

    CrawlError
    ├── FeedError             a body is not a readable feed
    ├── NoFeedError           no feed was found behind a URL
    ├── UnknownError          a URL is neither that of a post nor that of a feed
    ├── FetchError            a URL could not be fetched
    │   ├── PrivateAddressError   the host is not on the public internet
    │   └── UselessError          a response brings nothing, or too much, however long one waits
    └── UsageError            the command line cannot be used as it is

    ArchiveError
    ├── TwinError             another home has this machine's name
    └── ClockError            this machine's clock is wrong

A failure of one feed or page is a value to store; these are raised if a person requested that feed or page.
"""

from __future__ import annotations

from archive.errors import ArchiveError


class CrawlError(Exception):
    """A failure that a person can understand and act on; carries its URL."""

    hint: str | None = None
    """What to do about it, in one sentence; None where the message suffices."""

    def __init__(self, message: str, *, url: str, hint: str | None = None) -> None:
        super().__init__(f"{url}: {message}")
        self.url = url
        self.reason = message
        if hint is not None:
            self.hint = hint


class FeedError(CrawlError):
    """The body is not a readable feed."""


class NoFeedError(CrawlError):
    """No feed was found behind a URL."""

    hint = "Give the address of the feed itself."


class UnknownError(CrawlError):
    """The URL is neither that of a known post nor that of a feed."""

    hint = "Archive it with: pressmark save URL"


class FetchError(CrawlError):
    """The URL could not be fetched."""

    lasting = False
    """Whether it would fail again in the same way."""


class PrivateAddressError(FetchError):
    """The host is not on the public internet, and its network was not allowed."""

    hint = "If you mean to crawl it, name its network in PRESSMARK_ALLOW_NETWORKS."


class UselessError(FetchError):
    """A response brings nothing, or too much, however long one waits; what has come is stored and marked."""

    lasting = True


class UsageError(CrawlError):
    """The command line cannot be used as it is."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        Exception.__init__(self, message)
        self.url = ""
        self.reason = message
        if hint is not None:
            self.hint = hint


class TwinError(ArchiveError):
    """Another home folder crawls under this machine's name: one of them is a copy."""


class ClockError(ArchiveError):
    """This machine's clock is far off, so that what it stored would be dated wrongly."""
