"""The crawler's commands, and those that need both frontier and archive: reindex, extract."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import click

from archive.cli import Url
from archive.errors import ArchiveError
from archive.runtime.console import Exit, printable, tell
from crawler.limits import OPML_BYTES

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.frontier.backfills import Report
    from crawler.frontier.frontier import Frontier
    from crawler.model.visits import Feed
    from crawler.session.summary import Summary


_MISSING_SHOWN = 20


@contextmanager
def _frontier() -> Iterator[Frontier]:
    """The frontier that the settings name; what goes wrong with it ends the command in one line."""
    from archive.cli import failed
    from archive.settings import ArchiveSettings, load
    from crawler.frontier.frontier import Frontier

    try:
        yield Frontier.open(load(ArchiveSettings).database)
    except ArchiveError as e:
        sys.exit(failed(e))


@click.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option(
    "--insecure/--secure", default=None, help="Take the certificates of these hosts as they are, or no more. Recorded."
)
def add(urls: tuple[str, ...], insecure: bool | None) -> None:
    """Find the feed behind each URL and subscribe to it. Posts are fetched by the next crawl.

    A name and password, as in https://NAME:PASSWORD@HOST/feed, are sent to that origin alone.
    """
    with _frontier() as frontier:
        known = {feed.url for feed in frontier.feeds()}
    given = {"url": " ".join(urls), "only": "subscribe"}
    if insecure is not None:
        given["insecure"] = str(int(insecure))
    code = _crawl(given, show=lambda _summary: None)
    with _frontier() as frontier:
        for url in urls:
            for feed in frontier.find(url):
                said = "already subscribed" if feed.url in known else "subscribed"
                click.echo(f"{said}: {printable(feed.url)}" + (f"  {printable(feed.title)}" if feed.title else ""))
    sys.exit(code)


@click.command()
@click.argument("urls", nargs=-1, metavar="[URL...]")
@click.option("--force", is_flag=True, help="Visit feeds that are not due as well.")
@click.option("--shard", default="", metavar="N/M", help="Only the due feeds of one shard, such as 3/16.")
@click.option("--only", type=click.Choice(["feeds", "rechecks"]), help="Only a part of what is due.")
def crawl(urls: tuple[str, ...], force: bool, shard: str, only: str | None) -> None:
    """Crawl every due feed, or the feeds behind URLs (subscribed if new): `scrapy crawl blog` with a progress bar."""
    given = {"url": " ".join(urls), "shard": shard, "force": "1" if force else "", "only": only or ""}
    sys.exit(_crawl({name: value for name, value in given.items() if value}, show=_show))


@click.command()
@click.argument("urls", nargs=-1, metavar="[URL...]")
@click.option("--due", is_flag=True, help="Every backfill that is not done, such as those that a gap has called for.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one for each feed.")
def backfill(urls: tuple[str, ...], due: bool, as_json: bool) -> None:
    """Look for posts older than the feeds behind URLs show, and fetch them.

    Listings are tried in this order: what the feed leads to, WordPress, Blogger, sitemaps, pages of the blog. What was
    stopped goes on where it was.
    """
    from crawler.frontier.backfills import Backlog
    from crawler.spiders.backfill import BackfillSpider

    if bool(urls) == due:
        raise click.UsageError("name URLs, or --due")
    with _frontier() as frontier:
        waiting = Backlog(frontier.engine).waiting() if due else []
        if due and not waiting:
            if not as_json:
                click.echo("no backfill is waiting")
            return
    code = _crawl({"url": " ".join(urls)} if urls else {}, show=lambda _summary: None, spider=BackfillSpider)
    with _frontier() as frontier:
        for feed_id in waiting or frontier.feed_ids(urls):
            if (report := Backlog(frontier.engine).report(feed_id)) is not None:
                _show_report(report, as_json=as_json)
    sys.exit(code)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def deletions(as_json: bool) -> None:
    """List posts that are not there any more: since when, why so, and when they were last seen."""
    with _frontier() as frontier:
        found = frontier.deletions()
    for one in found:
        if as_json:
            click.echo(json.dumps(_plainly(asdict(one)), ensure_ascii=False))
        else:
            back = f", back since {_short(one.restored)}" if one.restored else ""
            click.echo(
                f"{_short(one.since)}  {one.kind:8}  {one.status or '-'}  last seen {_short(one.alive)}{back}  "
                f"{printable(one.url)}"
            )
    if not found and not as_json:
        click.echo("nothing that was kept is known to be gone")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--all", "over", is_flag=True, help="Those that are over as well.")
def alarms(as_json: bool, over: bool) -> None:
    """List what the operator should know: feeds that fail, fall silent or lose posts, jobs that do not end."""
    from crawler.frontier.alarms import standing

    with _frontier() as frontier:
        found = standing(frontier.engine, over=over)
    for one in found:
        if as_json:
            click.echo(json.dumps(_plainly(asdict(one)), ensure_ascii=False))
        else:
            end = f" until {_short(one.ended)}" if one.ended else ""
            click.echo(f"{_short(one.since)}{end}  {one.kind:10}  {printable(one.subject)}: {printable(one.detail)}")
    if not found and not as_json:
        click.echo("all is well")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def feeds(as_json: bool) -> None:
    """List subscriptions with their health."""
    from crawler.frontier.alarms import standing
    from crawler.frontier.feed_json import feed_as_json

    with _frontier() as frontier:
        found = frontier.feeds()
        said: dict[str, list[str]] = {}
        for alarm in standing(frontier.engine):
            said.setdefault(alarm.subject, []).append(alarm.kind)
    if as_json:
        for feed in found:
            click.echo(json.dumps({**feed_as_json(feed), "alarms": said.get(feed.url, [])}, ensure_ascii=False))
    elif not found:
        click.echo("no subscriptions; begin with: pressmark add URL")
    else:
        _table(found, said)


@click.command()
@click.argument("url")
def pause(url: str) -> None:
    """Stop visiting the feeds behind URL until they are resumed."""
    with _frontier() as frontier:
        _changed(frontier, url, frontier.pause(url, paused=True), "paused")


@click.command()
@click.argument("url")
def resume(url: str) -> None:
    """Visit the feeds behind URL again."""
    with _frontier() as frontier:
        _changed(frontier, url, frontier.pause(url, paused=False), "resumed")


@click.command()
@click.argument("url")
def remove(url: str) -> None:
    """End the subscription of the feeds behind URL. What is archived stays."""
    with _frontier() as frontier:
        _changed(frontier, url, frontier.remove(url), "removed")


@click.command()
def reindex() -> None:
    """Make the database anew from the object store alone: captures, texts, subscriptions, seen entries.

    Exit code 4 if an object is damaged; what is whole in it is in the database all the same.
    """
    from archive.cli import failed, open_archive, progress_bar
    from archive.maintenance.reindex import keys
    from archive.maintenance.reindex import reindex as reindex_object
    from archive.settings import load
    from crawler.errors import CrawlError
    from crawler.options import CrawlSettings
    from crawler.restore.rebuild import rebuild
    from crawler.session.lanes import no_run

    damaged = 0
    try:
        archive = open_archive()
        options = load(CrawlSettings)
        with no_run(archive.settings.home, wait_seconds=options.lock_seconds), _frontier() as frontier:
            with progress_bar(keys(archive.store), "objects") as objects:
                for key in objects:
                    finding = reindex_object(archive.store, archive.writer.index, key)
                    if finding is not None:
                        damaged += 1
                        click.echo(printable(finding.line()))
            subscriptions = rebuild(
                archive, frontier, pace=options.pace, plan=options.recheck_plan, now=datetime.now(UTC)
            )
            counts = archive.index.counts()
    except ArchiveError as e:
        sys.exit(failed(e))
    except CrawlError as e:
        tell(str(e), e.hint)
        sys.exit(Exit.FAILED)
    click.echo(
        f"indexed {counts['objects']} objects: {counts['captures']} captures, {counts['texts']} texts, "
        f"{subscriptions} subscriptions"
    )
    sys.exit(Exit.DAMAGED if damaged else Exit.DONE)


@click.command("extract")
@click.option("--again", is_flag=True, required=True, help="Make texts anew; the old ones stay.")
@click.argument("urls", nargs=-1, type=Url())
def extract_again(again: bool, urls: tuple[str, ...]) -> None:  # noqa: ARG001  asked for so that nobody does it unawares
    """Make texts anew from captures, of all posts or of URLs, with today's extractor.

    New texts lie beside the old ones and count from then on. What has today's text already is left alone, so that a
    run that was ended is gone on with. A page that fails keeps the text that it has, and is told; exit code 4 if that
    is because the archive is damaged.
    """
    from archive.cli import open_archive, progress_bar
    from archive.maintenance.re_extract import ReExtracted, ReExtraction
    from archive.runtime.file_lock import exclusive
    from archive.runtime.worker_pool import Limits, WorkerPool
    from crawler.restore.unread_posts import wanted

    made = same = 0
    failures: list[ReExtracted] = []
    with _frontier() as frontier:
        archive = open_archive()
        settings = archive.settings
        limits = Limits(seconds=settings.extract_seconds, megabytes=settings.extract_megabytes)
        pool = WorkerPool(workers=settings.extract_workers, limits=limits, preload=["archive.extract.pipeline"])
        with exclusive(settings.home / "extract.lock", what="extract"), closing(pool):
            archive.writer.check_writable()
            job = ReExtraction(archive, pool, now=lambda: datetime.now(UTC), workers=settings.extract_workers)
            job.finish()
            with progress_bar(job.run(wanted(archive, frontier, urls)), "captures") as results:
                for one in results:
                    made += one.made
                    same += not one.made and one.error is None
                    if one.error:
                        failures.append(one)
                        tell(printable(one.error if one.url in one.error else f"{one.url}: {one.error}"))
    wrong = f", {len(failures)} failed; they keep the texts they have" if failures else ""
    click.echo(f"{made} texts made, {same} as they were{wrong}")
    sys.exit(Exit.DAMAGED if any(one.damaged for one in failures) else Exit.DONE)


@click.command()
def seal() -> None:
    """Commit what runs that were killed have left in the spool."""
    from archive.archive import Archive
    from archive.cli import failed
    from archive.errors import LockedError
    from archive.settings import ArchiveSettings, load
    from crawler.job import recover
    from crawler.session.lanes import LANES, only_run

    count = 0
    with _frontier() as frontier:
        settings = load(ArchiveSettings)
        for lane in LANES:
            try:
                with only_run(settings.home, lane, wait_seconds=0):
                    count += recover(Archive.open(settings, lane), frontier)
            except LockedError:
                continue  # a run is under way there, and commits by itself
            except ArchiveError as e:
                sys.exit(failed(e))
    click.echo(f"committed {count} batches")


@click.command("import-opml")
@click.argument("file", type=click.File("rb"))
def import_opml(file: IO[bytes]) -> None:
    """Subscribe to every feed of an OPML file, ours or another reader's; `-` is standard input."""
    from archive.cli import open_archive
    from crawler.errors import CrawlError
    from crawler.feeds import opml
    from crawler.net.credentials import bare
    from crawler.restore import store_state as state

    now = datetime.now(UTC)
    try:
        found, wrong = opml.read(file.read(OPML_BYTES + 1), name=file.name, now=now)
    except CrawlError as e:
        tell(str(e), "Name an OPML file, as feed readers export them.")
        sys.exit(Exit.FAILED)
    with _frontier() as frontier:
        known = {feed.url for feed in frontier.feeds()}
        for subscription in found:
            if bare(subscription.url) in known:  # a list says nothing about what is there
                continue
            frontier.entrust(subscription.url)
            own = tuple(seed for seed in subscription.seeds if not frontier.find(seed))
            frontier.restore(replace(subscription, seeds=own))
        state.save_subscriptions(open_archive().store, frontier.subscriptions(), now=now)
    for url in wrong:
        tell(f"{printable(url)}: not an http or https address, left out", None)
    fresh = sum(bare(subscription.url) not in known for subscription in found)
    click.echo(f"subscribed to {fresh} feeds" + (f", {len(found) - fresh} known already" if len(found) > fresh else ""))
    sys.exit(Exit.DONE if found else Exit.FAILED)


