"""The crawler's settings: its own, frozen and read once, and Scrapy's, made of them."""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from importlib.metadata import version
from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from archive.errors import SettingsError
from archive.faces import OneLine
from archive.moment import parse_span
from archive.settings import ArchiveSettings, PressmarkSettings, load
from crawler.freshness import Pace
from crawler.guard import Network
from crawler.visit import Scope

_PLAN = "1h 6h 1d 7d 30d 365d"
_ADMITTED = 4_096
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


def scrapy_settings(options: CrawlSettings, archive: ArchiveSettings) -> dict[str, Any]:
    """Scrapy's settings; what is not here is as Scrapy has it."""
    return {
        "PRESSMARK_OPTIONS": options,
        "PRESSMARK_ARCHIVE": archive,
        "BOT_NAME": "pressmark",
        "SPIDER_MODULES": ["crawler.spiders"],
        "COMMANDS_MODULE": "crawler.commands",
        # -- what listens or writes and was not asked for
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "STATS_DUMP": False,
        "LOG_LEVEL": "INFO",
        "EXTENSIONS": {
            "scrapy.extensions.feedexport.FeedExporter": None,
            "scrapy.extensions.logstats.LogStats": None,
            "crawler.run.Run": 0,
        },
        # -- the wire
        "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
        "TWISTED_DNS_RESOLVER": "crawler.wire.GuardedResolver",
        "DOWNLOAD_HANDLERS": {
            "http": "crawler.wire.WireHandler",
            "https": "crawler.wire.WireHandler",
            "data": None,
            "file": None,
            "ftp": None,
            "s3": None,
        },
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_TIMEOUT": options.timeout,
        "DOWNLOAD_MAXSIZE": options.max_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "HTTPPROXY_ENABLED": False,  # a proxy would connect where the guard cannot look
        # -- manners
        "USER_AGENT": options.user_agent,
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,*/*;q=0.8",
            # Not zstd, though Scrapy could read it: no replay tool can.
            "Accept-Encoding": "gzip, deflate, br",
        },
        # Each host's turn is Scrapy's to give; how many exchanges go on at a time is the handler's to say, so that
        # hosts of one domain that do not answer keep no others waiting.
        "CONCURRENT_REQUESTS": max(options.concurrency, _ADMITTED),
        "REACTOR_THREADPOOL_MAXSIZE": 64,  # names are looked up there, some of them slowly
        "CONCURRENT_ITEMS": 1,  # Scrapy starts so many tasks for each response; our callbacks give no items
        "CONCURRENT_REQUESTS_PER_DOMAIN": options.host_concurrency,
        "DOWNLOAD_DELAY": options.host_gap,
        "DOWNLOAD_DELAY_JITTER": 0,  # it would go below the gap
        "COOKIES_ENABLED": False,
        "REFERER_ENABLED": False,
        "METAREFRESH_ENABLED": False,
        "REDIRECT_MAX_TIMES": 8,
        "RETRY_ENABLED": False,  # the frontier decides when to ask again; a stale connection is Twisted's to replace
        "HTTPERROR_ALLOW_ALL": True,  # an error is an answer too, and the spider records it
        "URLLENGTH_LIMIT": 8192,
        # Engine side first. What is held needs no permission, and who asked to be left alone is asked nothing, not even
        # robots.txt, which comes before anything is spent on a request;
        # redirects where Scrapy has its own, below decompression, so that each hop is seen once.
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
            "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
            "crawler.held.Held": 50,
            "crawler.patience.Patience": 75,
            "crawler.robots.Robots": 100,
            "crawler.redirect.Redirects": 600,
        },
    }


logging.setLogRecordFactory(OneLine)  # Scrapy imports this module before it logs anything

try:
    globals().update(scrapy_settings(load(CrawlSettings), load(ArchiveSettings)))
except SettingsError as e:
    # Scrapy imports this module before any command of ours runs, and would show a traceback.
    sys.stderr.write(f"pressmark: {e}\n" + (f"  {e.hint}\n" if e.hint else ""))
    raise SystemExit(2) from None
