"""The archive's commands: get, history, versions, diff, search, compact, import, prove, stamp."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from archive.errors import ArchiveError, DamagedError, NotArchivedError, SettingsError
from archive.export import formats
from archive.runtime.console import Exit, print_error, printable
from archive.runtime.times import within
from archive.warc.pasted_url import Reading, readings

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.export.formats import CaptureFormat, TextFormat
    from archive.index.edits import Fact
    from archive.index.index import Index
    from archive.index.schema import CaptureRow, TextRow
    from archive.maintenance.importer import Tally
    from archive.reader.page_history import Difference
    from archive.reader.vanished import Ledger

T = TypeVar("T")


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A TIME argument."""

    name = "TIME"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """An aware UTC datetime."""
        from archive.runtime.times import parse_moment

        if isinstance(value, datetime):
            return value
        try:
            return parse_moment(value)
        except ValueError as e:
            self.fail(str(e), param, ctx)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What a command line that joins other packages gives the archive's commands, as the context's object."""

    ledger: Callable[[Index], Ledger]
    """Makes the ledger of vanished posts over the index's database."""
    restore: Callable[[Archive], None]
    """Restores from the store what other packages keep there, when the index is made anew."""
    checks: Callable[[], Mapping[str, Callable[[bytes], str | None]]]
    """What shows that a state object of theirs is damaged, by prefix."""


def joined_with() -> Joined | None:
    """What the command line gives that joins other packages; None without one."""
    context = click.get_current_context(silent=True)
    return context.find_object(Joined) if context else None


def open_archive() -> Archive:
    """Open the archive given by the settings, with the ledger of vanished posts that the command line knows."""
    from archive.archive import Archive
    from archive.settings import ArchiveSettings, load

    joined = joined_with()
    return Archive.open(load(ArchiveSettings), ledger=joined.ledger if joined else None)


@contextmanager
def progress_bar(items: Iterable[T], what: str, total: int | None = None) -> Iterator[Iterator[T]]:
    """Iterate over items with a progress bar; without one if standard error is not a terminal.

    `total` is their number, if they do not say it themselves.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield iter(bar.track(items, description=what, total=total))


def failed(error: ArchiveError) -> Exit:
    """Print an error; returns its exit code."""
    print_error(str(error), error.hint)
    if isinstance(error, NotArchivedError):
        return Exit.NOT_ARCHIVED
    if isinstance(error, DamagedError):
        return Exit.DAMAGED
    return Exit.USAGE if isinstance(error, SettingsError) else Exit.FAILED


class Url(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A URL argument."""

    name = "URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The URL itself."""
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(f"{value!r} is not a URL: it is not valid UTF-8", param, ctx)
        return value


