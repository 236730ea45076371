"""A crawl as a job: checks before the start, one-line report at the end. Shared by `pressmark` and `scrapy`."""

from __future__ import annotations

import logging
import resource
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from tenacity import Retrying, stop_after_attempt, wait_exponential

from archive.archive import Archive
from archive.errors import ArchiveError, SettingsError, SpoolError, StoreRefusedError
from archive.runtime.console import Exit, print_error
from archive.writer.batch import Sealed
from crawler.errors import CrawlError, UsageError
from crawler.frontier.frontier import Frontier
from crawler.restore import store_state
from crawler.session import notes as journal
from crawler.session.lanes import BACKFILL, CRAWL, NAMED, RECHECK, only_run
from crawler.session.outage import IF_TEMPORARY
from crawler.session.run import Run
from crawler.session.summary import Summary
from crawler.spiders.backfill import BackfillSpider
from crawler.spiders.blog import BlogSpider, arguments
from crawler.spiders.named import NamedSpider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler, CrawlerProcessBase

    from archive.settings import ArchiveSettings
    from crawler.options import CrawlSettings

log = logging.getLogger(__name__)

_FILES = 16_384
_TALKATIVE = ("scrapy.crawler", "scrapy.middleware", "scrapy.addons", "scrapy.utils.log")

_PATIENTLY = Retrying(
    retry=IF_TEMPORARY,
    wait=wait_exponential(max=10),
    stop=stop_after_attempt(6),
    reraise=True,
)


def crawl(
    process: CrawlerProcessBase,
    given: dict[str, str],
    *,
    spider: type[BlogSpider] = BlogSpider,
    watch: Callable[[Crawler], None] | None = None,
    show: Callable[[Summary], None] | None = None,
) -> Exit:
    """Run a spider to its end.

    Args:
        process: Scrapy's, with the settings of `crawler.settings`.
        given: The spider's arguments.
        spider: Which one.
        watch: Called with the crawler before it starts.
        show: Called with the summary at the end; by default it is printed as one line.
    """
    # Scrapy's start-up messages would bury the crawl's own.
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    settings: ArchiveSettings = process.settings["PRESSMARK_ARCHIVE"]
    options: CrawlSettings = process.settings["PRESSMARK_OPTIONS"]
    try:
        known = {name: given.get(name, "") for name in ("url", "shard", "only")}
        own = {"everything"} if spider is BackfillSpider else set()
        urls = arguments(**known, unknown=set(given) - {*known, "force", "insecure", *own})
        lane = _lane(spider, known["only"])
        if lane == BACKFILL:
            gap = options.host_gap * 2 if options.backfill_gap is None else options.backfill_gap
            process.settings.set("DOWNLOAD_DELAY", max(options.host_gap, gap), priority="cmdline")
        process.settings.set("PRESSMARK_LANE", lane, priority="cmdline")
        with only_run(settings.home, lane, wait_seconds=options.lock_seconds if urls else 0):
            archive, frontier = Archive.open(settings, lane), Frontier.open(settings.database)
            archive.writer.check_writable()
            recover(archive, frontier)
            crawler = process.create_crawler(spider)
            if watch:
                watch(crawler)
            process.crawl(crawler, **given)
            _raise_files()
            process.start()
            run = _run_of(crawler)
            if run is None:
                return Exit.FAILED
            if run.committer.failure is None:  # otherwise the store has already refused writes
                _PATIENTLY(store_state.save, archive.store, frontier)
            (show or _print)(run.summary)
            return _exit(crawler, run)
    except (ArchiveError, CrawlError) as e:
        return report(e)


def _lane(spider: type[BlogSpider], only: str) -> str:
    if issubclass(spider, NamedSpider):
        return NAMED
    return BACKFILL if spider is BackfillSpider else RECHECK if only == "rechecks" else CRAWL


def _raise_files() -> None:
    """Raise the limit on file descriptors as far as the system allows: each crawled host needs one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def recover(archive: Archive, frontier: Frontier) -> int:
    """Commit the batches that an earlier crawl left, in the order bytes, index, frontier; returns their number.

    A batch that can never be committed is set aside and reported, so that it does not block later ones.

    Raises:
        ArchiveError: Store or database is not available, or refuses everything.
    """
    count = 0
    for sealed in archive.writer.leftovers():
        try:
            archive.writer.commit(sealed)
            notes = list(journal.read(sealed.notes, lambda record: archive.index.capture(record) is not None))
            frontier.commit(
                [note.visit for note in notes if isinstance(note, journal.FeedNote)],
                [note.visit for note in notes if isinstance(note, journal.PageNote)],
                [note.visit for note in notes if isinstance(note, journal.ListingNote)],
            )
        except (StoreRefusedError, SpoolError):
            raise
        except ArchiveError as e:
            if e.temporary:
                raise
            _set_aside(archive, sealed, e)
        except Exception as e:  # its content comes from outside
            log.exception("batch cannot be committed")
            _set_aside(archive, sealed, e)
        else:
            archive.writer.release(sealed)
            count += 1
    return count


def _set_aside(archive: Archive, sealed: Sealed, error: Exception) -> None:
    folder = archive.writer.set_aside(sealed)
    print_error(
        f"leftovers of an earlier crawl could not be committed; they were moved to {folder}: {error}",
        "Please report this.",
    )


def report(error: ArchiveError | CrawlError) -> Exit:
    """Print an error and return its exit code."""
    print_error(str(error), error.hint)
    return Exit.USAGE if isinstance(error, UsageError | SettingsError) else Exit.FAILED


def _run_of(crawler: Crawler) -> Run | None:
    try:
        return crawler.get_extension(Run)
    except RuntimeError:  # the crawl failed to start; Scrapy has logged why
        return None


def _exit(crawler: Crawler, run: Run) -> Exit:
    """Print what went wrong, and return the exit code."""
    for remark in run.remarks:
        print_error(remark)
    for problem in run.problems:
        report(problem)
    if run.committer.failure is not None:
        report(run.committer.failure)
    broken = (
        run.committer.failure or run.problems or (crawler.stats and crawler.stats.get_value("spider_exceptions/count"))
    )
    return Exit.FAILED if broken else Exit.DONE


def _print(summary: Summary) -> None:
    sys.stdout.write(summary.line() + "\n")
