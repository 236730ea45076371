"""The crawler's own settings, frozen and read once. No I/O."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version
from ipaddress import ip_network
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from archive.runtime.times import parse_span
from archive.settings import PressmarkSettings
from crawler.decide.freshness import Pace
from crawler.model.visits import Scope
from crawler.net.address_guard import Network

_PLAN = "1h 6h 1d 7d 30d 365d"


CONTACT = "https://github.com/pressmark/pressmark"


class CrawlSettings(PressmarkSettings):
    """How the crawler behaves towards the web."""

    user_agent: str = f"Pressmark/{version('pressmark')} (+{CONTACT})"
    """Sent on every request; what stands before the first `/` is the name that robots.txt knows us by."""

    operator: str = ""
    """Who runs this crawl, such as a name and a mail address; written into every file."""

    allow_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """Networks that count as public; everything else that is not on the public internet is refused."""

    host_gap: float = Field(default=1.0, ge=0)
    """Least seconds between two requests to one host."""

    host_concurrency: int = Field(default=1, ge=1, le=64)
    """Requests to one host at a time."""

    concurrency: int = Field(default=192, ge=1, le=1024)
    """Requests at a time to all hosts together."""

    feed_interval: float = Field(default=3600.0, ge=0)
    """Seconds between two visits of a feed."""

    retry_after_scope: Scope = "host"
    """What is left alone when an answer 429 or 503 says for how long: the URL, its host, its registrable domain."""

    feed_slowest: float = Field(default=86400.0, ge=0)
    """Longest wait in seconds that a feed's own rhythm, or a server without validators, brings about."""

    recheck_plan: Annotated[tuple[timedelta, ...], NoDecode] = tuple(map(parse_span, _PLAN.split()))
    """Waits between the visits of a post's page once it is held; the last one goes on for ever. Empty: never again."""

    host_budget: int = Field(default=900, ge=1)
    """Pages of one registrable domain that one crawl fetches for the first time; more wait for the next crawl. A feed
    without end, or a domain with hosts without end, must not keep a crawl for ever."""

    recheck_budget: int = Field(default=500, ge=0)
    """Posts of one host that are looked at again within a day."""

    backfill_gap: float | None = Field(default=None, ge=0)
    """Least seconds between two requests of a backfill to one host, never less than `host_gap`; None: twice that."""

    backfill_retries: int = Field(default=3, ge=0)
    """Times that a listing which failed is asked for again."""

    callback: str = ""
    """Public URL under which hubs (WebSub) reach this daemon, such as https://archive.example/websub; empty: none."""

    timeout: float = Field(default=60.0, gt=0)
    """Seconds that one exchange may take from connecting to its last byte."""

    max_bytes: int = Field(default=50 * 1024 * 1024, ge=1024)
    """Bytes of one response, on the wire and decoded; what is longer is cut, kept and marked."""

    requisites: bool = False
    """Images, stylesheets and fonts of a page are captured too."""

    requisite_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    """Bytes of one image, stylesheet or font; what is longer is cut, kept and marked."""

    requisites_of_page: int = Field(default=200, ge=1, le=2_000)
    """Images, stylesheets and fonts that are fetched for one page."""

    requisite_age: float = Field(default=30 * 86_400.0, ge=0)
    """Seconds for which an image, stylesheet or font that is held is not asked for again."""

    feed_seconds: float = Field(default=15.0, gt=0)
    """Wall time that reading one feed document may take before its process is ended; the largest honest ones take a
    third of that on a busy machine."""

    lock_seconds: float = Field(default=600.0, ge=0)
    """How long a command waits for another crawl on this machine to end."""

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
