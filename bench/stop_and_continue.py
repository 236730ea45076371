"""Two machines on one PostgreSQL and one S3 store, one of them put to sleep for longer than its claims last (SIGSTOP).

Each round both crawl the same blogs, whose posts change. At a random instant one is stopped, perhaps within a commit; once
its claims have run out the other one takes its hosts over; amidst that the first one wakes up, and both end. Everything
stored is checked again and again: nothing lost, nothing stored twice, nothing older over something newer, no host that
two runs asked at the same time. Claims last seconds here, and transactions that stand still end as soon.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sample.server import Answer, Site
from sample.services import Postgres, seaweedfs
from sqlalchemy import select, update

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.runtime.database import transaction
from archive.settings import ArchiveSettings
from crawler.frontier.frontier import Frontier
from crawler.frontier.tables import feeds, pages

TESTS = Path(__file__).resolve().parents[1] / "tests"
CLAIM_SECONDS = 2.0
"""How long the claims of these runs last."""
ALLOWED_SECONDS = 120
SHOWN_CHARACTERS = 8_000
"""How much of what a failed run said is shown, from the end."""
CHECKED_EVERY = 5
"""Rounds between two checks of all that is stored."""
WORDS = "Words of a post that is told at some length and without any haste. " * 6
CRAWL = "import sample.short_claims; from schedules.entry import main; main()"


@dataclass
class Tally:
    """Counts over all rounds; all but the first three must stay 0."""

    stops: int = 0
    late: int = 0
    """Visits that came too late to count."""
    captures: int = 0
    lost: int = 0
    """Posts whose newest state is not archived, or that are not archived at all."""
    doubled: int = 0
    """Captures of a page for which it was not requested."""
    both: int = 0
    """Responses that both machines fetched, since one of them was stopped before it had committed its own. Each was
    sent, so each is archived."""
    older: int = 0
    """Pages of which the frontier has an older visit than the newest capture, or a deletion that was none."""
    together: int = 0
    """Requests to a host while another run's request to it was being answered."""
    failed: int = 0
    """Runs that did not end with 0."""
    problems: list[str] = field(default_factory=list)


class Blog:
    """A blog on a host of its own, that knows which machine asks it, and when."""

    def __init__(self, number: int, posts: int) -> None:
        self.posts = posts
        self.state = 0
        self.asked: list[tuple[str, float, float]] = []
        """Who asked, and when the request came and was answered."""
        self.site = Site(host=f"127.0.0.{number + 2}")
        rows = "".join(
            f"<item><guid>{n}</guid><title>Post {n}</title><link>{self.site.url}/{n}</link></item>"
            for n in range(posts)
        )
        feed = f"<rss version='2.0'><channel><title>B</title>{rows}</channel></rss>".encode()
        self.site.pages["/feed"] = self.seen(lambda: Answer(feed, "application/rss+xml"))
        self.site.pages["/robots.txt"] = self.seen(lambda: Answer(b"", "text/plain", status=404, validators=False))
        for n in range(posts):
            self.site.pages[f"/{n}"] = self.seen(lambda n=n: Answer(self.body(n)))

    def seen(self, answer):
        """The answer, with a note of who asked for it."""

        def asked(headers: dict[str, str]) -> Answer:
            began, found = time.monotonic(), answer()
            time.sleep(0.02)
            self.asked.append((headers.get("user-agent", ""), began, time.monotonic()))
            return found

        return asked

    def body(self, number: int) -> bytes:
        """A post as it is now."""
        words = f"{WORDS} State {self.state} of post {number} of {self.site.url}."
        return f"<html><head><title>Post {number}</title></head><article><h1>Post {number}</h1><p>{words}</p></article></html>".encode()

    def together(self) -> int:
        """Requests that came while one of another machine was being answered."""
        found = 0
        for (one, _, ended), (other, began, _) in zip(
            sorted(self.asked, key=_began), sorted(self.asked, key=_began)[1:], strict=False
        ):
            found += one != other and began < ended
        return found


def _began(one: tuple[str, float, float]) -> float:
    return one[1]


def crawl(settings: dict[str, str], home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a crawl on a home; its requests name the home."""
    environment = {
        **os.environ, **settings, "PRESSMARK_HOME": str(home), "PRESSMARK_USER_AGENT": home.name,
        "CLAIM_SECONDS": str(CLAIM_SECONDS), "PYTHONFAULTHANDLER": "1", "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}",
    }  # fmt: skip
    argv = [sys.executable, "-c", CRAWL, "crawl", *arguments]
    return subprocess.Popen(
        argv, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def wait_until_asked(blogs: list[Blog], name: str, process: subprocess.Popen[bytes], *, since: float) -> bool:
    """Wait until a machine has sent its first request, or its run has ended; False if it only waits, held up by others."""
    while process.poll() is None:
        if any(who == name and began >= since for blog in blogs for who, began, _ in list(blog.asked)):
            return True
        if time.monotonic() - since > ALLOWED_SECONDS:
            return False
        time.sleep(0.02)
    return True


def stop(process: subprocess.Popen[bytes], after: float) -> bool:
    """Stop all processes of a run; False if it has ended before."""
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGSTOP)
        return True
    return False


def wake(process: subprocess.Popen[bytes]) -> None:
    """Let a run that was stopped go on."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGCONT)


def finish(process: subprocess.Popen[bytes], tally: Tally) -> str:
    """Wait for the end of a run; returns what it said."""
    try:
        said = process.communicate(timeout=ALLOWED_SECONDS)[0].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGABRT)  # shows what each thread waits for
        time.sleep(1.0)
        os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode:
        tally.failed += 1
        tally.problems.append(f"ended with {process.returncode}: {said[-SHOWN_CHARACTERS:]}")
    return said


