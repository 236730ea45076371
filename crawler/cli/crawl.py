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
    from crawler.session.summary import Named, Summary


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
    summaries: list[Summary] = []
    code = run_crawl(
        {name: value for name, value in given.items() if value}, show=summaries.append, spider=BackfillSpider
    )
    with open_frontier() as frontier:
        for feed_id in waiting or frontier.feed_ids(urls):
            if (report := Backlog(frontier.engine).report(feed_id)) is not None:
                _show_report(report, as_json=as_json)
    for summary in summaries:
        if not as_json and (line := summary.left_line()):
            click.echo(line)
    sys.exit(code)


@click.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one for each URL.")
def save(urls: tuple[str, ...], as_json: bool) -> None:
    """Archive the pages at URLs as posts of their own, whether or not they have a feed, and say what it is."""
    from crawler.spiders.named import SaveSpider

    named, code = _named(urls, SaveSpider)
    for one in named:
        row = {**_outcome(one), "feed": one.feed_url, "subscribed": one.subscribed}
        if as_json:
            click.echo(json.dumps(row, ensure_ascii=False))
            continue
        click.echo(_line(row))
        if one.feed_url and one.subscribed:
            click.echo(f"  its feed is {printable(one.feed_url)}, which is subscribed to")
        elif one.feed_url:
            feed = printable(one.feed_url)
            click.echo(f"  its feed is {feed}: `pressmark add {feed}` subscribes")
    sys.exit(code)


@click.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one for each post or feed.")
def recheck(urls: tuple[str, ...], as_json: bool) -> None:
    """Visit the posts or feeds at URLs again now, due or not; robots.txt, gaps and Retry-After hold.

    Exit code 3 if a URL is neither that of a post nor that of a feed.
    """
    from crawler.spiders.named import RecheckSpider

    named, code = _named(urls, RecheckSpider)
    for one in named:
        row = _outcome(one)
        if one.feed_id is not None:
            row["new_posts"] = one.new_posts
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else _line(row))
    known = {one.url for one in named}
    for url in _given(urls):
        if url not in known and as_json and code == Exit.NOT_ARCHIVED:
            click.echo(json.dumps({"url": url, "kind": None, "outcome": "unknown"}, ensure_ascii=False))
    sys.exit(code)


def _given(urls: tuple[str, ...]) -> list[str]:
    """The URLs as the spider names them: without credentials."""
    from crawler.model.url_identity import as_http
    from crawler.net.credentials import split

    return list(dict.fromkeys(split(as_http(url))[0] for url in urls))


def _named(urls: tuple[str, ...], spider: Any) -> tuple[list[Named], Exit]:  # noqa: ANN401  a spider's class
    """Run a spider on URLs; returns what became of each, and the exit code."""
    summaries: list[Summary] = []
    code = run_crawl({"url": " ".join(urls)}, show=summaries.append, spider=spider)
    if not summaries:
        return [], code
    named = summaries[0].named
    if any(one.outcome in {"failed", "refused"} for one in named):
        return named, Exit.FAILED
    unknown = {one.url for one in named} != set(_given(urls))
    return named, Exit.NOT_ARCHIVED if unknown else code


def _outcome(one: Named) -> dict[str, Any]:
    """What became of a post or feed that was named."""
    visit = one.visit
    return {
        "url": one.url,
        "kind": "post" if one.feed_id is None else "feed",
        "outcome": one.outcome,
        "status": visit.status if visit is not None else None,
        "error": visit.error if visit is not None else "was not visited",
        "verdict": one.page.visit.verdict if one.page is not None else None,
    }


def _line(row: dict[str, Any]) -> str:
    why = row["error"] or (f"the page is not the post: {row['verdict']}" if row["verdict"] else "")
    news = f"  {row['new_posts']} posts to fetch" if row.get("new_posts") else ""
    return f"{row['outcome']}: {printable(row['url'])}{news}" + (f"  {printable(why)}" if why else "")


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
