"""Registers the crawler's commands, and those that need both frontier and archive."""

from crawler.cli import crawl, maintenance, reports, subscriptions

COMMANDS = (
    maintenance.verify,
    maintenance.reindex,
    maintenance.extract_again,
    subscriptions.add,
    reports.feeds,
    crawl.crawl,
    crawl.backfill,
    crawl.save,
    crawl.recheck,
    maintenance.seal,
    reports.deletions,
    reports.alarms,
    subscriptions.pause,
    subscriptions.resume,
    subscriptions.remove,
    subscriptions.import_opml,
    subscriptions.export_opml,
)
