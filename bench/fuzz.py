"""Fuzzing of everything that parses input from the web: only documented errors, no hangs.

Each target runs in a separate process until the time is over, seeded with the tests' samples or the files below
`--corpus`.
"""

from __future__ import annotations

import argparse
import io
import logging
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sample.blogs import BLOGS

TOO_LONG_SECONDS = 20
TOKENS = (
    b"<", b">", b"</div>", b"<![CDATA[", b"]]>", b"&#0;", b"&#xd800;", b"&amp;", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"\0", b"\xff\xfe",
    b"\xed\xa0\x80", b"\xf0\x9f\x92\xa3", b'"', b"'", b"http://[", b"9" * 30, b"-1", b"%00", b"\r\n\r\n", b"WARC/1.1\r\n", b"Content-Length: 99999999999\r\n",
    b"{", b"[" * 50, b"*", b"(", b"title:", b"OR", b"NOT", b"NEAR(", b"<script>", b"<table>", b"<td colspan=99999>", b"\x1f\x8b\x08",
)  # fmt: skip
PLAIN = ("2024", "2024-05-31T12:00:00Z", "20240531120000", "url=example.org/*&filter=!statuscode:4..&collapse=timestamp:8&limit=-5",
         'bell "a phrase" pre* -not title:x OR site:y after:2020', "http://blog.example/2024/post?x=y#z")  # fmt: skip


class TooLongError(Exception):
    """A call did not end."""


def seeds(corpus: Path | None) -> list[bytes]:
    found = [answer.body for blog in BLOGS for answer in blog.pages("http://127.0.0.1:1").values()]
    if corpus:
        paths = [path for path in corpus.rglob("*") if path.is_file() and path.stat().st_size < 300_000]
        found += [path.read_bytes() for path in random.Random(1).sample(paths, min(len(paths), 1_500))]
    return found


def mutated(chance: random.Random, stock: list[bytes]) -> bytes:
    data = bytearray(chance.choice(stock))
    for _ in range(chance.choice((0, 1, 1, 2, 4, 16))):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            data[at:at] = chance.choice(TOKENS) * chance.choice((1, 1, 3, 500))
        elif kind == 1 and data:
            data[at % len(data)] = chance.randrange(256)
        elif kind == 2:
            del data[at : at + chance.choice((1, 10, 1_000))]
        elif kind == 3:
            other = chance.choice(stock)
            begin = chance.randrange(len(other) + 1)
            data[at:at] = other[begin : begin + chance.choice((20, 2_000))]
        elif kind == 4:
            data[at:at] = data[at : at + chance.choice((10, 500))] * chance.choice((2, 20))
        else:
            del data[at:]
    return bytes(data[:600_000])


def targets() -> dict[str, tuple[Callable[[bytes], object], tuple[type[BaseException], ...], bool]]:
    """By name: the function to call, its documented errors, whether its input is a line."""
    from archive.archive import Archive
    from archive.errors import ExtractError
    from archive.extract.pipeline import extract
    from archive.extract.requisites import requisites
    from archive.reader.diff import differences
    from archive.reader.text_edits import text_edits
    from archive.runtime.times import parse_moment
    from archive.search.query import parse
    from archive.search.search import Search
    from archive.settings import ArchiveSettings
    from archive.warc import record
    from archive.warc.members import members
    from archive.web import cdx_query
    from archive.web.memento_path import dated, read_http_date
    from archive.web.sanitize import media, plain
    from crawler import discover, feeds
    from crawler.errors import FeedError

    archive = Archive.open(ArchiveSettings(home=Path(tempfile.mkdtemp(prefix="pressmark-fuzz-"))))
    search = Search(archive)
    url, now = "http://blog.example/post", datetime(2026, 1, 1, tzinfo=UTC)

    def text(data: bytes) -> str:
        return data.decode("utf-8", "replace")

    def query(data: bytes) -> object:
        return search.find(parse(text(data)))

    def page(data: bytes) -> object:
        kept = media(data, url=url, content_type=None)
        shown = plain(data, url=url, content_type=None, stamp="20260101000000", kept=kept)
        low = shown.lower()
        if "<script" in low or "<iframe" in low:
            raise AssertionError(shown[:500])
        return requisites(data, url=url, content_type=None)

    def line(data: bytes) -> object:
        pairs = [tuple(part.partition("=")[::2]) for part in text(data).split("&")]
        dated(text(data))
        return cdx_query.parse(pairs)

    return {
        "feeds": (lambda data: feeds.parse(data, url=url, content_type=None), (FeedError,), False),
        "discovery": (lambda data: discover.feeds(data, url=url, headers={}), (), False),
        "extraction": (lambda data: extract(payload=data, url=url, date=now), (ExtractError,), False),
        "warc": (lambda data: list(record.read(io.BytesIO(data))), (ValueError,), False),
        "members": (lambda data: list(members(io.BytesIO(data))), (), False),
        "page": (page, (), False),
        "differences": (lambda data: differences(text(data[:4_000]), text(data[2_000:6_000])), (), False),
        "edits": (lambda data: text_edits(text(data[:4_000]), text(data[2_000:6_000])), (), False),
        "cdx": (line, (ValueError,), True),
        "time": (lambda data: parse_moment(text(data)), (ValueError,), True),
        "http date": (
            lambda data: read_http_date(text(data)),
            (ValueError, TypeError, IndexError, OverflowError),
            True,
        ),
        "search": (query, (ValueError,), True),
    }


def fuzz(name: str, minutes: float, corpus: Path | None, seed: int) -> int:
    """Call a target until the time is over; returns the number of calls, or -1 after a fault."""
    logging.disable(logging.CRITICAL)
    call, documented, is_line = targets()[name]
    stock = [one.encode() for one in PLAIN] if is_line else seeds(corpus)
    chance = random.Random(seed)

    def late(*_: object) -> None:
        raise TooLongError

    signal.signal(signal.SIGPROF, late)
    until, calls = time.monotonic() + minutes * 60, 0
    while time.monotonic() < until:
        data = mutated(chance, stock)
        signal.setitimer(signal.ITIMER_PROF, TOO_LONG_SECONDS)  # CPU time: others use this machine
        try:
            call(data)
        except documented:
            pass
        except BaseException:
            signal.setitimer(signal.ITIMER_PROF, 0)
            path = Path(tempfile.gettempdir()) / f"pressmark-fuzz-{name}-{os.getpid()}"
            path.write_bytes(data)
            print(f"{name}: input in {path}\n{traceback.format_exc(limit=-6)}", flush=True)
            return -1
        signal.setitimer(signal.ITIMER_PROF, 0)
        calls += 1
    print(f"{name}: {calls} calls in {minutes:g} minutes, no fault", flush=True)
    return calls


def run(name: str, minutes: float, corpus: Path | None, seed: int) -> None:
    sys.exit(0 if fuzz(name, minutes, corpus, seed) >= 0 else 1)


def main() -> None:
    """Run, print; exit 1 if something broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    waiting = [name for name in targets() if not arguments.only or name in arguments.only.split(",")]
    running: list[multiprocessing.Process] = []
    failed = 0
    while waiting or running:
        while waiting and len(running) < arguments.jobs:
            name = waiting.pop(0)
            process = multiprocessing.Process(
                target=run, args=(name, arguments.minutes, arguments.corpus, arguments.seed), name=name
            )
            process.start()
            running.append(process)
        for process in list(running):
            process.join(0.5)
            if process.exitcode is not None:
                running.remove(process)
                failed += process.exitcode != 0
                if process.exitcode not in {0, 1}:
                    print(f"{process.name}: crashed, exit {process.exitcode}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
