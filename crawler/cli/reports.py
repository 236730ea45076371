"""Commands that list feeds, alarms and deletions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from archive.runtime.console import printable
from crawler.cli.open import open_frontier

if TYPE_CHECKING:
    from crawler.model.visits import Feed


@click.command()
@click.option("--kind", help="Only deletions of this kind: gone, home, login, soft-404, unlisted, blog.")
@click.option("--host", help="Only posts of this host, with or without www.")
@click.option("--since", metavar="TIME", help="Only posts found gone, or back, at or after this time.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def deletions(kind: str | None, host: str | None, since: str | None, as_json: bool) -> None:
    """List deleted posts: since when, why we think so, when they were last seen, whether they came back."""
    from archive.reader.vanished import EVERY, wanted_from

    try:
        wanted = wanted_from(kind=kind, host=host, since=since)
    except ValueError as e:
        raise click.UsageError(f"--{e}") from e
    with open_frontier() as frontier:
        found = frontier.deletions(wanted=wanted)
    for one in found:
        if as_json:
            click.echo(json.dumps({**plainly(asdict(one)), **one.told().as_json()}, ensure_ascii=False))
        else:
            click.echo(f"{printable(one.url)}  {printable(one.told().line())}")
    if not found and not as_json:
        click.echo("no archived post is known to be deleted" if wanted == EVERY else "no deletion is like that")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--all", "over", is_flag=True, help="Include alarms that have ended.")
def alarms(as_json: bool, over: bool) -> None:
    """List alarms: feeds that fail, go silent, shrink, dropped posts or refuse them; failed jobs."""
    from archive.runtime.times import iso
    from crawler.frontier.alarms import as_json as alarm_json
    from crawler.frontier.alarms import standing

    with open_frontier() as frontier:
        found = standing(frontier.engine, over=over)
        feeds_now = frontier.feeds() if not found else []
    for one in found:
        if as_json:
            row = {**alarm_json(one), "told": iso(one.told) if one.told else None}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            end = f" until {_short(one.ended)}" if one.ended else ""
            click.echo(f"{_short(one.since)}{end}  {one.kind:10}  {printable(one.subject)}: {printable(one.detail)}")
    if not found and not as_json:
        click.echo(f"no alarms; {_watched(feeds_now)}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def feeds(as_json: bool) -> None:
    """List subscriptions with their health, and posts that could not be had."""
    from crawler.frontier.alarms import by_subject
    from crawler.frontier.feed_json import feed_as_json
    from crawler.frontier.refused import newest

    with open_frontier() as frontier:
        found = frontier.feeds()
        raised = by_subject(frontier.engine)
        lost = {feed.id: newest(frontier.engine, feed.id) for feed in found if feed.refused}
    kinds = {subject: [alarm.kind for alarm in alarms] for subject, alarms in raised.items()}
    if as_json:
        for feed in found:
            posts = [one.as_json() for one in lost.get(feed.id, ())]
            row = {**feed_as_json(feed), "alarms": kinds.get(feed.url, []), "refused": posts}
            click.echo(json.dumps(row, ensure_ascii=False))
    elif not found:
        click.echo("no subscriptions; begin with: pressmark add URL")
    else:
        _table(found, kinds)
        for feed in found:
            if posts_lost := lost.get(feed.id):
                click.echo(
                    f"{printable(feed.url)}: {feed.refused} posts could not be had from their pages, the newest:"
                )
                for one in posts_lost:
                    click.echo(f"  {printable(one.line())}")


def plainly(values: dict[str, Any]) -> dict[str, Any]:
    """Values with datetimes as JSON strings."""
    from archive.runtime.times import iso

    return {name: iso(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _table(found: list[Feed], kinds: Mapping[str, Sequence[str]]) -> None:
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
            Text(printable(feed.name or feed.title or "")),
            Text(printable(", ".join([state(feed), *_notes(kinds.get(feed.url, ()), state(feed))]) + _why(feed))),
            _short(feed.visited),
            "-" if feed.paused else "due" if feed.due <= now else _short(feed.due),
            str(feed.kept),
        )
    # In a pipe, lines are not wrapped at the terminal's width.
    console = Console()
    (console if console.is_terminal else Console(width=240)).print(table)


def _watched(found: Sequence[Feed]) -> str:
    """What was looked at, so that silence is no more than it is."""
    parts = [f"{len(found)} feed" + ("" if len(found) == 1 else "s")]
    counts = {
        "never visited": sum(feed.visited is None for feed in found),
        "paused": sum(feed.paused for feed in found),
        "posts could not be had": sum(feed.refused for feed in found),
    }
    return ", ".join(parts + [f"{count} {what}" for what, count in counts.items() if count])


def _notes(kinds: Sequence[str], state: str) -> list[str]:
    """Kinds of alarms that the state does not show already."""
    return [kind for kind in kinds if kind not in {"failing", "gone", state}]


def _why(feed: Feed) -> str:
    return f": {feed.error}" if feed.error else ""


def _short(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "never"
