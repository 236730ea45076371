"""SIGTERM at random instants: exit code 0 in time, nothing half done, nothing lost in the end.

A crawl of 500 posts, or the daemon that starts such crawls, is terminated again and again until the crawl is finished;
then everything stored is checked. Some signals arrive while the process is starting.
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
from contextlib import ExitStack
from pathlib import Path

import psutil
from kill import Tally, check, fetches, kept

from archive.archive import Archive
from archive.settings import ArchiveSettings

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from crawl import sample_urls

ALLOWED_SECONDS = 30
PRESSMARK = Path(sys.executable).with_name("pressmark")


def told_to_end(argv: list[str], settings: dict[str, str], after: float | None) -> tuple[int | None, float, list[str]]:
    """Exit code if it was terminated, how long that took, and the commands of processes that it left behind."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            argv, env={**os.environ, **settings}, start_new_session=True, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            code = process.wait(after)
            if code:
                said.seek(0)
                raise RuntimeError(f"ended by itself with {code}: {said.read()[-2000:]!r}")
        except subprocess.TimeoutExpired:
            early = not _listens(process.pid)
            process.send_signal(signal.SIGTERM)
        else:
            return None, 0.0, []
        began = time.monotonic()
        try:
            code = process.wait(ALLOWED_SECONDS * 2)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        took = time.monotonic() - began
    until = time.monotonic() + 5  # the forkserver ends by itself after its parent
    while (left := _of_session(process.pid)) and time.monotonic() < until:
        time.sleep(0.1)
    if early and code == -signal.SIGTERM:
        raise TooEarlyError
    commands = [" ".join(one.info["cmdline"] or [])[:100] for one in left]
    return code, took, commands


class TooEarlyError(Exception):
    """The interpreter had not reached our first line."""


def _listens(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM."""
    caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def _of_session(number: int) -> list[psutil.Process]:
    found = [one for one in psutil.process_iter(["cmdline", "status"]) if _session(one.pid) == number]
    return [one for one in found if one.info["status"] != psutil.STATUS_ZOMBIE]


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def run(what: str, times: int, seed: int, folder: Path) -> bool:
    """Terminate it `times` times; returns whether all went well."""
    chance = random.Random(seed)
    tally, slowest, rounds, told, early, whole = Tally(), 0.0, 0, 0, 0, 8.0
    codes: dict[int, int] = {}
    orphans: list[str] = []
    while told < times:
        rounds += 1
        home = folder / f"home-{rounds}"
        database = f"sqlite:///{home / 'pressmark.db'}"
        settings = {
            "PRESSMARK_HOME": str(home),
            "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
            "PRESSMARK_HOST_GAP": "0",
            "PRESSMARK_HOST_CONCURRENCY": "8",
            "PRESSMARK_BATCH_MEGABYTES": "0.3",
            "PRESSMARK_CRAWL_EVERY": "1s",
            "SCRAPY_SETTINGS_MODULE": "crawler.settings",
        }
        with ExitStack() as stack:
            sites, urls = sample_urls(stack, 50)
            subprocess.run([PRESSMARK, "add", *urls], env={**os.environ, **settings}, check=True, capture_output=True)
            wanted = {site.url + path for site in sites for path in site.pages if path.startswith("/20")}
            argv = [str(PRESSMARK), "crawl"] if what == "crawl" else [str(PRESSMARK), "up", "--port", "0"]
            done = False
            while not done:
                promised = kept(database)
                after = chance.uniform(0.02, whole) if told < times else None if what == "crawl" else 4 * whole
                began = time.monotonic()
                try:
                    code, took, left = told_to_end(argv, settings, after)
                except TooEarlyError:
                    early += 1
                    continue
                if code is None:
                    whole = min(whole, time.monotonic() - began)
                else:
                    told += 1
                    codes[code] = codes.get(code, 0) + 1
                    slowest = max(slowest, took)
                    orphans += left
                    if code:
                        print(f"ended with {code} when told after {after:.2f} s", flush=True)
                lost = promised - kept(database)
                tally.lost += len(lost)
                done = wanted <= kept(database)
            for site in sites:
                tally.refetched += max(
                    0, fetches([site]) - len({path for path in site.asked if path.startswith("/20")})
                )
            check(Archive.open(ArchiveSettings(home=home)), sites, promised, tally)
    print(
        f"{what}: told to end {told} times over {rounds} rounds, {early} more before Python had started: exit codes {codes}, slowest {slowest:.1f} s, left behind "
        f"{len(orphans)} processes; lost {tally.lost}, missing {tally.missing}, doubled {tally.doubled}, damaged "
        f"{tally.damaged}, refetched {tally.refetched}",
        flush=True,
    )
    for problem in [*tally.problems, *orphans][:20]:
        print(f"  {problem}")
    return not (
        set(codes) - {0} or slowest > ALLOWED_SECONDS or orphans
        or tally.lost or tally.missing or tally.doubled or tally.damaged
    )  # fmt: skip


def main() -> None:
    """Run, print; exit 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--what", choices=("crawl", "up"), default="crawl")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pressmark-stop-") as name:
        sys.exit(not run(given.what, given.times, given.seed, Path(name)))


if __name__ == "__main__":
    main()
