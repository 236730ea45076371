"""`pressmark`: the commands of all three floors in one."""

from __future__ import annotations

import logging
import sys

import click

import archive.cli
import crawler.cli
from archive.errors import ArchiveError
from archive.faces import tell

HELP = """Keeps what blogs publish, and gives any post back as it was.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 not archived, 4 finished but something was damaged.
"""


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pressmark", prog_name="pressmark")
def pressmark() -> None:
    """All commands."""


@pressmark.command()
def up() -> None:
    """Run the daemon: crawl what is due, again and again, until SIGTERM."""
    from archive.archive import Archive
    from archive.settings import ArchiveSettings, load
    from crawler.frontier import Frontier
    from schedules.daemon import Daemon
    from schedules.jobs import crawl_job
    from schedules.settings import ScheduleSettings

    try:
        settings = load(ScheduleSettings)
        kept = load(ArchiveSettings)
        # Better said now than by each job.
        Archive.open(kept).check_writable()
        Frontier.open(kept.database)
    except ArchiveError as e:
        sys.exit(archive.cli.failed(e))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(name)s] %(levelname)s: %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    job = crawl_job(every=settings.crawl_every, jitter=settings.crawl_jitter, deadline=settings.crawl_deadline)
    Daemon([job], stop_seconds=settings.stop_seconds).run()


for command in (*archive.cli.COMMANDS, *crawler.cli.COMMANDS):
    pressmark.add_command(command)


def main() -> None:
    """Entry point of the console script."""
    try:
        sys.exit(pressmark.main(standalone_mode=False) or 0)
    except click.ClickException as e:
        context = getattr(e, "ctx", None)
        path = context.command_path if context else "pressmark"
        tell(e.format_message(), f"{path} --help tells how it is used.")
        sys.exit(e.exit_code)
    except click.exceptions.Abort:
        sys.exit(130)  # Ctrl-C, as shells count it
    except BrokenPipeError:
        # The reader of a pipe has what it wanted; Python would complain once more when it closes standard output.
        sys.stderr.close()
        sys.exit(1)
    except ArchiveError as e:
        sys.exit(archive.cli.failed(e))
    except OSError as e:
        tell(f"{e.filename or 'system'}: {e.strerror}")
        sys.exit(1)
