"""A crawl as a job: checks before the start, one-line report at the end. Shared by `pressmark` and `scrapy`."""

from __future__ import annotations

import gc
import logging
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from tenacity import Retrying, stop_after_attempt, wait_exponential

from archive.archive import Archive
from archive.errors import ArchiveError, SettingsError
from archive.index.schema import CRAWL as MAKER
from archive.runtime.console import Exit, print_error
from archive.runtime.ending import Ending, leave_after, within
from archive.runtime.run_time import RunTime
from archive.runtime.worker_pool import prepare
from archive.writer import aside
from archive.writer.batch import Sealed
from archive.writer.committer import Leftovers
from crawler.errors import CrawlError, UsageError
from crawler.frontier import machines
from crawler.frontier.alarms import about
from crawler.frontier.frontier import Frontier
from crawler.limits import END_SECONDS
from crawler.model.visits import Alarm
from crawler.restore import store_state
from crawler.session import clock, tasks
from crawler.session import notes as journal
from crawler.session.lanes import BACKFILL, CRAWL, NAMED, RECHECK, holder, only_run
from crawler.session.machine_name import this_machine
from crawler.session.outage import IF_TEMPORARY
from crawler.session.run import Run
from crawler.session.summary import Summary
from crawler.spiders.backfill import BackfillSpider
from crawler.spiders.blog import BlogSpider, arguments
from crawler.spiders.named import NamedSpider

if TYPE_CHECKING:
    from types import FrameType

    from scrapy.crawler import Crawler, CrawlerProcessBase

    from archive.settings import ArchiveSettings
    from crawler.options import CrawlSettings

log = logging.getLogger(__name__)

_FILES = 16_384
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_SAVING_SECONDS = 60.0
"""Beyond the patience with an outage, time for saving the subscriptions."""
_LEAVING_SECONDS = 3.0
"""Time for the last steps of a process, such as its report."""
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
    gc.freeze()  # what is loaded stays: no garbage is looked for in it
    # Scrapy's start-up messages would bury the crawl's own.
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    settings: ArchiveSettings = process.settings["PRESSMARK_ARCHIVE"]
    options: CrawlSettings = process.settings["PRESSMARK_OPTIONS"]
    time = RunTime(settings.run_seconds)
    process.settings.set("PRESSMARK_RUN_TIME", time, priority="cmdline")
    try:
        known = {name: given.get(name, "") for name in ("url", "shard", "only")}
        own = {"everything"} if spider is BackfillSpider else set()
        urls = arguments(**known, unknown=set(given) - {*known, "force", "insecure", *own})
        lane = _lane(spider, known["only"])
        if lane == BACKFILL:
            gap = options.host_gap * 2 if options.backfill_gap is None else options.backfill_gap
            process.settings.set("DOWNLOAD_DELAY", max(options.host_gap, gap), priority="cmdline")
        process.settings.set("PRESSMARK_LANE", lane, priority="cmdline")
        _until_it_starts()
        if urls:  # there will be something to parse
            with suppress(OSError):  # the first task says why no process can be started
                prepare(tasks.MODULES)
        with only_run(settings.home, lane, wait_seconds=options.lock_seconds if urls else 0):
            archive, frontier = Archive.open(settings, lane), Frontier.open(settings.database)
            archive.writer.check_writable()
            now = datetime.now(UTC)
            clock.check(archive, now, trusted=options.trust_clock)
            machines.enter(frontier.engine, this_machine(settings.home))
            frontier.take_back(now, longest=options.longest_wait)
            leftovers = recover(archive, frontier, enough=lambda: time.is_ending)
            frontier.heal(now)
            crawler = process.create_crawler(spider)
            if watch:
                watch(crawler)
            process.crawl(crawler, **given)
            _raise_files()
            ending = _start(process)
            run = _run_of(crawler)
            if run is None:
                return Exit.FAILED
            if run.outage.abandoned:
                leave_after(_LEAVING_SECONDS, Exit.FAILED)
            if run.committer.failure is None:  # otherwise the store has already refused writes
                patience = min(ending.left_seconds - _LEAVING_SECONDS, settings.outage_seconds + _SAVING_SECONDS)
                save = partial(_PATIENTLY, store_state.save, archive.store, frontier)
                within(patience, save, what="saving the subscriptions", hint="The next crawl saves them.")
                if run.time.is_ending and isinstance(crawler.spider, BlogSpider):
                    run.summary.left = crawler.spider.left()
            (show or _print)(run.summary)
            code = _exit(crawler, run)
            return Exit.DAMAGED if leftovers.damage and code is Exit.DONE else code
    except (ArchiveError, CrawlError) as e:
        return report(e)


def _until_it_starts() -> None:
    """Let signals end this process at once: nothing was fetched yet. Scrapy's handlers only work while it runs."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _start(process: CrawlerProcessBase) -> Ending:
    """Crawl until all is done, or a signal asks for the end; that comes within END_SECONDS, whatever hangs."""
    ending = Ending(END_SECONDS, left="what was fetched waits in the spool, and the next run commits it")

    def asked(number: int, frame: FrameType | None) -> None:
        ending.ask()
        process._signal_shutdown(number, frame)  # noqa: SLF001  what Scrapy does with a signal; a second one kills

    def asked_later(_number: int, _frame: FrameType | None) -> None:
        ending.ask()

    for number in _SIGNALS:
        signal.signal(number, asked)
    process.start(install_signal_handlers=False)
    for number in _SIGNALS:
        signal.signal(number, asked_later)
    return ending


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


def recover(archive: Archive, frontier: Frontier, *, enough: Callable[[], bool] = lambda: False) -> Leftovers:
    """Commit the batches that an earlier crawl left, in the order bytes, index, frontier; prints what went wrong.

    A batch whose own content is refused is set aside, and the alarm `aside` stands for as long as there is one.

    Args:
        archive: Whose spool it is.
        frontier: Where their visits are stored.
        enough: Whether to leave the rest to the next run.

    Raises:
        ArchiveError: Store or database is not available, or refuses everything; the batches wait in the spool.
    """

    def remember(sealed: Sealed) -> None:
        notes = list(journal.read(sealed.notes, lambda record: archive.index.capture(record) is not None))
        frontier.commit(
            [note.visit for note in notes if isinstance(note, journal.FeedNote)],
            [note.visit for note in notes if isinstance(note, journal.PageNote)],
            [note.visit for note in notes if isinstance(note, journal.ListingNote)],
        )

    done = archive.writer.commit_leftovers(MAKER, remember, enough=enough)
    for line in done.lines():
        print_error(line)
    judge_aside(archive.settings, frontier)
    return done


def judge_aside(settings: ArchiveSettings, frontier: Frontier) -> None:
    """Raise the alarm about batches of this home folder that are set aside, or end it if there are none."""
    waiting = aside.found(settings.spool)
    alarm = Alarm(kind="aside", detail=aside.told(waiting)) if waiting else None
    subject = machines.spool_of(holder(settings.home, CRAWL))
    about(frontier.engine, subject, alarm, kind="aside", at=datetime.now(UTC))


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
