"""Commands that crawl, with their progress bar and summary."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from archive.runtime.console import Exit, printable
from crawler.cli.open import open_frontier

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.frontier.backfills import Report
    from crawler.session.summary import Summary


@click.command()
@click.argument("urls", nargs=-1, metavar="[URL...]")
@click.option("--force", is_flag=True, help="Also visit feeds that are not due.")
@click.option("--shard", default="", metavar="N/M", help="Only the due feeds of one shard, such as 3/16.")
@click.option("--only", type=click.Choice(["feeds", "rechecks"]), help="Crawl only feeds, or only re-checks.")
def crawl(urls: tuple[str, ...], force: bool, shard: str, only: str | None) -> None:
    """Crawl every due feed, or the feeds behind URLs (subscribed if new): `scrapy crawl blog` with a progress bar."""
    given = {"url": " ".join(urls), "shard": shard, "force": "1" if force else "", "only": only or ""}
    sys.exit(run_crawl({name: value for name, value in given.items() if value}, show=_show))


@click.command()
@click.argument("urls", nargs=-1, metavar="[URL...]")
@click.option("--due", is_flag=True, help="Every unfinished backfill, such as those that a gap has started.")
@click.option("--all", "everything", is_flag=True, help="Take all pages in sitemaps, whatever their URLs look like.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one for each feed.")
def backfill(urls: tuple[str, ...], due: bool, everything: bool, as_json: bool) -> None:
    """Look for posts older than the feeds behind URLs show, and fetch them.

    Listings are tried in this order: pages the feed links to, WordPress, Blogger, sitemaps, pages of the blog. An
    interrupted backfill continues where it stopped. Pages whose URLs do not look like those of known posts are counted
    but not fetched, except with --all.
    """
    from crawler.frontier.backfills import Backlog
    from crawler.spiders.backfill import BackfillSpider

    if bool(urls) == due:
        raise click.UsageError("name URLs, or --due")
    if everything and due:
        raise click.UsageError("--all is for the feeds behind URLs that you name")
    with open_frontier() as frontier:
        waiting = Backlog(frontier.engine).waiting() if due else []
        if due and not waiting:
            if not as_json:
                click.echo("no backfill is waiting")
            return
    given = {"url": " ".join(urls), "everything": "1" if everything else ""}
    code = run_crawl(
        {name: value for name, value in given.items() if value}, show=lambda _summary: None, spider=BackfillSpider
    )
    with open_frontier() as frontier:
        for feed_id in waiting or frontier.feed_ids(urls):
            if (report := Backlog(frontier.engine).report(feed_id)) is not None:
                _show_report(report, as_json=as_json)
    sys.exit(code)


def _show_report(report: Report, *, as_json: bool) -> None:
    from crawler.frontier import backfill_report

    if as_json:
        click.echo(json.dumps(backfill_report.as_json(report), ensure_ascii=False))
    else:
        for line in backfill_report.lines(report):
            click.echo(printable(line))


def run_crawl(given: dict[str, str], *, show: Any, spider: Any = None) -> Exit:  # noqa: ANN401  called with the summary
    """Run a spider with a progress bar; `show` is called with the summary."""
    import logging

    from scrapy.crawler import CrawlerProcess
    from scrapy.settings import Settings

    import crawler.settings
    from crawler.job import crawl as crawl_job
    from crawler.spiders.blog import BlogSpider

    settings = Settings()
    settings.setmodule(crawler.settings, priority="project")
    # The progress bar and the summary suffice; the log of each visit is for `scrapy crawl blog` and the daemon.
    settings.set("LOG_LEVEL", "WARNING", priority="cmdline")
    logging.getLogger("scrapy").setLevel(logging.ERROR)
    with _progress() as watch:
        return crawl_job(CrawlerProcess(settings), given, spider=spider or BlogSpider, watch=watch, show=show)


@contextmanager
def _progress() -> Iterator[Any]:
    """A progress bar on a terminal, none in a pipe; yields a function that connects it to a crawler."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("posts", total=None)

        def update(summary: Summary) -> None:
            bar.update(task, completed=summary.done, total=summary.expected or None)

        def watch(crawler: Crawler) -> None:
            from crawler.session.run import progress

            crawler.signals.connect(update, signal=progress, weak=False)

        yield watch


def _show(summary: Summary) -> None:
    click.echo(summary.line())
    for key in summary.objects:
        click.echo(f"  {key}")
