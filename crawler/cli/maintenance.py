"""Commands that check and repair: verify, rebuild the database, re-extract texts, commit leftovers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from archive.cli import Address, Share
from archive.errors import ArchiveError, NotArchivedError
from archive.runtime.console import Exit, print_error, printable
from archive.warc.pasted_url import Reading
from crawler.cli.open import open_frontier

LEFT_BEHIND = timedelta(days=1)
"""Age at which a file that a command makes for itself is taken for left behind."""

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.maintenance.verify import Finding
    from archive.writer.committer import Leftovers


@click.command()
@click.option(
    "--sample",
    type=Share(),
    default="100%",
    show_default=True,
    help="Percentage of objects to check, those first that were not read for the longest time.",
)
@click.option("--repair", "repairs", is_flag=True, help="Write index lines again that are missing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line, the summary last.")
def verify(sample: float, repairs: bool, as_json: bool) -> None:
    """Check stored objects against their digests and the index; list those that are damaged or missing.

    What is lost is marked, and fetched again by the next crawls. The exit code is 4 if there is anything, or if the
    index disagrees with an object.
    """
    from archive.cli import failed, joined_with, open_archive, progress_bar
    from archive.maintenance.verification import Verification
    from archive.runtime.run_time import RunTime
    from crawler.restore.store_state import CHECKS

    bad: dict[str, int] = {}
    unread = 0

    def tell(findings: Iterable[Finding]) -> None:
        for finding in findings:
            bad[finding.kind] = bad.get(finding.kind, 0) + 1
            click.echo(json.dumps(finding.as_json()) if as_json else printable(finding.line()))

    with open_frontier() as frontier:
        try:
            archive = open_archive()
            time = RunTime(archive.settings.run_seconds)
            joined = joined_with()
            checks = {**CHECKS, **(joined.checks() if joined else {})}
            run = Verification(archive, checks=checks, now=lambda: datetime.now(UTC), repairs=repairs)
            chosen = run.chosen(sample)
            with progress_bar(chosen.rows, "objects") as rows:
                for number, row in enumerate(rows):
                    if time.is_ending:
                        unread = len(chosen.rows) - number
                        break
                    tell(run.row(row))
            chosen = replace(chosen, rows=chosen.rows[: len(chosen.rows) - unread])
            for number, key in enumerate(chosen.others):
                if time.is_ending:
                    unread += len(chosen.others) - number
                    break
                tell(run.other(key))
            tell(run.end(chosen))
            again = frontier.heal(datetime.now(UTC))
        except ArchiveError as e:
            sys.exit(failed(e))
    if again.pages or again.feeds:
        click.echo(f"to be fetched again: {again.pages} pages, {again.feeds} feeds", err=True)
    summary: dict[str, int] = {"objects": len(chosen.rows), "bytes": sum(row.length for row in chosen.rows), **bad}
    wrong = ", ".join(f"{number} {kind}" for kind, number in sorted(bad.items())) or "no problems"
    line = f"verified {summary['objects']} of {len(chosen.known)} objects, {summary['bytes']:,} bytes: {wrong}"
    if unread:
        summary["left"] = unread
        line += f"; its time is used up, {unread} left for the next run"
    click.echo(json.dumps(summary) if as_json else line)
    sys.exit(Exit.DAMAGED if bad.keys() - {"unknown"} else Exit.DONE)


@click.command()
def reindex() -> None:
    """Make the database what the object store says: captures, texts, subscriptions, seen entries, deletions.

    Rows of objects that the store does not have go. Exit code 4 if an object is damaged; its intact records are indexed
    nevertheless.
    """
    from archive.cli import failed, joined_with, open_archive, progress_bar
    from archive.maintenance.compact import Compaction, alone
    from archive.maintenance.reindex import Reindexing
    from archive.settings import load
    from crawler.errors import CrawlError
    from crawler.options import CrawlSettings
    from crawler.restore.rebuild import Rebuild
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
            with closing(Reindexing(archive, now=lambda: datetime.now(UTC))) as job:
                with progress_bar(job.run(), "objects", total=len(job.keys)) as findings:
                    for finding in findings:
                        if finding is not None:
                            damaged += 1
                            click.echo(printable(finding.line()))
                lost = job.mark_missing()
                frontier.heal(datetime.now(UTC))
                job.remove_missing()
            for key in lost:
                click.echo(printable(f"missing: {key}: its rows were removed"))
            with closing(Rebuild(archive, frontier, pace=options.pace, plan=options.recheck_plan)) as rebuild:
                subscriptions = rebuild.run(datetime.now(UTC))
            if joined := joined_with():
                joined.restore(archive)
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
    """Re-extract the texts of all posts and imported pages, or of URLs, from captures with the current extractor.

    New texts are stored beside the old ones and take precedence. Captures that already have a current text are
    skipped, so an interrupted run can be continued. A page that fails keeps its text and is reported; exit code 4 if
    the archive is damaged there, 3 if a URL is not archived: the others are done nevertheless.
    """
    from archive.cli import open_archive, progress_bar
    from archive.maintenance.re_extract import ReExtracted, ReExtraction
    from archive.runtime.file_lock import exclusive
    from archive.runtime.worker_pool import WorkerPool
    from crawler.restore.unread_posts import wanted

    made = same = 0
    failures: list[ReExtracted] = []
    unknown: list[NotArchivedError] = []
    with open_frontier() as frontier:
        archive = open_archive()
        settings = archive.settings
        limits = settings.extract_limits
        pool = WorkerPool(workers=settings.extract_workers, limits=limits, preload=["archive.extract.pipeline"])
        with exclusive(settings.home / "extract.lock", what="extract"), closing(pool):
            archive.writer.check_writable()
            job = ReExtraction(archive, pool, now=lambda: datetime.now(UTC), workers=settings.extract_workers)
            leftovers = job.finish()
            for line in leftovers.lines():
                print_error(line)
            asked = tuple(archive.meant(one).url for one in urls)
            found = wanted(archive, frontier, asked, unknown.append)
            with progress_bar(job.run(found), "captures") as results:
                for one in results:
                    made += one.made
                    same += not one.made and one.error is None
                    if one.error:
                        failures.append(one)
                        print_error(printable(one.error if one.url in one.error else f"{one.url}: {one.error}"))
    wrong = f", {len(failures)} failed and keep their texts" if failures else ""
    for error in unknown:
        print_error(printable(str(error)), error.hint)
    click.echo(f"{made} texts re-extracted, {same} unchanged{wrong}")
    damaged = leftovers.damage or any(one.damaged for one in failures)
    sys.exit(Exit.DAMAGED if damaged else Exit.NOT_ARCHIVED if unknown else Exit.DONE)


@click.command()
@click.option("--again", is_flag=True, help="Try again what was set aside.")
def seal(again: bool) -> None:
    """Commit what killed crawls have left in the spool, and delete old files that killed commands have left beside it.

    A batch whose own content is refused is set aside (exit code 1); --again tries it again, under another name if the
    store has other bytes under its own. Exit code 4 if spool files were damaged; what is whole in them is committed.
    """
    from archive.archive import Archive
    from archive.cli import failed
    from archive.errors import LockedError
    from archive.index.schema import CRAWL
    from archive.maintenance import compact
    from archive.runtime.run_time import RunTime
    from archive.settings import ArchiveSettings, load
    from archive.writer.committer import Leftovers
    from crawler.job import judge_aside, recover
    from crawler.session import machine_name
    from crawler.session.lanes import LANES, only_run

    done = Leftovers()
    with open_frontier() as frontier:
        settings = load(ArchiveSettings)
        time = RunTime(settings.run_seconds)
        for lane in LANES:
            try:
                with only_run(settings.home, lane, wait_seconds=0):
                    archive = Archive.open(settings, lane)
                    if again:
                        archive.writer.bring_back(CRAWL)
                    done += recover(archive, frontier, enough=lambda: time.is_ending)
            except LockedError as e:
                if again:
                    print_error(str(e), e.hint)
                continue  # a crawl is running there, and will commit it
            except ArchiveError as e:
                sys.exit(failed(e))
        if again:
            done += _others_again(Archive.open(settings))
            judge_aside(settings, frontier)
    try:
        before = datetime.now(UTC) - LEFT_BEHIND
        removed = compact.clean(settings.home, before) + machine_name.clean(settings.home, before)
    except ArchiveError as e:
        sys.exit(failed(e))
    left = f"; its time is used up, {done.left} left for the next run" if done.left else ""
    left += f"; {removed} files that were left behind removed" if removed else ""
    click.echo(f"committed {done.committed} batches{left}")
    sys.exit(Exit.FAILED if done.aside else Exit.DAMAGED if done.damage else Exit.DONE)


def _others_again(archive: Archive) -> Leftovers:
    """Try again what was set aside of imports and of texts made anew."""
    from archive.cli import failed
    from archive.errors import LockedError
    from archive.index.schema import AGAIN, IMPORT
    from archive.runtime.file_lock import exclusive
    from archive.writer.committer import Leftovers

    done = Leftovers()
    for maker, what in ((IMPORT, "import"), (AGAIN, "extract")):
        try:
            with exclusive(archive.settings.home / f"{what}.lock", what=what):
                if archive.writer.bring_back(maker):
                    done += archive.writer.commit_leftovers(maker)
        except LockedError as e:
            print_error(str(e), e.hint)
        except ArchiveError as e:
            sys.exit(failed(e))
    for line in done.lines():
        print_error(line)
    return done
