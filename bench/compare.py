"""Two revisions on the same blogs, in turn and several times: medians and their ratio, since machines are never alike."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent))

from crawl import PROJECT, crawl, sample_urls
from sample.blogs import BLOGS


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A worktree of a revision, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pressmark-compare-"))
    tree = folder / "tree"
    git = ["git", "-C", str(PROJECT), "worktree"]
    try:
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)
    finally:
        shutil.rmtree(folder)


def compiled(tree: Path) -> None:
    """Write the byte code of a tree, so that its first round is like the others."""
    packages = [str(tree / name) for name in ("archive", "crawler", "schedules")]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *packages], check=True)


def measured(tree: Path, urls: list[str]) -> dict[str, float]:
    """A crawl of everything by the code in a tree, then one with nothing due."""
    home = Path(tempfile.mkdtemp(prefix="pressmark-bench-"))
    try:
        first, idle = crawl(home, urls, tree), crawl(home, [], tree)
        if first["exit"] or idle["exit"]:
            raise SystemExit(f"{tree}: the crawl failed: {first['said']}")
        posts = int(str(first["said"]).split()[1])
        stored = sum(path.stat().st_size for path in (home / "store").rglob("*") if path.is_file())
        return {
            "posts": posts,
            "posts a second": posts / float(str(first["seconds"])),
            "CPU ms a post": 1000 * float(str(first["cpu_seconds"])) / posts,
            "CPU ms, nothing due": 1000 * float(str(idle["cpu_seconds"])),
            "peak MB of the tree": float(str(first["peak_megabytes"])),
            "bytes stored a post": stored / posts,
        }
    finally:
        shutil.rmtree(home)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", help="what this tree is compared with")
    parser.add_argument("--posts", type=int, default=400, help="posts of all blogs together")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--world", type=Path, help="folder of a served world of blogs, in place of the sample blogs")
    parser.add_argument("--feed", default="feed-all.xml", help="path of each host's feed in a world")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        trees = {arguments.revision: stack.enter_context(checked_out(arguments.revision)), "this tree": PROJECT}
        if arguments.world:
            urls = [f"{host}/{arguments.feed}" for host in (arguments.world / "hosts.txt").read_text().split()]
        else:
            _, urls = sample_urls(stack, copies=max(1, arguments.posts // sum(len(blog.posts) for blog in BLOGS)))
        found: dict[str, list[dict[str, float]]] = {name: [] for name in trees}
        for tree in trees.values():
            compiled(tree)
        for _ in range(arguments.rounds):
            for name, tree in trees.items():
                found[name].append(measured(tree, urls))
    before, after = found.values()
    sys.stdout.write(
        f"{'median of ' + str(arguments.rounds):24}{arguments.revision[:12]:>14}{'this tree':>14}{'ratio':>8}\n"
    )
    for row in before[0]:
        one, other = (median(each[row] for each in rounds) for rounds in (before, after))
        sys.stdout.write(f"{row:24}{one:14,.1f}{other:14,.1f}{other / one:8.2f}\n")


if __name__ == "__main__":
    main()
