"""`pressmark`: one command line for archive, crawler and schedules."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

import archive.cli
import archive.cli_at_time
import crawler.cli
from archive.errors import ArchiveError
from archive.runtime.console import OneLine, print_error, printable
from archive.runtime.file_lock import exclusive
from schedules import change_commands

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from archive.archive import Archive
    from archive.index.index import Index
    from archive.reader.vanished import Ledger

_UNFINISHED_KEPT = timedelta(days=1)
"""Age at which what a write has left in the store is taken for interrupted."""
_HUBS_AT_ONCE = 8
HELP = """Archives what blogs publish, and gives any post back as it was.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 not archived, 4 finished but something was damaged.
"""


def _ledger(index: Index) -> Ledger:
    """The crawler's ledger of vanished posts, for the archive's commands."""
    from crawler.frontier.told_ledger import ledger_of

    return ledger_of(index.engine)


def _restore(archive: Archive) -> None:
    """Restore the watches, which the store has as well."""
    from schedules.changes.watches import Watches
    from schedules.runs import Runs

    Watches(Runs.open(archive.settings.database).engine).restore(archive.store)


def _checks() -> Mapping[str, Callable[[bytes], str | None]]:
    """What shows that a state object of ours is damaged."""
    from schedules.changes.watches import STATE, fault

    return {STATE: fault}


_CONTEXT = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "obj": archive.cli.Joined(ledger=_ledger, restore=_restore, checks=_checks),
}


@click.group(help=HELP, context_settings=_CONTEXT)
@click.version_option(package_name="pressmark", prog_name="pressmark")
def pressmark() -> None:
    """All commands."""


@pressmark.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=0, help="Port of the web app, /health and WebSub callbacks; without it nothing listens."
)
@click.option(
    "--replay-port", type=click.IntRange(0, 65535), help="Port of the replay engine; without it replay is disabled."
)
def up(host: str, port: int, replay_port: int | None) -> None:
    """Run the daemon until SIGTERM: crawl, re-check, backfill and verify, each when it is due."""
    from archive.archive import Archive
    from archive.settings import ArchiveSettings, load
    from archive.web.settings import WebSettings
    from crawler.frontier import machines
    from crawler.frontier.frontier import Frontier
    from crawler.session.lanes import holder
    from crawler.session.machine_name import this_machine
    from schedules.daemon import Daemon
    from schedules.jobs import jobs
    from schedules.runs import Runs
    from schedules.settings import ScheduleSettings

    settings, kept = load(ScheduleSettings), load(ArchiveSettings)
    # Errors are reported now rather than by each job.
    kept_archive = Archive.open(kept)
    kept_archive.writer.check_writable()
    frontier = Frontier.open(kept.database)
    runs = Runs.open(kept.database)
    _log()
    name = holder(kept.home, "daemon").replace("/", "-")
    with exclusive(kept.home / "daemon.lock", what="daemon"):
        machines.enter(frontier.engine, this_machine(kept.home))
        daemon = Daemon(jobs(settings), runs, holder=name, stop_seconds=settings.stop_seconds)
        if not port:
            daemon.run()
            return
        from schedules.web.app import Web, replaying
        from schedules.web.server import is_local, listen, serve

        web = Web(
            kept_archive,
            frontier,
            runs,
            health=lambda: daemon.ill(kept_archive),
            nudge=lambda: daemon.hurry("crawl"),
            schedules=True,
        )
        shown = load(WebSettings)
        with listen(host, port) as listening, _replay_socket(host, replay_port) as replay:
            local = is_local(listening)
            app = web.application(shown, local=local, replay_port=replay.getsockname()[1] if replay else None)
            beside = [(replaying(shown, listening), replay)] if replay else []
            daemon.run(lambda stop: serve(app, listening, stop=stop, beside=beside))


@pressmark.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0: any free port.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Number of processes.")
@click.option(
    "--replay-port", type=click.IntRange(0, 65535), help="Port of the replay engine; without it replay is disabled."
)
def serve_web(host: str, port: int, workers: int, replay_port: int | None) -> None:
    """Serve the web app, mementos, CDX and search over HTTP. Nothing is crawled."""
    from archive.archive import Archive
    from archive.settings import ArchiveSettings, load
    from archive.web.settings import WebSettings
    from crawler.frontier.frontier import Frontier
    from schedules.health import Health, parts
    from schedules.runs import Runs
    from schedules.web.app import Web, replaying
    from schedules.web.server import address, is_local, listen, serve_alone

    settings, shown = load(ArchiveSettings), load(WebSettings)
    _log()
    # Errors are reported now; each process then opens its own archive.
    Archive.open(settings).index.engine.dispose()
    Frontier.open(settings.database).engine.dispose()
    Runs.open(settings.database).engine.dispose()
    if workers > 1:
        listen(host, port).close()  # report a port in use, although our processes share theirs
    with listen(host, port, shared=workers > 1) as listening, _replay_socket(host, replay_port) as replay:
        click.echo(f"answering on {address(listening)}")
        if replay:
            click.echo(f"replaying on {address(replay)}")

        def make() -> ASGIApp:
            archive, runs = Archive.open(settings), Runs.open(settings.database)
            frontier = Frontier.open(settings.database)
            web = Web(archive, frontier, runs, health=Health(parts(archive, runs)), nudge=lambda: None)
            number = replay.getsockname()[1] if replay else None
            return web.application(shown, local=is_local(listening), replay_port=number)

        beside = [(lambda: replaying(shown, listening), replay)] if replay else []
        sys.exit(serve_alone(make, listening, workers=workers, beside=beside))


def _log() -> None:
    """Set up logging to standard error, for commands that keep running."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(name)s] %(levelname)s: %(message)s")
    for name in ("apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A dead connection cannot be closed cleanly; that the database was down is reported elsewhere.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


@contextmanager
def _replay_socket(host: str, port: int | None) -> Iterator[socket.socket | None]:
    """A socket for the replay engine, if one is wanted."""
    from archive.errors import SettingsError
    from archive.web.replay import ENGINE, is_there
    from schedules.web.server import listen

    if port is None:
        yield None
        return
    if not is_there():
        raise SettingsError(f"--replay-port: no replay engine in {ENGINE}", hint="Fetch it with: make replay")
    with listen(host, port) as made:
        yield made


@pressmark.command("jobs")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_jobs(as_json: bool) -> None:
    """List the daemon's jobs: triggers, next and last run, outcome."""
    from archive.settings import ArchiveSettings, load
    from schedules.apscheduler_adapter import next_runs
    from schedules.job_report import job_rows
    from schedules.jobs import jobs
    from schedules.runs import Runs
    from schedules.settings import ScheduleSettings

    runs = Runs.open(load(ArchiveSettings).database)
    settings = load(ScheduleSettings)
    rows = job_rows(jobs(settings), settings, runs.latest(), next_runs(runs.engine, runs.daemons()))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    columns = ("job", "trigger", "next_run", "last_run", "outcome", "said")
    for column in columns:
        table.add_column("last message" if column == "said" else column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(str(row[column] or "-"))) for column in columns))
    console = Console()
    (console if console.is_terminal else Console(width=240)).print(table)


