"""The archive's commands: get, history."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from archive.errors import ArchiveError, DamagedError, NotArchivedError, SettingsError
from archive.faces import Exit, printable, tell

if TYPE_CHECKING:
    from archive.archive import Archive

FORMS = ("text", "markdown", "html", "json", "warc")


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A TIME argument."""

    name = "TIME"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """An aware UTC datetime."""
        from archive.moment import parse_moment

        if isinstance(value, datetime):
            return value
        try:
            return parse_moment(value)
        except ValueError as e:
            self.fail(str(e), param, ctx)


def open_archive() -> Archive:
    """The archive that the settings name."""
    from archive.archive import Archive
    from archive.settings import ArchiveSettings, load

    return Archive.open(load(ArchiveSettings))


def failed(error: ArchiveError) -> Exit:
    """Tell an error and give its exit code."""
    tell(str(error), error.hint)
    if isinstance(error, NotArchivedError):
        return Exit.NOT_ARCHIVED
    if isinstance(error, DamagedError):
        return Exit.DAMAGED
    return Exit.USAGE if isinstance(error, SettingsError) else Exit.FAILED


@click.command()
@click.argument("url")
@click.option("--at", type=Moment(), help="The capture nearest to this time; the newest if left out.")
@click.option("--as", "form", type=click.Choice(FORMS), default="text", show_default=True, help="What to give.")
def get(url: str, at: datetime | None, form: str) -> None:
    """Give an archived post, or any captured URL, back on standard output.

    TIME is ISO 8601, a date, or 4 to 14 digits as in the Wayback Machine.
    """
    try:
        sys.stdout.buffer.write(_given(open_archive(), url, at, form))
        sys.stdout.buffer.flush()
    except ArchiveError as e:
        sys.exit(failed(e))


def _given(archive: Archive, url: str, at: datetime | None, form: str) -> bytes:
    if form in {"text", "markdown", "json"}:
        held = archive.text(url, at)
        if form == "json":
            return (json.dumps(held.as_json(archive), ensure_ascii=False, indent=2) + "\n").encode()
        text = held.text if form == "text" else str(held.fields.get("markdown") or held.text)
        return f"{text}\n".encode()
    row = archive.find(url, at)
    return archive.raw(row) if form == "warc" else archive.payload(row)


@click.command()
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def history(url: str, as_json: bool) -> None:
    """List every capture of URL: time, status, digest, kind, where it lies."""
    try:
        rows = open_archive().index.history(url)
        if not rows:
            raise NotArchivedError(url)
    except ArchiveError as e:
        sys.exit(failed(e))
    if as_json:
        for row in rows:
            click.echo(json.dumps(row.as_json(), ensure_ascii=False))
        return
    for row in rows:
        place = f"{row.object} {row.offset}+{row.length}"
        cut = f" truncated={row.truncated}" if row.truncated else ""
        click.echo(
            f"{row.date:%Y-%m-%d %H:%M:%S}Z  {row.status:3}  {row.kind:8}  {row.digest}  "
            f"{printable(row.mime)}  {place}{cut}"
        )


COMMANDS = (get, history)