class Address(Url):
    """A URL argument however it was written, pasted or shared: what it may mean."""

    def convert(  # type: ignore[override]  # click's types are `Any`
        self, value: str | tuple[Reading, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Reading, ...]:
        """The readings, of which the archive knows the right one."""
        if not isinstance(value, str):
            return value
        try:
            return readings(super().convert(value, param, ctx))
        except ValueError as e:
            self.fail(str(e), param, ctx)


class FormatName(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """An export format."""

    name = "FORMAT"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002  click's signature
        """The names, for the help."""
        return f"[{'|'.join(row.name for row in formats.FORMATS)}]"

    def convert(
        self, value: str | TextFormat | CaptureFormat, param: click.Parameter | None, ctx: click.Context | None
    ) -> TextFormat | CaptureFormat:
        """The row of the table of formats."""
        if not isinstance(value, str):
            return value
        try:
            return formats.by_name(value)
        except ValueError as e:
            self.fail(str(e), param, ctx)


@click.command()
@click.argument("url", type=Address())
@click.option("--at", type=Moment(), help="Take the capture nearest to this time.  [default: the newest]")
@click.option("--as", "form", type=FormatName(), default="text", show_default=True, help="Output format.")
def get(url: tuple[Reading, ...], at: datetime | None, form: TextFormat | CaptureFormat) -> None:
    """Write an archived post, or any captured URL, to standard output.

    TIME is ISO 8601, a date, or 4 to 14 digits as in the Wayback Machine. That the post is not online any more is said
    on standard error.
    """
    gc.disable()  # a short process: importing is faster without garbage collection
    try:
        archive = open_archive()
        meant = archive.meant(url)
        if at is None and meant.stamp:
            at = within(meant.stamp, end=True)
        sys.stdout.buffer.write(formats.export(archive, form, meant.url, at).body)
        sys.stdout.buffer.flush()
        if gone := archive.vanished(meant.url):
            click.echo(printable(gone.line()), err=True)
    except ArchiveError as e:
        sys.exit(failed(e))


@click.command()
@click.argument("url", type=Address())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def history(url: tuple[Reading, ...], as_json: bool) -> None:
    """List all captures of URL: time, status, kind, digest, location; with --json their texts as well.

    Texts are compared only if the same extractor made them: a new extractor is not an edit of the post.
    """
    from archive.index.versions import same_words
    from archive.reader.vanished import told

    try:
        archive = open_archive()
        meant = archive.meant(url).url
        rows = archive.captures(meant)
        if not rows:
            raise NotArchivedError(meant)
        texts = archive.index.texts(meant)
        gone = archive.vanished(meant)
    except ArchiveError as e:
        sys.exit(failed(e))
    before: tuple[CaptureRow, Sequence[TextRow]] | None = None
    for row in rows:
        made = texts.get(row.record) or texts.get(row.refers_to or "") or []
        same = same_words(before[1], made) if before and made else None
        if as_json:
            known = {"text_digest": made[0].digest if made else None, "same_text": same}
            places = [text.as_json() for text in made]
            click.echo(json.dumps({**row.as_json(), **known, "texts": places, **told(gone)}, ensure_ascii=False))
        else:
            other = "  same text in other bytes" if same and before and before[0].digest != row.digest else ""
            click.echo(
                _history_line(row) + other + ("  proof of the deletion" if gone and row.record == gone.proof else "")
            )
        before = (row, made) if made else before
    if gone and not as_json:
        click.echo(printable(gone.line()))


def _history_line(row: CaptureRow) -> str:
    what = f"{row.status:3}  {row.kind:8}  {row.digest}  {printable(row.mime)}"
    cut = f" truncated={row.truncated}" if row.truncated else ""
    if row.last is not None:
        times = "once" if row.confirmed == 1 else f"{row.confirmed} times"
        cut += f"  confirmed {times} until {row.last:%Y-%m-%d %H:%M:%S}Z"
    return f"{row.date:%Y-%m-%d %H:%M:%S}Z  {what}  {row.object} {row.offset}+{row.length}{cut}"


@click.command("versions")
@click.argument("url", type=Address())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_versions(url: tuple[Reading, ...], as_json: bool) -> None:
    """List the versions of URL: when each was first and last seen, what changed, with its class, and how many words.

    Text, title, author, date and picture are compared.
    """
    from archive.reader.page_history import changed, versions_of
    from archive.reader.text_edits import summary

    try:
        archive = open_archive()
        versions = changed(archive, versions_of(archive, archive.meant(url).url))
    except ArchiveError as e:
        sys.exit(failed(e))
    for one in versions:
        if as_json:
            click.echo(json.dumps(one, ensure_ascii=False))
            continue
        words = f"  +{one['added_words']} -{one['removed_words']} words" if "added_words" in one else ""
        seen = f"{str(one['first_seen'])[:19]}Z to {str(one['last_seen'])[:19]}Z"
        title = printable(str(one["title"] or ""))
        changes = one["changed"]
        edited = f"  {', '.join(changes)} changed" if isinstance(changes, list) and changes else ""
        made = one["changes"]
        if edited and isinstance(made, list) and made:
            edited += f" ({summary(edit['class'] for edit in made)})"
        click.echo(f"{one['version']:3}  {seen}  {one['captures']} captures{edited}{words}  {title}".rstrip())


@click.command("diff")
@click.argument("url", type=Address())
@click.option(
    "--from", "since", type=Moment(), help="Compare the version nearest to this time.  [default: the one before --to]"
)
@click.option("--to", "until", type=Moment(), help="With the version nearest to this time.  [default: the newest]")
@click.option("--changes-only", is_flag=True, help="Print the edits, each with its class, instead of the text.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def diff(
    url: tuple[Reading, ...], since: datetime | None, until: datetime | None, changes_only: bool, as_json: bool
) -> None:
    """Show what changed between two versions of URL: title, author, date, picture, then words.

    Removed words are marked [-like this-], added ones {+like this+}; on a terminal in colour as well.
    """
    from archive.reader.page_history import compared, versions_of
    from archive.reader.text_edits import summary

    try:
        archive = open_archive()
        found = compared(archive, versions_of(archive, archive.meant(url).url), since, until)
    except ArchiveError as e:
        sys.exit(failed(e))
    if as_json:
        click.echo(json.dumps(found.as_json(changes_only=changes_only), ensure_ascii=False))
        return
    before, after = found.before.row, found.after.row
    click.echo(
        f"--- {before.date:%Y-%m-%d %H:%M:%S}Z {before.digest}\n+++ {after.date:%Y-%m-%d %H:%M:%S}Z {after.digest}"
    )
    if changes_only:
        for edit in found.edits:
            click.echo(f"{edit.name}: {_shown_pair(edit.before, edit.after)}")
    else:
        _print_facts_and_paragraphs(found)
    if not found.edits and all(change.kind == "same" for change in found.changes):
        click.echo("no differences")
    elif not changes_only and found.edits:
        click.echo(f"edits: {summary(edit.name for edit in found.edits)}")


def _print_facts_and_paragraphs(found: Difference) -> None:
    for fact in found.facts:
        if fact.edited or (fact.name != "picture" and fact.after):
            click.echo(f"{fact.name}: {_shown_fact(fact)}")
    same = 0
    for change in found.changes:
        if change.kind == "same":
            same += 1
            continue
        if same:
            click.echo(f"    ({same} paragraph{'s' if same > 1 else ''} unchanged)")
            same = 0
        mark = "moved: " if change.moved else ""
        click.echo(mark + "".join(_shown_run(run.kind, printable(run.text)) for run in change.runs))
    if same == len(found.changes) and found.edits:
        click.echo("no word differs")


def _shown_fact(fact: Fact) -> str:
    return _shown_pair(fact.before, fact.after) if fact.edited else printable(fact.after or "")


def _shown_pair(before: str | None, after: str | None) -> str:
    shown = _shown_run("gone", printable(before or "")), _shown_run("new", printable(after or ""))
    return " ".join(filter(None, shown))


def _shown_run(kind: str, text: str) -> str:
    if kind == "same" or not text:
        return text
    return click.style(f"[-{text}-]", fg="red") if kind == "gone" else click.style(f"{{+{text}+}}", fg="green")


@click.command("search")
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.option(
    "--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="Maximum number of versions."
)
def search_texts(query: str, as_json: bool, limit: int) -> None:
    """Search the texts of all versions of all posts.

    QUERY may have words, "phrases", prefix*, -not, OR, and title: author: tag: lang: site: before: after:.
    """
    from archive.search.query import parse
    from archive.search.search import Search

    try:
        wanted = parse(query)
    except ValueError as e:
        raise click.UsageError(str(e)) from e
    try:
        archive = open_archive()
        search = Search(archive)
        found = search.page(query) or search.find(wanted, limit=limit)
    except ArchiveError as e:
        sys.exit(failed(e))
    for hit in found.hits:
        if as_json:
            click.echo(json.dumps(hit.as_json(), ensure_ascii=False))
            continue
        click.echo(click.style(printable(hit.title or hit.url), bold=True))
        click.echo(f"  {printable(hit.url)}")
        seen = f"  version {hit.version.number} of {hit.of}, seen {hit.version.first:%Y-%m-%d %H:%M} to "
        click.echo(f"{seen}{hit.version.last:%Y-%m-%d %H:%M} UTC")
        if hit.vanished:
            click.echo(f"  {printable(hit.vanished.line())}")
        click.echo("  " + "".join(_marked(printable(piece.text), piece.found) for piece in hit.passage))
    if not found.hits and not as_json:
        click.echo("nothing found", err=True)


def _marked(text: str, found: bool) -> str:
    return click.style(text, bold=True, underline=True) if found else text


class Share(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A percentage such as `5%`."""

    name = "SHARE"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The percentage as a fraction of 1."""
        if isinstance(value, float):
            return value
        try:
            share = float(value.removesuffix("%")) / 100
        except ValueError:
            share = 0.0
        if not 0 < share <= 1:
            self.fail(f"{value!r} is not a percentage: use for example 5% or 100%", param, ctx)
        return share


@click.command()
@click.option("--dry-run", is_flag=True, help="Print what would be joined first; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compact(dry_run: bool, as_json: bool) -> None:
    """Join the small objects of a day, then of a month, into large ones, byte for byte.

    The old objects are deleted after a grace period. Damaged objects stay as they are; exit code 4 if there are any.
    """
    import os

    from archive.maintenance.compact import Compaction, alone
    from archive.runtime.run_time import RunTime

    os.nice(10)  # whatever else runs here is more urgent
    try:
        archive = open_archive()
        time = RunTime(archive.settings.run_seconds)
        compaction = Compaction(archive, now=lambda: datetime.now(UTC), enough=lambda: time.is_ending)
        if dry_run:
            compaction.preview()
        else:
            with alone(archive):
                archive.store.check()
                compaction.run()
    except ArchiveError as e:
        sys.exit(failed(e))
    tally = compaction.tally
    if not as_json:
        for one in tally.left_out.values():
            print_error(printable(f"{one.key}: {one.reason}"), "Run pressmark verify.")
    click.echo(json.dumps(tally.as_json()) if as_json else tally.line(planned=dry_run))
    sys.exit(Exit.DAMAGED if tally.left_out else Exit.DONE)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per file.")
def import_files(files: tuple[Path, ...], as_json: bool) -> None:
    """Import captures made by other tools: WARC, ARC and WACZ files.

    Broken records are reported and skipped (exit code 4). Captures that are in the archive already are skipped.
    """
    from archive.maintenance.importer import Importer, Tally, finish
    from archive.runtime.file_lock import exclusive

    unread = False
    tallies: dict[Path, Tally] = {}
    try:
        archive = open_archive()
        with exclusive(archive.settings.home / "import.lock", what="import"):
            archive.writer.check_writable()
            leftovers = finish(archive)
            for line in leftovers.lines():
                print_error(line)
            importer = Importer(archive, now=lambda: datetime.now(UTC))
            with progress_bar(tuple(dict.fromkeys(files)), "files") as paths:
                for path in paths:
                    tally = tallies[path] = Tally()
                    try:
                        importer.file(path, tally)
                    except OSError as e:
                        unread = True
                        print_error(f"{path}: {e.strerror or e}", "Give a readable WARC, ARC or WACZ file.")
                        del tallies[path]
            importer.close()
        made = _texts_of_imported(archive) if any(one.captures or one.held for one in tallies.values()) else 0
    except ArchiveError as e:
        sys.exit(failed(e))
    for path, tally in tallies.items():
        _tell_import(path, tally, as_json=as_json)
    if made and not as_json:
        click.echo(f"{made} texts made")
    nothing = not any(tally.captures or tally.held or tally.others for tally in tallies.values())
    if unread or nothing:
        sys.exit(Exit.FAILED)
    damaged = leftovers.damage or any(tally.broken for tally in tallies.values())
    sys.exit(Exit.DAMAGED if damaged else Exit.DONE)


def _tell_import(path: Path, tally: Tally, *, as_json: bool) -> None:
    """Print what was imported from a file."""
    for broken in tally.broken:
        print_error(printable(broken.line()), None)
    if tally.untold:
        print_error(f"{path}: and {tally.untold} more", None)
    if as_json:
        click.echo(json.dumps({"file": str(path), **tally.as_json()}))
    else:
        held = f", {tally.held} already archived" if tally.held else ""
        others = f", {tally.others} other records" if tally.others else ""
        wrong = f", {len(tally.broken) + tally.untold} broken" if tally.broken else ""
        click.echo(f"{printable(str(path))}: {tally.captures} captures{held}{others}{wrong}")


def _texts_of_imported(archive: Archive) -> int:
    """Make the texts of imported pages that have none; returns their number. Pages without a text are no error.

    Raises:
        ArchiveError: Spool, store or database failed, or another process makes texts.
    """
    from archive.maintenance.re_extract import ReExtraction, ToExtract, imported
    from archive.runtime.file_lock import exclusive
    from archive.runtime.worker_pool import WorkerPool

    settings = archive.settings
    pool = WorkerPool(
        workers=settings.extract_workers, limits=settings.extract_limits, preload=["archive.extract.pipeline"]
    )
    with exclusive(settings.home / "extract.lock", what="extract"), closing(pool):
        job = ReExtraction(archive, pool, now=lambda: datetime.now(UTC), workers=settings.extract_workers)
        for line in job.finish().lines():
            print_error(line)
        wanted = (ToExtract(row=row) for row in imported(archive))
        with progress_bar(job.run(wanted), "pages") as results:
            return sum(one.made for one in results)


@click.command()
@click.argument("url", type=Address())
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.zip")
@click.option("--at", type=Moment(), help="Take the capture nearest to this time.  [default: the newest]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def prove(url: tuple[Reading, ...], out: Path, at: datetime | None, as_json: bool) -> None:
    """Write an evidence bundle of URL: its records and texts, and the proof that they are what was sealed.

    verify_bundle.py in it checks it offline. The key to compare with is in evidence/log.pub of the home folder.
    """
    from archive.export.evidence_bundle import write_bundle

    try:
        archive = open_archive()
        meant = archive.meant(url)
        if at is None and meant.stamp:
            at = within(meant.stamp, end=True)
        made = write_bundle(archive, meant.url, at, out, now=datetime.now(UTC))
    except ArchiveError as e:
        sys.exit(failed(e))
    if as_json:
        click.echo(json.dumps({"out": str(out), **made.as_json()}, ensure_ascii=False))
        return
    for one in made.left_out:
        print_error(printable(f"left out: {one}"), None)
    click.echo(printable(f"{out}: {made.line()}"))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per log.")
def stamp(as_json: bool) -> None:
    """Have the newest root of each log time-stamped by the authority in PRESSMARK_TIMESTAMP_AUTHORITY.

    Roots that have a time stamp are passed over. An authority that is out of reach is asked again the next time.
    """
    from archive.maintenance.stamping import stamp_logs

    try:
        archive = open_archive()
        if not archive.settings.timestamp_authority:
            click.echo("no time stamp authority is set", err=True)
            return
        done = stamp_logs(archive)
    except ArchiveError as e:
        sys.exit(failed(e))
    for one in done:
        told = {"log": one.log, "size": one.size, "time": one.time.isoformat().replace("+00:00", "Z")}
        click.echo(json.dumps(told) if as_json else f"{one.log}: {one.size} leaves stamped at {told['time']}")
    if not done and not as_json:
        click.echo("nothing to stamp")


COMMANDS = (get, history, list_versions, diff, search_texts, compact, import_files, prove, stamp)
