"""kill -9 of a crawl's process group at random instants: what is lost, stored twice or fetched again?"""

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

import sqlalchemy
from crawl import sample_urls
from sample.server import Site
from sample.services import S3, seaweedfs

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.maintenance.contents import StoreReader
from archive.maintenance.verify import unknown, verify
from archive.runtime.database import connect
from archive.settings import ArchiveSettings
from archive.warc.members import members

HOST_CONCURRENCY = 8


@dataclass
class Tally:
    """Counts over all rounds; all except the first three should stay 0."""

    kills: int = 0
    rounds: int = 0
    posts: int = 0
    lost: int = 0
    """Posts archived according to the frontier that cannot be read."""
    missing: int = 0
    """Posts of a finished crawl that are not archived."""
    doubled: int = 0
    """Responses stored with the same URL and digest as another."""
    damaged: int = 0
    """Findings of verify, objects not in the index, bytes that are not a whole record, files left in the spool."""
    refetched: int = 0
    most_refetched: int = 0
    """Largest number of posts fetched again after one kill."""
    problems: list[str] = field(default_factory=list)


def crawl(settings: dict[str, str], urls: list[str], kill_after: float | None) -> bool:
    """Run one crawl; returns whether it ended before it was killed."""
    environment = {**os.environ, **settings, "SCRAPY_SETTINGS_MODULE": "crawler.settings"}
    argv = [sys.executable, "-m", "scrapy", "crawl", "blog", "-a", "url=" + " ".join(urls), "-s", "LOG_LEVEL=ERROR"]
    process = subprocess.Popen(argv, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        code = process.wait(kill_after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False
    if code:
        raise RuntimeError(f"the crawl ended with {code}")
    return True


def kept(database: str) -> set[str]:
    """Pages archived according to the frontier, which users can rely on."""
    engine = connect(database)
    with engine.connect() as connection:
        there = sqlalchemy.inspect(connection).has_table("pages")
        rows = connection.execute(sqlalchemy.text("SELECT url FROM pages WHERE kept")).all() if there else []
    engine.dispose()
    return {row.url for row in rows}


def check(archive: Archive, sites: list[Site], promised: set[str], tally: Tally) -> None:
    """Check everything that a finished crawl has stored."""
    posts = {site.url + path for site in sites for path in site.pages if path.startswith("/20")}
    now_kept = kept(archive.settings.database)
    tally.posts += len(posts)
    tally.missing += len(posts - now_kept)
    for url in sorted(promised | now_kept):
        try:
            archive.payload(archive.find(url))
            archive.text(url)
        except ArchiveError as e:
            tally.lost += 1
            tally.problems.append(f"{url}: {e}")
    responses: Counter[tuple[str, str]] = Counter()
    known = archive.index.objects()
    for row in known:
        captures, _ = archive.index.of_object(row.key)
        responses.update((one.url, one.digest) for one in captures if one.kind == "response")
        found = [finding.line() for finding in verify(archive.store, archive.index, row)]
        reader = StoreReader(archive.store, row.key)
        if sum(member.length for member in members(reader)) != archive.store.size(row.key):
            found.append(f"{row.key}: holds bytes that are no whole record")
        tally.damaged += len(found)
        tally.problems += found
    left = [finding.line() for finding in unknown(archive.store, [row.key for row in known])]
    left += [path.name for path in archive.settings.spool.rglob("*") if path.is_file()]
    tally.damaged += len(left)
    tally.problems += left
    tally.doubled += sum(count - 1 for count in responses.values())


def fetches(sites: list[Site]) -> int:
    """Number of requests for posts so far."""
    return sum(path.startswith("/20") for site in sites for path in site.asked)


def run(kills: int, seed: int, copies: int, folder: Path, s3: S3 | None) -> Tally:
    """Crawl, kill and check, until the number of kills is reached."""
    chance = random.Random(seed)
    tally = Tally()
    whole = 0.0
    while tally.kills < kills:
        tally.rounds += 1
        home = folder / f"home-{tally.rounds}"
        settings = {
            "PRESSMARK_HOME": str(home),
            "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
            "PRESSMARK_HOST_GAP": "0",
            "PRESSMARK_HOST_CONCURRENCY": str(HOST_CONCURRENCY),
            "PRESSMARK_BATCH_MEGABYTES": "0.3",  # so that kills also happen during commits
        }
        if s3:
            settings |= {**s3.settings, "PRESSMARK_STORE": f"s3://{s3.bucket}/kill-{seed}-{tally.rounds}"}
            os.environ.update(s3.settings)
        with ExitStack() as stack:
            sites, urls = sample_urls(stack, copies)
            promised: set[str] = set()
            if not whole:  # how long a crawl takes on this machine, to choose the instants
                began = time.monotonic()
                crawl({**settings, "PRESSMARK_HOME": str(folder / "first"), "PRESSMARK_STORE": ""}, urls, None)
                whole = time.monotonic() - began
                for site in sites:
                    site.log.clear()
            before = 0
            done = False
            while not done:
                done = crawl(settings, urls, chance.uniform(0.3, whole) if tally.kills < kills else None)
                promised |= kept(f"sqlite:///{home / 'pressmark.db'}")
                if not done:
                    tally.kills += 1
                seen = {f"{site.url}{path}" for site in sites for path in site.asked if path.startswith("/20")}
                again = fetches(sites) - len(seen) - before
                before += again
                tally.refetched += again
                tally.most_refetched = max(tally.most_refetched, again)
            archive = Archive.open(ArchiveSettings(home=home, store=settings.get("PRESSMARK_STORE", "")))
            check(archive, sites, promised, tally)
        print(f"round {tally.rounds}: {tally}", flush=True)
    return tally


def main() -> None:
    """Run, print; exit 1 if anything was lost, doubled or damaged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copies", type=int, default=50, help="of the ten sample posts")
    parser.add_argument("--store", choices=("folder", "s3"), default="folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-kill-") as name, ExitStack() as stack:
        s3 = stack.enter_context(seaweedfs(Path(name) / "s3")) if given.store == "s3" else None
        tally = run(given.kills, given.seed, given.copies, Path(name), s3)
    workers = 3 * HOST_CONCURRENCY
    print(f"store {given.store}: {tally.kills} kills in {tally.rounds} crawls of {given.copies * 10} posts")
    print(f"lost {tally.lost}, missing {tally.missing}, doubled {tally.doubled}, damaged {tally.damaged}")
    print(f"refetched {tally.refetched}, at most {tally.most_refetched} for one kill of {workers} workers")
    for problem in tally.problems[:20]:
        print(f"  {problem}")
    sys.exit(bool(tally.lost or tally.missing or tally.doubled or tally.damaged or tally.most_refetched > workers))


if __name__ == "__main__":
    main()
