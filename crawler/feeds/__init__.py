"""From the bytes of a feed to its entries: one module a dialect, one row each in `DIALECTS`. Pure, no I/O."""

from crawler.feeds.dates import parse_date
from crawler.feeds.dialects import accept_header, is_meant_as_feed, parse

__all__ = ["accept_header", "is_meant_as_feed", "parse", "parse_date"]