def check(archive: Archive, frontier: Frontier, blogs: list[Blog], tally: Tally) -> None:
    """Compare what is stored with what the blogs show."""
    tally.both = tally.doubled = tally.older = 0
    for blog in blogs:
        for number in range(blog.posts):
            url = f"{blog.site.url}/{number}"
            page = frontier.page(url)
            try:
                rows = archive.captures(url)
                newest = archive.payload(archive.find(url))
                archive.text(url)
            except ArchiveError as e:
                tally.lost += 1
                tally.problems.append(f"{url}: {e}")
                continue
            if page is None or not page.kept or newest != blog.body(number):
                tally.lost += 1
                tally.problems.append(f"{url}: the newest state is not archived")
            elif page.read is None or page.read < max(row.seen for row in rows):
                tally.older += 1
                tally.problems.append(f"{url}: visited {page.read}, captured {max(row.seen for row in rows)}")
            digests = Counter(row.digest for row in rows if row.kind == "response")
            tally.both += digests.total() - len(digests)
            tally.doubled += max(0, len(rows) - blog.site.asked.count(f"/{number}"))
    tally.older += len(frontier.deletions())
    tally.captures = sum(map(len, (archive.captures(f"{b.site.url}/{n}") for b in blogs for n in range(b.posts))))
    tally.together = sum(blog.together() for blog in blogs)


def run(stops: int, seed: int, blogs_wanted: int, posts: int, folder: Path, stack: ExitStack) -> Tally:
    """Stop and wake up one of two machines until the number is reached."""
    chance, tally = random.Random(seed), Tally()
    s3 = stack.enter_context(seaweedfs(folder / "s3"))
    database = stack.enter_context(Postgres()).url
    os.environ.update(s3.settings)
    settings = {
        "PRESSMARK_DATABASE": database,
        "PRESSMARK_STORE": f"s3://{s3.bucket}/stop-{seed}",
        "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
        "PRESSMARK_HOST_GAP": "0.2",
        "PRESSMARK_EXTRACT_WORKERS": "1",
        "PRESSMARK_BATCH_SECONDS": "0.5",  # so that it is also stopped during commits
    }
    blogs = [Blog(number, posts) for number in range(blogs_wanted)]
    for blog in blogs:
        stack.enter_context(blog.site)
    archive = Archive.open(ArchiveSettings(home=folder / "check", store=settings["PRESSMARK_STORE"], database=database))
    frontier = Frontier.open(database)
    homes = [folder / "one", folder / "two"]
    finish(crawl(settings, homes[0], *(f"{blog.site.url}/feed" for blog in blogs)), tally)
    rounds = 0
    while tally.stops < stops and not tally.failed:
        for blog in blogs:
            blog.state += 1
        with transaction(frontier.engine) as connection:
            due = select(pages.c.first_seen).where(pages.c.id == 1).scalar_subquery()
            connection.execute(update(pages).where(pages.c.kept).values(due=due))
            connection.execute(update(feeds).values(due=due))
        first, second = chance.sample(homes, 2)
        sleeper = crawl(settings, first)
        wait_until_asked(blogs, first.name, sleeper, since=time.monotonic())
        if stop(sleeper, chance.uniform(0.0, 3.0)):
            tally.stops += 1
            time.sleep(CLAIM_SECONDS * chance.uniform(1.1, 1.5))
        other = crawl(settings, second)
        if not wait_until_asked(blogs, second.name, other, since=time.monotonic()):
            tally.failed += 1
            tally.problems.append("a machine waits for one that is stopped")
        time.sleep(chance.uniform(0.0, 2.0))
        wake(sleeper)
        runs = [sleeper, other]
        said = [finish(one, tally) for one in runs]
        tally.late += sum(int(words.split(" too late")[0].split()[-2]) for words in said if " too late" in words)
        rounds += 1
        if rounds % CHECKED_EVERY == 0 or tally.stops == stops:
            finish(crawl(settings, homes[0], "--force"), tally)  # whatever was left due
            check(archive, frontier, blogs, tally)
            print(f"after {tally.stops} stops: {tally}", flush=True)
            if tally.problems:
                break
    return tally


def main() -> None:
    """Run, print; exit 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blogs", type=int, default=4)
    parser.add_argument("--posts", type=int, default=8, help="of each blog")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-sleep-") as name, ExitStack() as stack:
        tally = run(given.stops, given.seed, given.blogs, given.posts, Path(name), stack)
    print(
        f"stopped {tally.stops} times for longer than a claim, {tally.captures} captures: lost {tally.lost}, doubled "
        f"{tally.doubled}, older over newer {tally.older}, hosts asked by two {tally.together}, failed {tally.failed}; "
        f"{tally.late} visits came too late and changed nothing, {tally.both} responses were fetched by both"
    )
    for problem in tally.problems[:20]:
        print(f"  {problem}")
    sys.exit(bool(tally.lost or tally.doubled or tally.older or tally.together or tally.failed))


if __name__ == "__main__":
    main()
