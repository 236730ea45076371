"""Commands about what happened to posts: changes, and watches of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from archive.cli import Moment, failed, open_archive
from archive.errors import ArchiveError
from archive.runtime.console import Exit, print_error, printable

if TYPE_CHECKING:
    from archive.archive import Archive
    from schedules.runs import Runs


@click.command("changes")
@click.argument("query", nargs=-1)
@click.option("--since", type=Moment(), help="Only what happened at or after this time.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="Maximum number.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_changes(query: tuple[str, ...], since: datetime | None, limit: int, as_json: bool) -> None:
    """List what happened to posts, the last changes first: new, edited, vanished, came back.

    QUERY filters: blog:HOST tag:TAG kind:KIND class:CLASS size:>WORDS appears:WORD goes:WORD; other words came or went.
    """
    from schedules.changes.kept import in_parts_listed
    from schedules.changes.news import words_of
    from schedules.changes.query import joined, parse
    from schedules.delivery import line

    try:
        wanted = parse(joined(query))
    except ValueError as e:
        raise click.UsageError(str(e)) from e
    try:
        archive, runs = _open()
        _find(archive, runs, lambda: False)
        for change in in_parts_listed(runs.engine, wanted, limit=limit, text=words_of(archive), since=since):
            click.echo(json.dumps(change.as_json(), ensure_ascii=False) if as_json else line(change))
    except ArchiveError as e:
        sys.exit(failed(e))


@click.group("watch")
def watch() -> None:
    """Watch for changes: named filters whose matches have a feed, and are sent by webhook or mail."""


@watch.command("add")
@click.argument("name")
@click.argument("query", nargs=-1)
@click.option("--webhook", default="", help="URL to which each change is sent, signed with PRESSMARK_WEBHOOK_SECRET.")
@click.option("--mail", default="", help="Address to which a digest is sent.")
def add_watch(name: str, query: tuple[str, ...], webhook: str, mail: str) -> None:
    """Watch for changes that match QUERY, as for `pressmark changes`; replaces a watch of that NAME."""
    from archive.settings import load
    from schedules.changes.query import joined
    from schedules.changes.watches import Watches, checked
    from schedules.settings import ScheduleSettings

    if webhook and not load(ScheduleSettings).webhook_secret.get_secret_value():
        raise click.UsageError("--webhook: what is sent is signed: set PRESSMARK_WEBHOOK_SECRET")
    try:
        archive, runs = _open()
        made = checked(name, joined(query), webhook=webhook, mail=mail, added=datetime.now(UTC))
        Watches(runs.engine).add(archive.store, made)
    except ValueError as e:
        raise click.UsageError(str(e)) from e
    except ArchiveError as e:
        sys.exit(failed(e))
    click.echo(f"watching as {name}: {printable(made.query) or 'every change'}")


@watch.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_watches(as_json: bool) -> None:
    """List the watches."""
    from schedules.changes.watches import Watches

    try:
        found = Watches(_open()[1].engine).all()
    except ArchiveError as e:
        sys.exit(failed(e))
    for one in found:
        ways = "".join(f"  {name} {where}" for name, where in (("webhook", one.webhook), ("mail", one.mail)) if where)
        shown = f"{one.name}  {printable(one.query) or 'every change'}{printable(ways)}"
        click.echo(json.dumps(one.as_json(), ensure_ascii=False) if as_json else shown)


@watch.command("remove")
@click.argument("name")
def remove_watch(name: str) -> None:
    """Forget the watch of that NAME, with what is still to be sent for it."""
    from schedules.changes.watches import Watches

    try:
        archive, runs = _open()
        there = Watches(runs.engine).remove(archive.store, name)
    except ArchiveError as e:
        sys.exit(failed(e))
    if not there:
        print_error(f"{printable(name)}: no such watch", "See pressmark watch list.")
        sys.exit(Exit.FAILED)
    click.echo(f"removed {name}")


@watch.command("dead")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_dead(name: str | None, as_json: bool) -> None:
    """List what could not be sent, of all watches or of the one of that NAME, and why."""
    from schedules.changes import deliveries

    try:
        found = deliveries.dead(_open()[1].engine, name)
    except ArchiveError as e:
        sys.exit(failed(e))
    for one in found:
        shown = (
            f"{one.id}  {one.watch}  {one.way}  change {one.change_id}  {one.tries} tries: {printable(one.error or '')}"
        )
        click.echo(json.dumps(one.as_json(), ensure_ascii=False) if as_json else shown)


@watch.command("resend")
@click.argument("name", required=False)
def resend(name: str | None) -> None:
    """Send again what could not be sent, of all watches or of the one of that NAME."""
    from schedules.changes import deliveries

    try:
        many = deliveries.revive(_open()[1].engine, name, now=datetime.now(UTC))
    except ArchiveError as e:
        sys.exit(failed(e))
    click.echo(f"{many} are sent again by the next run")


@watch.command("send")
@click.option("--digest", is_flag=True, help="Send the digests by mail instead.")
def send(digest: bool) -> None:
    """Find what happened to posts, and send it to the webhooks of watches; the daemon runs it as a job."""
    from archive.runtime.run_time import RunTime
    from archive.settings import load
    from crawler.net.address_guard import Guard
    from crawler.options import CrawlSettings
    from schedules.changes.watches import Watches
    from schedules.delivery import send_digests, send_webhooks
    from schedules.settings import ScheduleSettings

    settings, options = load(ScheduleSettings), load(CrawlSettings)
    try:
        archive, runs = _open()
        time = RunTime(archive.settings.run_seconds)
        looked = _find(archive, runs, lambda: time.is_ending)
        watches = {one.name: one for one in Watches(runs.engine).all()}
        if digest:
            sent, errors = send_digests(runs, watches, settings, now=datetime.now(UTC))
        else:
            sent, errors = send_webhooks(
                runs,
                watches,
                settings,
                user_agent=options.user_agent,
                guard=Guard(options.allow_networks),
                now=lambda: datetime.now(UTC),
                enough=lambda: time.is_ending,
            )
    except ArchiveError as e:
        sys.exit(failed(e))
    for error in errors:
        print_error(str(error), error.hint)
    click.echo(f"looked at {looked} posts, sent {sent} {'digests' if digest else 'changes'}, {len(errors)} failed")
    sys.exit(Exit.FAILED if errors else Exit.DONE)


def _open() -> tuple[Archive, Runs]:
    """The archive, and the database with the tables of all packages.

    Raises:
        ArchiveError: One of them cannot be used.
    """
    from crawler.frontier.frontier import Frontier
    from schedules.runs import Runs

    archive = open_archive()
    Frontier.open(archive.settings.database).engine.dispose()
    return archive, Runs.open(archive.settings.database)


def _find(archive: Archive, runs: Runs, enough: Callable[[], bool]) -> int:
    """Find what happened to posts, and queue it for watches; returns how many posts were looked at."""
    from schedules.changes.news import find_news

    return find_news(archive, runs.engine, now=datetime.now(UTC), enough=enough)


COMMANDS = (list_changes, watch)
