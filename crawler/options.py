"""The crawler's own settings, immutable and read once. No I/O."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version
from ipaddress import ip_network
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from archive.runtime.times import parse_span
from archive.settings import PressmarkSettings
from crawler.decide.freshness import LONGEST, RETIRED, SPREAD, Pace
from crawler.model.visits import Scope
from crawler.net.address_guard import Network

_PLAN = "1h 6h 1d 7d 30d 365d"


CONTACT = "https://github.com/pressmark/pressmark"


class CrawlSettings(PressmarkSettings):
    """Settings for how the crawler behaves towards the web."""

    user_agent: str = f"Pressmark/{version('pressmark')} (+{CONTACT})"
    """Sent with every request; the part before the first `/` is our product token in robots.txt."""

    operator: str = ""
    """Who runs this crawl, such as a name and a mail address; written into every WARC file."""

    allow_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """Networks that count as public; all other private addresses are refused (SSRF)."""

    host_gap: float = Field(default=1.0, ge=0)
    """Minimum number of seconds between two requests to one host."""

    host_concurrency: int = Field(default=1, ge=1, le=64)
    """Concurrent requests to one host."""

    concurrency: int = Field(default=192, ge=1, le=1024)
    """Concurrent requests to all hosts together."""

    feed_interval: float = Field(default=3600.0, ge=0)
    """Minimum number of seconds between two visits of a feed."""

    retry_after_scope: Scope = "host"
    """What a Retry-After in a response 429 or 503 applies to: the URL, its host or its registrable domain."""

    feed_slowest: float = Field(default=86400.0, ge=0)
    """Longest wait in seconds that a feed's own rhythm, or a server without validators, can cause."""

    recheck_plan: Annotated[tuple[timedelta, ...], NoDecode] = tuple(map(parse_span, _PLAN.split()))
    """Waits between the visits of an archived post; the last one repeats. Empty: never again."""

    host_budget: int = Field(default=900, ge=1)
    """Pages of one registrable domain that one crawl fetches for the first time; the rest waits for the next crawl. An
    endless feed, or a domain with endless hosts, must not occupy a crawl forever."""

    host_seconds: float = Field(default=60.0, gt=0)
    """Seconds that one crawl waits for the answers of one registrable domain, besides one for each answer, and at least
    `timeout`; the rest waits for the next crawl. A slow host must not decide how long a crawl takes."""

    recheck_budget: int = Field(default=500, ge=0)
    """Re-checks of one host within a day."""

    backfill_gap: float | None = Field(default=None, ge=0)
    """Minimum seconds between two requests of a backfill to one host, at least `host_gap`; None: twice that."""

    backfill_retries: int = Field(default=3, ge=0)
    """How often a backfill retries a listing that failed."""

    callback: str = ""
    """Public URL of this daemon for WebSub hubs, such as https://archive.example/websub; empty: no subscriptions."""

    timeout: float = Field(default=60.0, gt=0)
    """Seconds that one exchange may take, from the lookup of the host to the last byte."""

    max_bytes: int = Field(default=50 * 1024 * 1024, ge=1024)
    """Bytes of one response, as sent and decoded; longer ones are truncated, stored and marked."""

    requisites: bool = False
    """Whether to capture the images, stylesheets and fonts of a page too."""

    requisite_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    """Bytes of one image, stylesheet or font; longer ones are truncated, stored and marked."""

    requisites_of_page: int = Field(default=200, ge=1, le=2_000)
    """Number of images, stylesheets and fonts fetched for one page."""

    requisite_age: float = Field(default=30 * 86_400.0, ge=0)
    """Seconds during which an archived image, stylesheet or font is not requested again."""

    feed_seconds: float = Field(default=15.0, gt=0)
    """Wall time in seconds for parsing one feed document, after which its process is killed; the largest legitimate
    ones take a third of that on a busy machine."""

    lock_seconds: float = Field(default=600.0, ge=0)
    """Seconds that a command waits for another crawl on this machine to end."""

    trust_clock: bool = False
    """Whether to crawl although this machine's clock is far off the database's, or behind the newest captures."""

    @property
    def longest_wait(self) -> timedelta:
        """No visit is due later than this after the one before; a later one was dated by a clock that was ahead."""
        of_feeds = max(RETIRED, self.pace.least, self.pace.slowest) * (1 + SPREAD)
        return max(of_feeds, *self.recheck_plan, LONGEST) + LONGEST  # a Retry-After or skipped days may add to it

    @property
    def pace(self) -> Pace:
        """How often feeds are visited."""
        return Pace(least=timedelta(seconds=self.feed_interval), slowest=timedelta(seconds=self.feed_slowest))

    @field_validator("recheck_plan", mode="before")
    @classmethod
    def _split_plan(cls, value: object) -> object:
        return tuple(map(parse_span, value.replace(",", " ").split())) if isinstance(value, str) else value

    @field_validator("allow_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
        return value
