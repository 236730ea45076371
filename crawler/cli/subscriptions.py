"""Commands that change subscriptions."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import click

from archive.runtime.console import Exit, print_error, printable
from crawler.cli.crawl import run_crawl
from crawler.cli.open import open_frontier
from crawler.limits import OPML_BYTES

if TYPE_CHECKING:
    from crawler.frontier.frontier import Frontier


@click.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option(
    "--insecure/--secure",
    default=None,
    help="Accept invalid certificates of these hosts, or stop accepting them. Recorded.",
)
def add(urls: tuple[str, ...], insecure: bool | None) -> None:
    """Find the feed behind each URL and subscribe to it. Posts are fetched by the next crawl.

    A blog without a feed is subscribed to by its sitemap, by WordPress's list of posts or by a page that links to them.

    A name and password, as in https://NAME:PASSWORD@HOST/feed, are sent to that origin only.
    """
    from crawler.model.url_identity import as_http

    urls = tuple(map(as_http, urls))
    with open_frontier() as frontier:
        newest = frontier.newest_feed()
    given = {"url": " ".join(urls), "only": "subscribe"}
    if insecure is not None:
        given["insecure"] = str(int(insecure))
    code = run_crawl(given, show=lambda _summary: None)
    with open_frontier() as frontier:
        for url in urls:
            for feed in frontier.find(url):
                outcome = "already subscribed" if feed.id <= newest else "subscribed"
                click.echo(
                    f"{outcome}: {printable(feed.url)}"
                    + (f"  {printable(feed.title)}" if feed.title else "")
                    + (f" ({feed.listing})" if feed.listing else "")
                )
    sys.exit(code)


@click.command()
@click.argument("url")
def pause(url: str) -> None:
    """Stop visiting the feeds behind URL until they are resumed."""
    with open_frontier() as frontier:
        _changed(frontier, url, frontier.pause(url, paused=True), "paused")


@click.command()
@click.argument("url")
def resume(url: str) -> None:
    """Visit the feeds behind URL again."""
    with open_frontier() as frontier:
        _changed(frontier, url, frontier.pause(url, paused=False), "resumed")


@click.command()
@click.argument("url")
def remove(url: str) -> None:
    """End the subscription of the feeds behind URL. What is archived stays."""
    with open_frontier() as frontier:
        _changed(frontier, url, frontier.remove(url), "removed")


@click.command("import-opml")
@click.argument("file", type=click.File("rb"))
def import_opml(file: IO[bytes]) -> None:
    """Subscribe to every feed in an OPML file, ours or a feed reader's; `-` is standard input."""
    from archive.cli import open_archive
    from crawler.errors import CrawlError
    from crawler.feeds import opml
    from crawler.restore import store_state as state

    now = datetime.now(UTC)
    try:
        found, wrong = opml.read(file.read(OPML_BYTES + 1), name=file.name, now=now)
    except CrawlError as e:
        print_error(str(e), "Name an OPML file, as feed readers export them.")
        sys.exit(Exit.FAILED)
    with open_frontier() as frontier:
        fresh = 0
        for subscription in found:
            if frontier.find(subscription.url):  # the list must not change existing subscriptions
                continue
            fresh += 1
            frontier.entrust(subscription.url)
            own = tuple(seed for seed in subscription.seeds if not frontier.find(seed))
            frontier.restore([replace(subscription, seeds=own)])
        state.save_subscriptions(open_archive().store, frontier)
    for url in wrong:
        print_error(f"{printable(url)}: not an http or https URL, skipped", None)
    click.echo(
        f"subscribed to {fresh} feeds" + (f", {len(found) - fresh} already subscribed" if len(found) > fresh else "")
    )
    sys.exit(Exit.DONE if found else Exit.FAILED)


@click.command("export-opml")
@click.argument("file", type=click.File("wb"), default="-")
def export_opml(file: IO[bytes]) -> None:
    """Write the subscriptions and their health as OPML, to FILE or standard output."""
    from crawler.feeds import opml

    with open_frontier() as frontier:
        file.write(opml.write(frontier.subscriptions(), {feed.url: feed for feed in frontier.each_feed()}))


def _changed(frontier: Frontier, url: str, count: int, verb: str) -> None:
    """Print what was changed, and save the subscriptions to the store."""
    from archive.cli import open_archive
    from crawler.restore import store_state as state

    if not count:
        print_error(f"{url}: no such subscription", "List them with: pressmark feeds")
        sys.exit(Exit.FAILED)
    state.save_subscriptions(open_archive().store, frontier)
    click.echo(f"{verb}: {count} feed" + ("" if count == 1 else "s"))
