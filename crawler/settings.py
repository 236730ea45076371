"""The crawler's settings: its own, immutable and read once, and Scrapy's, derived from them."""

from __future__ import annotations

import gc
import logging
import sys
from typing import Any

from archive.errors import SettingsError
from archive.runtime.console import OneLine
from archive.settings import ArchiveSettings, load
from crawler.limits import REDIRECTS
from crawler.options import CrawlSettings

_ADMITTED = 4_096
_OBJECTS = 50_000
"""New objects after which garbage is looked for: what is loaded makes a million that stay."""


def scrapy_settings(options: CrawlSettings, archive: ArchiveSettings) -> dict[str, Any]:
    """Scrapy's settings; anything not listed here has Scrapy's default."""
    return {
        "PRESSMARK_OPTIONS": options,
        "PRESSMARK_ARCHIVE": archive,
        "BOT_NAME": "pressmark",
        "SPIDER_MODULES": ["crawler.spiders"],
        "COMMANDS_MODULE": "crawler.commands",
        # -- what is not listed is not even loaded, whatever Scrapy enables: servers, exports, unused middlewares.
        # No proxy: it would connect where the address guard cannot check (SSRF).
        "STATS_DUMP": False,
        "LOG_LEVEL": "INFO",
        "EXTENSIONS_BASE": {},
        "EXTENSIONS": {
            "scrapy.extensions.closespider.CloseSpider": 0,
            "scrapy.extensions.memusage.MemoryUsage": 0,
            "crawler.session.run.Run": 0,
        },
        "SPIDER_MIDDLEWARES_BASE": {},
        "SPIDER_MIDDLEWARES": {"scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": 800},
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        # -- the wire
        "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
        "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
        "TWISTED_DNS_RESOLVER": "crawler.downloader.resolver.GuardedResolver",
        "DOWNLOAD_HANDLERS": {
            "http": "crawler.downloader.handler.WireHandler",
            "https": "crawler.downloader.handler.WireHandler",
            "data": None,
            "file": None,
            "ftp": None,
            "s3": None,
        },
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_TIMEOUT": options.timeout,
        "DOWNLOAD_MAXSIZE": options.max_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        # -- politeness
        "USER_AGENT": options.user_agent,
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,*/*;q=0.8",
            # Not zstd, though Scrapy could read it: no replay tool can.
            "Accept-Encoding": "gzip, deflate, br",
        },
        # Scrapy schedules the hosts; the download handler limits concurrent exchanges (throttle), so that hosts of
        # one domain that do not respond do not delay others.
        "CONCURRENT_REQUESTS": max(options.concurrency, _ADMITTED),
        "REACTOR_THREADPOOL_MAXSIZE": 64,  # for name lookups, some of which are slow
        "CONCURRENT_ITEMS": 1,  # Scrapy starts as many tasks for each response; our callbacks yield no items
        "CONCURRENT_REQUESTS_PER_DOMAIN": options.host_concurrency,
        "DOWNLOAD_DELAY": options.host_gap,
        "DOWNLOAD_DELAY_JITTER": 0,  # it could shorten the gap
        "REDIRECT_MAX_TIMES": REDIRECTS,
        "URLLENGTH_LIMIT": 8192,
        # From the engine's side: no rule sees a user name in a URL; what may wait for the next run is given back first;
        # an archived response needs no permission; a server with a Retry-After must not even be requested for
        # robots.txt, which is checked before anything is spent on a request; redirects and refreshes are where Scrapy
        # has its own: redirects below decompression, so that each hop is seen once, refreshes above it, since they are
        # in the body; a 304 that confirms nothing is no answer to any of them. Nothing retries: the frontier does
        # (back-off), and Twisted replaces stale connections. Nothing keeps cookies: Redirects answers a chain of
        # redirects with its own, and forgets them. An error is a response too, and the spider records it.
        "DOWNLOADER_MIDDLEWARES": {
            "crawler.downloader.user_names.UserNames": 20,
            "crawler.downloader.run_time.NoNewWork": 25,
            "crawler.downloader.unread_captures.UnreadCaptures": 50,
            "crawler.downloader.retry_after.RetryAfterMiddleware": 75,
            "crawler.downloader.robots.Robots": 100,
            "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
            "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
            "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
            "crawler.downloader.refreshes.Refreshes": 580,
            "crawler.downloader.decompression.Decompression": 590,
            "crawler.downloader.redirects.Redirects": 600,
            "crawler.downloader.unconfirmed.Unconfirmed": 650,
        },
    }


gc.set_threshold(_OBJECTS, 20, 20)
logging.setLogRecordFactory(OneLine)  # Scrapy imports this module before it logs anything

try:
    globals().update(scrapy_settings(load(CrawlSettings), load(ArchiveSettings)))
except SettingsError as e:
    # Scrapy imports this module before any command of ours runs, and would show a traceback.
    sys.stderr.write(f"pressmark: {e}\n" + (f"  {e.hint}\n" if e.hint else ""))
    raise SystemExit(2) from None
