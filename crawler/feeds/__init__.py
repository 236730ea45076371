"""From the bytes of a feed to its entries, one module a dialect. Pure, no I/O."""

from crawler.feeds.dates import parse_date
from crawler.feeds.documents import parse

__all__ = ["parse", "parse_date"]