@pressmark.command()
def housekeeping() -> None:
    """Delete old job runs, alarms and machines, and what interrupted writes left in the store; tidy the database."""
    from archive.settings import ArchiveSettings, load
    from archive.stores import open_store
    from crawler.frontier.frontier import Frontier
    from schedules.changes import deliveries
    from schedules.runs import Runs
    from schedules.settings import ScheduleSettings

    settings, kept, now = load(ArchiveSettings), load(ScheduleSettings).history_kept, datetime.now(UTC)
    runs = Runs.open(settings.database)
    forgotten = runs.forget(now - kept)
    deliveries.forget(runs.engine, now - kept)
    Frontier.open(settings.database).tidy(now, alarms_kept=kept)
    unfinished = open_store(settings.store).clean(now - _UNFINISHED_KEPT)
    click.echo(f"tidied up: {forgotten} job runs deleted, {unfinished} unfinished writes removed")


@pressmark.command("tell")
def report_alarms() -> None:
    """Notify the webhook and the mail addresses in the settings of new alarms."""
    from archive.settings import ArchiveSettings, load
    from crawler.errors import CrawlError
    from crawler.frontier import alarms
    from crawler.frontier.frontier import Frontier
    from crawler.net.address_guard import Guard
    from crawler.options import CrawlSettings
    from schedules.notify import notify
    from schedules.settings import ScheduleSettings

    settings, options = load(ScheduleSettings), load(CrawlSettings)
    if not (settings.alarm_webhook or settings.alarm_mail):
        click.echo("no alarm recipient: set PRESSMARK_ALARM_WEBHOOK or PRESSMARK_ALARM_MAIL")
        return
    engine = Frontier.open(load(ArchiveSettings).database).engine
    found = alarms.standing(engine, untold=True)
    if found:
        try:
            failed = notify(found, settings, user_agent=options.user_agent, guard=Guard(options.allow_networks))
        except CrawlError as e:
            print_error(str(e), e.hint)
            sys.exit(1)
        # Somebody was notified: repeating all alarms until the other way works too would only be noise.
        alarms.told(engine, found, at=datetime.now(UTC))
        for error in failed:
            print_error(str(error), error.hint)
    click.echo(f"reported {len(found)} alarms")
    sys.exit(1 if found and failed else 0)


