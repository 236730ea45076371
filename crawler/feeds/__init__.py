"""Parses the bytes of a feed into entries: a module and a row in `DIALECTS` for each dialect. Pure, no I/O."""

from crawler.feeds.dates import parse_date
from crawler.feeds.dialects import accept_header, is_meant_as_feed, parse

__all__ = ["accept_header", "is_meant_as_feed", "parse", "parse_date"]
