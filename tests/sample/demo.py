"""The demonstration: serve the sample blogs, crawl them, edit a post, crawl again, show what is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sample.blogs import BLOGS, EDIT
from sample.server import Site

from archive.archive import Archive
from archive.settings import ArchiveSettings, load


def main() -> int:
    home = Path(sys.argv[1]).resolve()
    shutil.rmtree(home, ignore_errors=True)  # a demonstration begins with nothing kept
    environment = {
        **os.environ,
        "PRESSMARK_HOME": str(home),
        "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",  # the sample blogs are on this very machine
        "PRESSMARK_HOST_GAP": "0.05",
        "PRESSMARK_FEED_INTERVAL": "0",
        "PRESSMARK_FEED_SLOWEST": "0",
    }
    pressmark = str(Path(sys.executable).with_name("pressmark"))

    def run(*arguments: str) -> str:
        done = subprocess.run([pressmark, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    console = Console(width=120, soft_wrap=True)
    with ExitStack() as stack:
        sites = [stack.enter_context(Site()) for _ in BLOGS]
        for site, blog in zip(sites, BLOGS, strict=True):
            site.pages.update(blog.pages(site.url))
        console.print("[bold]1. crawl three blogs by their home pages[/]")
        console.print(run("crawl", *(f"{site.url}/" for site in sites)).strip(), markup=False)
        console.print("\n[bold]2. crawl again: nothing is fetched that is held[/]")
        console.print(run("crawl").strip(), markup=False)
        slug, before, after = EDIT
        blog, site = BLOGS[0].edited(slug, before, after), sites[0]
        site.pages.update(blog.pages(site.url))
        console.print("\n[bold]3. one post is edited and the blogs are crawled once more[/]")
        console.print(f"“{before}” becomes “{after}”", markup=False)
        console.print(run("crawl").strip(), markup=False)
        table = Table(title="What is kept", title_justify="left")
        for name in ("blog", "post", "published", "author", "tags", "captures"):
            table.add_column(name, justify="right" if name == "captures" else "left")
        archive = Archive.open(load(ArchiveSettings, home=home))
        edited = ""
        warc = ""
        for site, blog in zip(sites, BLOGS, strict=True):
            for post in blog.posts:
                url = site.url + blog.url_of(post)
                text = archive.text(url).fields
                captures = archive.captures(url)
                tags, day = ", ".join(text["tags"]), text["published"][:10]
                table.add_row(blog.name, text["title"], day, text["author"], tags, str(len(captures)))
                if post.slug == slug:
                    edited, warc = url, captures[-1].object
        console.print()
        console.print(table)
    console.print(f"\nThe newest WARC: {home / 'store' / warc}", markup=False)
    console.print(
        "\nThe sample blogs are gone again; the archive is not. Try next:\n"
        f"  export PRESSMARK_HOME={home}\n"
        f"  .venv/bin/pressmark get {edited}\n"
        f"  .venv/bin/pressmark history {edited}\n"
        f"  .venv/bin/pressmark get {edited} --as warc | zcat | less\n"
        f"  .venv/bin/pressmark diff {edited}\n"
        "  .venv/bin/pressmark search bell\n"
        "  .venv/bin/pressmark serve --port 8080      # then open http://127.0.0.1:8080/\n"
        "and with your own blogs:\n"
        "  .venv/bin/pressmark crawl https://a-blog.example/\n"
        "  .venv/bin/pressmark up",
        markup=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