@pressmark.command("websub")
def subscribe_at_hubs() -> None:
    """Subscribe at the WebSub hubs of feeds, if PRESSMARK_CALLBACK is the public URL of this daemon."""
    from archive.runtime.run_time import RunTime
    from archive.settings import ArchiveSettings, load
    from crawler.errors import CrawlError
    from crawler.frontier import websub
    from crawler.frontier.frontier import Frontier
    from crawler.net.address_guard import Guard
    from crawler.net.http_post import post
    from crawler.options import CrawlSettings

    options = load(CrawlSettings)
    if not options.callback:
        click.echo("no public callback: set PRESSMARK_CALLBACK")
        return
    settings = load(ArchiveSettings)
    time = RunTime(settings.run_seconds)
    engine = Frontier.open(settings.database).engine
    guard = Guard(options.allow_networks)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": options.user_agent}

    left = 0

    def ask(one: websub.Wanted) -> str | None:
        """Request a subscription from a hub; returns the error, if any. It is retried tomorrow (back-off)."""
        nonlocal left
        if time.is_ending:
            left += 1  # it is wanted again by the next run
            return None
        websub.asked(engine, one, now=datetime.now(UTC))
        try:
            status, _ = post(one.hub, body=one.form(options.callback), headers=headers, guard=guard)
        except CrawlError as e:
            return str(e)
        return None if status // 100 == 2 else f"{one.hub}: the hub answered {status}"  # noqa: PLR2004  success

    wanted = websub.wanted(engine, now=datetime.now(UTC))
    with ThreadPoolExecutor(_HUBS_AT_ONCE) as pool:  # a hub that does not answer must not delay the others
        problems = [problem for problem in pool.map(ask, wanted) if problem]
    for problem in problems:
        print_error(problem)
    asked = len(wanted) - left
    rest = f"; its time is used up, {left} left for the next run" if left else ""
    click.echo(f"requested {asked} subscriptions, {asked - len(problems)} accepted{rest}")


for command in (
    *archive.cli.COMMANDS,
    *archive.cli_at_time.COMMANDS,
    *crawler.cli.COMMANDS,
    *change_commands.COMMANDS,
):
    pressmark.add_command(command)


def main() -> None:
    """Entry point of the console script."""
    logging.setLogRecordFactory(OneLine)
    try:
        sys.exit(pressmark.main(standalone_mode=False) or 0)
    except click.ClickException as e:
        context = getattr(e, "ctx", None)
        path = context.command_path if context else "pressmark"
        print_error(e.format_message(), f"See {path} --help.")
        sys.exit(e.exit_code)
    except click.exceptions.Abort:
        sys.exit(130)  # Ctrl-C, as shells count it
    except BrokenPipeError:
        # The reader has closed the pipe; Python would report it again on closing standard output.
        sys.stderr.close()
        sys.exit(1)
    except ArchiveError as e:
        sys.exit(archive.cli.failed(e))
    except OSError as e:
        print_error(f"{e.filename or 'system'}: {e.strerror}")
        sys.exit(1)
