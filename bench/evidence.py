"""What a log of a million sealed objects costs: a commit, a proof, a bundle, its check, reindexing; and the space."""

from __future__ import annotations

import argparse
import hashlib
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from archive.archive import Archive
from archive.evidence import verify_bundle
from archive.evidence.log_object import LogObjectName, commit_of, commits_of, first_entry, of_object
from archive.evidence.signing_key import signing_key
from archive.evidence.tree import Edge, Tiled, consistency, inclusion, leaf_hash
from archive.export.evidence_bundle import write_bundle
from archive.extract.text import Text
from archive.index import log_rows
from archive.index.log_rows import Placed
from archive.reader.proofs import Proofs
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture
from archive.writer.batch import Sealed

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MOST_PROOF_SECONDS = 0.050
MOST_APPEND_SECONDS = 0.001
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"


def milliseconds(values: list[float]) -> str:
    return f"{median(values) * 1_000:.2f} ms (worst {max(values) * 1_000:.2f})"


def fill(archive: Archive, leaves: int, at_once: int) -> None:
    """A log with so many leaves, in commits of many, so that this takes minutes."""
    key = signing_key(archive.settings.home / "evidence")
    edge = Edge()
    hashes = b"".join(leaf_hash(str(n).encode()) for n in range(4))
    base = of_object(key="KEY", length=12_345, sha256=hashlib.sha256(b"x").hexdigest(), members=hashes)
    placed = []
    for begin in range(0, leaves, at_once):
        entries = [
            replace(base, leaf=base.leaf.replace("KEY", f"warc/2025/01/01/pressmark-2025010100000{n:07d}-0.warc.gz"))
            for n in range(begin, begin + at_once)
        ]
        if not begin:
            entries[0] = first_entry(key.key, "bench", ())
        commit = commit_of(key, edge, entries)
        name = LogObjectName(key.key.log, commit.first)
        archive.store.put(name.key, commit.line())
        placed.append(Placed(commit=commit, key=name.key, offset=0))
        if len(placed) == 10:
            log_rows.add(archive.index.engine, placed, at=datetime.now(UTC))
            placed = []
        edge, _ = commit.grown()
    if placed:
        log_rows.add(archive.index.engine, placed, at=datetime.now(UTC))


def batch(archive: Archive, number: int, pages: int) -> Sealed:
    made = archive.writer.batch(now=BEGIN + timedelta(minutes=number))
    for n in range(pages):
        url = f"http://blog{n}.example/{number}"
        body = b"".join(hashlib.sha256(b"%d %d %d" % (number, n, k)).hexdigest().encode() for k in range(100))
        when = BEGIN + timedelta(minutes=number)
        row = made.add(Capture(url=url, date=when, request=b"GET / HTTP/1.1\r\n\r\n", head=HEAD, body=body))
        made.add_text(row, Text(url=url, text=f"words {number} {n}", markdown="x", title="T"))
    return made.seal()


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds of a call."""
    cpu, wall = time.process_time(), time.monotonic()
    call()
    return time.process_time() - cpu, time.monotonic() - wall


def appended(archive: Archive, batches: list[Sealed]) -> list[tuple[float, int]]:
    """CPU seconds that the log adds to each commit, and its records."""
    found = []
    log = archive.writer.log
    original, spent = log.append, [0.0]

    def watched(entries: object) -> None:
        spent[0], _ = timed(lambda: original(entries))

    log.append = watched
    for one in batches:
        archive.writer.commit_and_release(one)
        records = sum(len(members) // 32 for members in one.members.values())
        found.append((spent[0], records))
    log.append = original
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--bundles", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-evidence-") as folder:
        archive = Archive.open(ArchiveSettings(home=Path(folder)))
        cpu, wall = timed(lambda: fill(archive, given.leaves, 1_000))
        print(f"a log of {given.leaves:,} leaves: {cpu:.0f} s CPU, {wall:.0f} s, "
              f"database {(Path(folder) / 'pressmark.db').stat().st_size / 1e6:,.0f} MB")  # fmt: skip

        few = appended(archive, [batch(archive, n, 1) for n in range(20)])
        many = appended(archive, [batch(archive, 100 + n, 100) for n in range(10)])
        print(f"a commit of one page with its text: {milliseconds([cpu for cpu, _ in few])} CPU for the log")
        print(f"a commit of 100 of them: {milliseconds([cpu for cpu, _ in many])} CPU for the log")
        each = median(cpu / records for cpu, records in many)
        print(f"that is {each * 1e3:.4f} ms a record")

        engine = archive.index.engine
        (name,) = log_rows.heads(engine)
        size = log_rows.heads(engine)[name].edge.size
        paths, proofs = [], []
        for n in range(given.bundles):
            number = n * (size // given.bundles)
            tree = Tiled(partial(log_rows.tile, engine, name))
            paths.append(timed(lambda tree=tree, number=number: inclusion(tree, number, size))[0])
            proofs.append(timed(lambda tree=tree, number=number: consistency(tree, number + 1, size))[0])
        print(f"path of a leaf: {milliseconds(paths)}; consistency: {milliseconds(proofs)} CPU")

        rows = [archive.find(f"http://blog{n % 100}.example/{100 + n // 100}") for n in range(given.bundles)]
        whole = [timed(lambda row=row: Proofs(archive).of(row))[0] for row in rows]
        print(f"proof of a capture, from record to newest root: {milliseconds(whole)} CPU")
        bundles, checks = [], []
        for n, row in enumerate(rows):
            out = Path(folder) / f"{n}.zip"
            now = datetime.now(UTC)
            bundles.append(
                timed(lambda row=row, out=out, now=now: write_bundle(archive, row.url, None, out, now=now))[0]
            )
            checks.append(timed(lambda out=out: verify_bundle.check(str(out), None, str))[0])
        print(f"bundle: {milliseconds(bundles)} CPU; its check: {milliseconds(checks)} CPU; "
              f"{median((Path(folder) / f'{n}.zip').stat().st_size for n in range(given.bundles)) / 1e3:.0f} kB")  # fmt: skip

        objects = sum(row.length for row in archive.index.objects() if row.length > 100_000)
        commits = [row for row in log_rows.commits(engine, name) if row.first >= given.leaves + 40]
        log_bytes = sum(row.length for row in commits)
        print(f"space: {log_bytes / 1e3:.0f} kB of log for {objects / 1e6:.1f} MB of objects, "
              f"{log_bytes / objects:.1%}")  # fmt: skip
        largest = archive.store.read(log_rows.commit_with(engine, name, 0).key)
        cpu, _ = timed(lambda: commits_of(largest))
        print(f"reading and verifying a log object with 1,000 leaves again: {cpu * 1e3:.0f} ms CPU")
        print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")
    slow = median(whole) > MOST_PROOF_SECONDS or each > MOST_APPEND_SECONDS
    return int(slow)


if __name__ == "__main__":
    raise SystemExit(main())