@click.command("export-opml")
@click.argument("file", type=click.File("wb"), default="-")
def export_opml(file: IO[bytes]) -> None:
    """Write the subscriptions, with their health, as OPML; to standard output where no FILE is named."""
    from crawler.feeds import opml

    with _frontier() as frontier:
        file.write(opml.write(frontier.subscriptions(), {feed.url: feed for feed in frontier.feeds()}))


COMMANDS = (
    reindex, extract_again, add, feeds, crawl, backfill, seal, deletions, alarms, pause, resume, remove,
    import_opml, export_opml
)  # fmt: skip


def _show_report(report: Report, *, as_json: bool) -> None:
    there = max(report.total or 0, report.found)
    if as_json:
        said = {**_plainly(asdict(report)), "missing": [asdict(one) for one in report.missing], "site_has": there}
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    shown = "an unknown number" if report.shown is None else report.shown
    more = "" if report.ended else f"; not done yet, {report.waiting} listings to read"
    click.echo(
        f"{printable(report.feed)}: feed shows {shown}, site has {there}, archived {report.kept}, "
        f"missing {there - report.kept}{more}"
    )
    for one in report.missing[:_MISSING_SHOWN]:
        click.echo(f"  missing: {printable(one.url)}  {printable(one.error or 'not fetched yet')}")
    if len(report.missing) > _MISSING_SHOWN:
        click.echo(f"  and {len(report.missing) - _MISSING_SHOWN} more; --json lists them")


