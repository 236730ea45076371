"""The command that writes a blog as it was at an instant."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from archive.cli import Moment, failed, open_archive, progress_bar
from archive.errors import ArchiveError
from archive.runtime.console import Exit, print_error, printable


@click.command("at")
@click.argument("time", type=Moment())
@click.argument("blog", metavar="BLOG")
@click.option(
    "--out", "folder", required=True, metavar="DIR", type=click.Path(path_type=Path), help="A new or empty folder."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def at_time(time: datetime, blog: str, folder: Path, as_json: bool) -> None:
    """Write BLOG as it was at TIME as a static site: list of posts, posts, pictures, Atom feed.

    BLOG is a host, or the URL of the blog or of its feed. The site has the posts that were there, in the version that
    held, and says what is not known. It appears in DIR once it is whole.
    """
    from archive.export.blog_site import BlogSite
    from archive.reader.blog_at import BlogAt, last_of
    from archive.reader.blog_hosts import hosts_of
    from archive.runtime.folder_in_place import folder_in_place, is_free

    try:
        if not is_free(folder):
            raise click.UsageError(f"{folder}: not an empty folder")
        archive = open_archive()
        try:
            hosts = hosts_of(archive, blog)
        except ValueError as e:
            raise click.UsageError(f"BLOG: {e}") from e
        with folder_in_place(folder) as part:
            site = BlogSite(archive, BlogAt(archive, hosts, last_of(time)), part)
            with progress_bar(site.posts, "posts") as posts:
                site.write_posts(posts)
            written = site.write_rest()
    except ArchiveError as e:
        sys.exit(failed(e))
    except OSError as e:
        print_error(f"{folder}: {e.strerror or e}", "Name a new or empty folder that you may write to.")
        sys.exit(Exit.FAILED)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "host": hosts[0], **written.as_json()}, ensure_ascii=False))
    else:
        later = f", {written.later} listed that were first seen later" if written.later else ""
        pictures = f", {written.no_pictures} pictures not archived" if written.no_pictures else ""
        click.echo(f"{printable(str(folder))}: {written.posts} posts of {hosts[0]}{later}{pictures}")
    for url in written.unreadable:
        print_error(f"{url}: its text cannot be read", "Run pressmark verify.")
    sys.exit(Exit.DAMAGED if written.unreadable else Exit.DONE)


COMMANDS = (at_time,)
