"""Commands that repair: rebuild the database, re-extract texts, commit leftovers."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime

import click

from archive.cli import Address
from archive.errors import ArchiveError
from archive.runtime.console import Exit, print_error, printable
from archive.warc.pasted_url import Reading
from crawler.cli.open import open_frontier


@click.command()
def reindex() -> None:
    """Rebuild the database from the object store alone: captures, texts, subscriptions, seen entries.

    Exit code 4 if an object is damaged; its intact records are indexed nevertheless.
    """
    from archive.cli import failed, open_archive, progress_bar
    from archive.maintenance.compact import Compaction, alone, retire_superseded
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
        with (
            no_run(archive.settings.home, wait_seconds=options.lock_seconds),
            alone(archive, wait_seconds=options.lock_seconds),
            open_frontier() as frontier,
        ):
            Compaction(archive, now=lambda: datetime.now(UTC)).settle()
            with progress_bar(keys(archive.store), "objects") as objects:
                for key in objects:
                    finding = reindex_object(archive.store, archive.writer.index, key)
                    if finding is not None:
                        damaged += 1
                        click.echo(printable(finding.line()))
            retire_superseded(archive, at=datetime.now(UTC))
            subscriptions = rebuild(
                archive, frontier, pace=options.pace, plan=options.recheck_plan, now=datetime.now(UTC)
            )
            counts = archive.index.counts()
    except ArchiveError as e:
        sys.exit(failed(e))
    except CrawlError as e:
        print_error(str(e), e.hint)
        sys.exit(Exit.FAILED)
    click.echo(
        f"indexed {counts['objects']} objects: {counts['captures']} captures, {counts['texts']} texts, "
        f"{subscriptions} subscriptions"
    )
    sys.exit(Exit.DAMAGED if damaged else Exit.DONE)


@click.command("extract")
@click.option("--again", is_flag=True, required=True, help="Re-extract texts; the old ones stay.")
@click.argument("urls", nargs=-1, type=Address())
def extract_again(again: bool, urls: tuple[tuple[Reading, ...], ...]) -> None:  # noqa: ARG001  required, to prevent running it by accident
    """Re-extract the texts of all posts or of URLs from their captures, with the current extractor.

    New texts are stored beside the old ones and take precedence. Captures that already have a current text are
    skipped, so an interrupted run can be continued. A page that fails keeps its text and is reported; exit code 4 if
    the archive is damaged there.
    """
    from archive.cli import open_archive, progress_bar
    from archive.maintenance.re_extract import ReExtracted, ReExtraction
    from archive.runtime.file_lock import exclusive
    from archive.runtime.worker_pool import WorkerPool
    from crawler.restore.unread_posts import wanted

    made = same = 0
    failures: list[ReExtracted] = []
    with open_frontier() as frontier:
        archive = open_archive()
        settings = archive.settings
        limits = settings.extract_limits
        pool = WorkerPool(workers=settings.extract_workers, limits=limits, preload=["archive.extract.pipeline"])
        with exclusive(settings.home / "extract.lock", what="extract"), closing(pool):
            archive.writer.check_writable()
            job = ReExtraction(archive, pool, now=lambda: datetime.now(UTC), workers=settings.extract_workers)
            job.finish()
            asked = tuple(archive.meant(one).url for one in urls)
            with progress_bar(job.run(wanted(archive, frontier, asked)), "captures") as results:
                for one in results:
                    made += one.made
                    same += not one.made and one.error is None
                    if one.error:
                        failures.append(one)
                        print_error(printable(one.error if one.url in one.error else f"{one.url}: {one.error}"))
    wrong = f", {len(failures)} failed and keep their texts" if failures else ""
    click.echo(f"{made} texts re-extracted, {same} unchanged{wrong}")
    sys.exit(Exit.DAMAGED if any(one.damaged for one in failures) else Exit.DONE)


@click.command()
def seal() -> None:
    """Commit what killed crawls have left in the spool."""
    from archive.archive import Archive
    from archive.cli import failed
    from archive.errors import LockedError
    from archive.settings import ArchiveSettings, load
    from crawler.job import recover
    from crawler.session.lanes import LANES, only_run

    count = 0
    with open_frontier() as frontier:
        settings = load(ArchiveSettings)
        for lane in LANES:
            try:
                with only_run(settings.home, lane, wait_seconds=0):
                    count += recover(Archive.open(settings, lane), frontier)
            except LockedError:
                continue  # a crawl is running there, and will commit it
            except ArchiveError as e:
                sys.exit(failed(e))
    click.echo(f"committed {count} batches")