def _plainly(values: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON knows them."""
    from archive.runtime.times import iso

    return {name: iso(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _crawl(given: dict[str, str], *, show: Any, spider: Any = None) -> Exit:  # noqa: ANN401  called with the summary
    import logging

    from scrapy.crawler import CrawlerProcess
    from scrapy.settings import Settings

    import crawler.settings
    from crawler.job import crawl as run_crawl
    from crawler.spiders.blog import BlogSpider

    settings = Settings()
    settings.setmodule(crawler.settings, priority="project")
    # The bar and the summary tell what happens; the log of each visit is for `scrapy crawl blog` and the daemon.
    settings.set("LOG_LEVEL", "WARNING", priority="cmdline")
    logging.getLogger("scrapy").setLevel(logging.ERROR)
    with _progress() as watch:
        return run_crawl(CrawlerProcess(settings), given, spider=spider or BlogSpider, watch=watch, show=show)


@contextmanager
def _progress() -> Iterator[Any]:
    """A progress bar on a terminal, nothing in a pipe; gives what hooks it to a crawler."""
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


def _changed(frontier: Frontier, url: str, count: int, verb: str) -> None:
    """Tell what was changed, and keep it in the store."""
    from archive.cli import open_archive
    from crawler.restore import store_state as state

    if not count:
        tell(f"{url}: no such subscription", "pressmark feeds lists them.")
        sys.exit(Exit.FAILED)
    state.save_subscriptions(open_archive().store, frontier.subscriptions(), now=datetime.now(UTC))
    click.echo(f"{verb}: {count} feed" + ("" if count == 1 else "s"))


def _table(found: list[Feed], said: Mapping[str, Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from crawler.frontier.feed_json import state

    table = Table(box=None, pad_edge=False)
    for name in ("feed", "title", "state", "last visit", "next visit", "kept"):
        table.add_column(name, overflow="fold", justify="right" if name == "kept" else "left")
    now = datetime.now(UTC)
    for feed in found:
        table.add_row(
            Text(printable(feed.url)),
            Text(printable(feed.title or "")),
            Text(printable(", ".join([state(feed), *_notes(said.get(feed.url, ()))]) + _why(feed))),
            _short(feed.visited),
            "-" if feed.paused else "due" if feed.due <= now else _short(feed.due),
            str(feed.kept),
        )
    # A pipe gets whole lines, whatever the width of a terminal would be.
    console = Console()
    (console if console.is_terminal else Console(width=240)).print(table)


def _notes(kinds: Sequence[str]) -> list[str]:
    """Kinds of alarms that the state does not tell already."""
    return [kind for kind in kinds if kind not in {"failing", "gone"}]


def _why(feed: Feed) -> str:
    return f": {feed.error}" if feed.error else ""


def _short(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "never"
