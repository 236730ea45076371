"""A year of tiny batches, compacted day by day: how many objects are left; and `kill -9` of compaction at random."""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from operator import add
from pathlib import Path

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.extract.text import Text
from archive.index import joins
from archive.index.cdxj import cdxj
from archive.index.schema import CaptureRow
from archive.maintenance.compact import Compaction
from archive.maintenance.verify import unknown, verify
from archive.runtime.database import optimize
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from archive.writer.batch import Sealed
from archive.writer.committer import index_key

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ALLOWED = 2_000
ONE_IN = 10
"""Batches for one that has a text."""
RUNS = (timedelta(hours=5), timedelta(hours=11), timedelta(hours=17), timedelta(hours=23))
"""When compaction runs on each day."""


def batch(archive: Archive, when: datetime, number: int, captures: int = 1) -> Sealed:
    """A batch of some small pages."""
    made = archive.writer.batch(now=when)
    for n in range(captures):
        url = f"http://blog{number % 500}.example/{number}/{n}"
        body = b"<p>%d %d</p>" % (number, n) * 5
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
        row = made.add(Capture(url=url, date=when, request=b"GET / HTTP/1.1\r\n\r\n", head=head, body=body))
        if not n and number % ONE_IN == 0:
            made.add_text(row, Text(url=url, text=f"words {number}", markdown="x", title="T"))
    return made.seal()


def commit(archive: Archive, batches: list[Sealed]) -> int:
    """Make batches part of the archive as a crawl does, but in one transaction; returns the number of their objects."""
    for sealed in batches:
        for row, path in sealed.files:
            archive.store.put(row.key, path)
        archive.store.put(index_key(sealed.files[0][0].key), cdxj(sealed.captures))
        archive.writer.release(sealed)
    archive.writer.index.add(
        [row for sealed in batches for row, _ in sealed.files],
        [row for sealed in batches for row in sealed.captures],
        [row for sealed in batches for row in sealed.texts],
    )
    return sum(len(sealed.files) + 1 for sealed in batches)


def stored(archive: Archive) -> int:
    """Objects in the store."""
    return len(list(archive.store.keys()))


def problems(archive: Archive) -> list[str]:
    """What is damaged, missing, unaccounted for, or cannot be read."""
    known = archive.index.objects()
    found = [finding.line() for row in known for finding in verify(archive.store, archive.index, row)]
    accounted = {*(row.key for row in known), *archive.index.retired(), *joins.unfinished(archive.index.engine)}
    return [*found, *(finding.line() for finding in unknown(archive.store, accounted))]


def year(home: Path, days: int, per_day: int) -> bool:
    """Write, compact, print; returns whether the goal was reached."""
    archive = Archive.open(ArchiveSettings(home=home))
    written = number = 0
    most, longest, writing, compacting = 0, 0.0, 0.0, 0.0
    for day in range(days):
        began = time.monotonic()
        start = BEGIN + timedelta(days=day)
        made = [batch(archive, start + n * timedelta(days=1) / per_day, number + n) for n in range(per_day)]
        number += per_day
        for earlier, run in pairwise((timedelta(0), *RUNS, timedelta(days=1))):
            written += commit(
                archive, [one for n, one in enumerate(made) if earlier <= n * timedelta(days=1) / per_day < run]
            )
            if run in RUNS:
                paused = time.monotonic()
                Compaction(archive, now=partial(add, start, run)).run()
                spent = time.monotonic() - paused
                longest, compacting, began = max(longest, spent), compacting + spent, began + spent
                if day >= days - 31:
                    most = max(most, stored(archive))
        writing += time.monotonic() - began
        if (start + timedelta(days=1)).day == 1 or day == days - 1:
            optimize(archive.index.engine)
            line = f"{start:%Y-%m-%d}: {written:,} objects written, {stored(archive):,} in the store"
            print(
                f"{line}; {writing:.0f} s writing, {compacting:.0f} s compacting, longest {longest:.1f} s", flush=True
            )
    left = stored(archive)
    wrong = problems(archive)
    held = archive.index.counts()["captures"]
    print(
        f"{days} days of {per_day} batches: {written:,} objects written, {left:,} left, at most {most:,} in the last month"
    )
    print(f"{held:,} of {number:,} captures in the index, {len(wrong)} problems; {compacting / days:.2f} s for a day")
    for one in wrong[:20]:
        print(f"  {one}")
    return left < ALLOWED and not wrong and held == number


def kill(home: Path, kills: int, seed: int) -> bool:
    """Kill compaction at random instants, check after each; returns whether nothing was ever wrong."""
    chance = random.Random(seed)
    settings = ArchiveSettings(home=home, compact_grace="0")  # type: ignore[arg-type]
    environment = {**os.environ, "PRESSMARK_HOME": str(home), "PRESSMARK_COMPACT_GRACE": "0"}
    argv = [sys.executable, "-m", "schedules", "compact"]
    done = finished = number = 0
    wrong: list[str] = []
    whole = 0.0
    while done < kills and not wrong:
        archive = Archive.open(settings)
        for n in range(40):
            commit(archive, [batch(archive, BEGIN + timedelta(days=finished, minutes=20 * n), number, captures=20)])
            number += 1
        ended = False
        while not ended and not wrong:
            began = time.monotonic()
            limit = chance.uniform(0.2, max(whole, 1.5)) if done < kills and whole else None
            process = subprocess.Popen(argv, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)
            try:
                code = process.wait(limit)
                ended = True
                whole = time.monotonic() - began
                wrong += [f"exit code {code}"] if code else []
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                done += 1
            wrong += problems(archive)
            wrong += unread(archive, 20 * number)
        finished += 1
        if stored(archive) > 4 * finished:
            wrong.append(f"{stored(archive)} objects after {finished} days")
    print(f"{done} kills in {finished} compactions of 800 captures: {len(wrong)} problems")
    for one in wrong[:20]:
        print(f"  {one}")
    return not wrong


def unread(archive: Archive, expected: int) -> list[str]:
    """Captures that are not in the index, or cannot be read."""
    found: list[str] = []
    count = 0
    for one in archive.index.objects():
        held, _ = archive.index.of_object(one.key)
        count += len(held)
        found += [line for row in held if (line := _unread(archive, row))]
    return [*found, *([] if count == expected else [f"{count} of {expected} captures"])]


def _unread(archive: Archive, row: CaptureRow) -> str | None:
    try:
        archive.read(row)
    except ArchiveError as e:
        return f"{row.url}: {e}"
    return None


def main() -> None:
    """Run, print; exit 1 if too many objects are left, or anything is lost or damaged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365, help="0: none")
    parser.add_argument("--per-day", type=int, default=480, help="batches of all lanes, none of them empty")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    memory = Path("/dev/shm")  # a year of synced files takes hours on a disk
    with tempfile.TemporaryDirectory(prefix="pressmark-compact-", dir=memory if memory.is_dir() else None) as name:
        good = given.days == 0 or year(Path(name) / "year", given.days, given.per_day)
        good = (given.kills == 0 or kill(Path(name) / "kill", given.kills, given.seed)) and good
    sys.exit(not good)


if __name__ == "__main__":
    main()
