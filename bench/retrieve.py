"""Retrieval: mementos at a steady rate and at full throughput beside pywb, a long TimeMap, search, pages.

The archive has 1,000,000 captures in its index: 200,000 short posts with texts, 2,000 pages of realistic size, one page
with 10,000 captures, and rows that point to the same records under other URLs.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import httpx
from sample.services import BIN, PYWB, end, pywb
from unchanged import weighted

from archive.archive import Archive
from archive.extract.text import Text
from archive.settings import ArchiveSettings
from archive.warc.capture import Capture

T0 = datetime(2024, 1, 1, tzinfo=UTC)
LONG = "http://long.example/page"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nServer: bench\r\n\r\n"


def words(chance: random.Random, stock: list[str], weights: list[float], count: int) -> str:
    said = chance.choices(stock, cum_weights=weights, k=count)
    return " ".join(said)


def captured(url: str, at: datetime, body: bytes) -> Capture:
    return Capture(url=url, date=at, request=b"GET / HTTP/1.1\r\n\r\n", head=HEAD, body=body)


def make(home: Path, *, texts: int, pages: int, rows: int) -> None:
    """Create an archive in a folder."""
    archive = Archive.open(ArchiveSettings(home=home))
    chance = random.Random(7)
    letters = "abcdefghijklmnoprstuvw"
    stock = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(30_000)]
    weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(stock))))
    made = 0
    began = time.monotonic()
    for part in range(0, texts, 5_000):
        batch = archive.writer.batch(now=T0)
        for number in range(part, min(part + 5_000, texts)):
            url = f"http://blog{number % 200}.example/{number // 200}/"
            said = words(chance, stock, weights, 150)
            row = batch.add(captured(url, T0 + timedelta(seconds=number), f"<p>{said}</p>".encode()))
            title = words(chance, stock, weights, 5)
            batch.add_text(
                row, Text(url=url, text=said, markdown=said, title=title, author=f"Author {number % 97}", language="en")
            )
        sealed = batch.seal()
        archive.writer.commit(sealed)
        archive.writer.release(sealed)
        made += 5_000
        print(f"\r{made} texts, {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
    batch = archive.writer.batch(now=T0)
    template = b"<html><head><title>A page</title></head><body><article><p>Words.</p></article></body></html>"
    for number in range(pages):
        page = weighted(template, f"page {number}")
        batch.add(captured(f"http://world{number % 20}.example/{number}", T0 + timedelta(hours=number), page))
    for number in range(10_000):
        batch.add(captured(LONG, T0 + timedelta(minutes=number), b"<p>%d</p>" % (number // 100)))
    sealed = batch.seal()
    archive.writer.commit(sealed)
    archive.writer.release(sealed)
    more = rows - archive.index.counts()["captures"]
    with sqlite3.connect(home / "pressmark.db") as database:
        database.execute(
            "CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < ?) SELECT i FROM c",
            (max(1, more),),
        )
        database.execute(
            "CREATE TEMP TABLE some AS SELECT row_number() OVER () - 1 AS i, * FROM captures WHERE url LIKE 'http://blog%' LIMIT 1000"
        )
        if more > 0:
            database.execute(
                "INSERT INTO captures SELECT '<urn:uuid:made-' || n.i || '>', 'example,made' || (n.i % 5000) || ')/' || (n.i / 5000), some.date, "
                "'http://made' || (n.i % 5000) || '.example/' || (n.i / 5000), some.status, some.mime, some.digest, some.kind, some.refers_to, "
                'some.truncated, some.object_id, some."offset", some.length FROM n JOIN some ON some.i = n.i % 1000'
            )
        database.execute("ANALYZE")
    print(f"\nmade in {time.monotonic() - began:.0f} s: {archive.index.index.counts()}", file=sys.stderr)


def served(home: Path, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    argv = [str(BIN / "pressmark"), "serve", "--port", "0", *options]
    process = subprocess.Popen(
        argv, env={**os.environ, "PRESSMARK_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout
    return process, process.stdout.readline().decode().split()[-1]


def mementos(pages: int) -> list[str]:
    """Paths of the large pages' payloads below a collection."""
    found = []
    for number in range(pages):
        moment = T0 + timedelta(hours=number)
        found.append(f"{moment:%Y%m%d%H%M%S}id_/http://world{number % 20}.example/{number}")
    return found


async def steady(base: str, paths: list[str], *, rate: float, seconds: float) -> list[float]:
    """Milliseconds of each response; requests start on schedule, whether or not earlier ones are answered."""
    host, port = base.removeprefix("http://").split(":")
    times: list[float] = []
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def one(path: str) -> None:
        reader, writer = idle.pop() if idle else await asyncio.open_connection(host, int(port))
        began = time.perf_counter()
        writer.write(f"GET /web/{path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        times.append((time.perf_counter() - began) * 1e3)
        idle.append((reader, writer))

    chance = random.Random(3)
    begin = time.perf_counter()
    tasks = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one(chance.choice(paths))))
    await asyncio.gather(*tasks)
    for _, writer in idle:
        writer.close()
    return times


def share(times: list[float], part: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


def throughput(base: str, paths: list[str], *, seconds: int, connections: int) -> float:
    """Requests per second, measured with wrk over all paths in turn."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        listed = ",".join(f'"{path}"' for path in paths)
        script.write(
            f"local p = {{{listed}}}\nlocal n = 0\nrequest = function()\n n = n % #p + 1\n return wrk.format('GET', p[n])\nend\n"
        )
        script.flush()
        done = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "-s", script.name, base],
            capture_output=True,
            text=True,
            check=True,
        )
    if "Non-2xx" in done.stdout:
        sys.exit(done.stdout)
    return next(float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("Requests/sec"))


def collection(home: Path, folder: Path) -> dict[str, str]:
    """pywb's configuration for the object with the large pages."""
    index = folder / "index"
    index.mkdir()
    lines = sorted(
        line
        for path in (home / "store" / "index").rglob("*.cdxj")
        for line in path.read_bytes().splitlines(keepends=True)
        if b",world" in line[:20]
    )
    (index / "pages.cdxj").write_bytes(b"".join(lines))
    return {"index_paths": str(index), "archive_paths": f"{home}/store/"}


def queries(home: Path) -> list[str]:
    """Search queries: common, less common and rare words; phrases, prefixes, fields, filters."""
    archive = Archive.open(ArchiveSettings(home=home))
    chance = random.Random(11)
    found = []
    for _ in range(200):
        number = chance.randrange(10_000)
        said = archive.text(f"http://blog{number % 200}.example/{number // 200}/").text.split()
        at = chance.randrange(len(said) - 8)
        found += [
            said[at],
            f"{said[at]} {said[at + 3]}",
            '"' + " ".join(said[at : at + 6]) + '"',
            f"{said[at + 1][:4]}*",
            f"title:{said[at + 2]}",
            f"{said[at]} site:blog{number % 200}.example",
            f"{said[at]} author:{number % 97} -{said[at + 5]}",
            f"{said[at]} after:2024-01-02 before:2024-01-03",
        ]
    return found


def main() -> None:
    """Create the archive, measure, print; exit 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="keep the archive here, or use the one that is here")
    parser.add_argument("--texts", type=int, default=200_000)
    parser.add_argument("--pages", type=int, default=2_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    missed: list[str] = []

    def told(what: str, value: float, unit: str, *, below: float | None = None, above: float | None = None) -> None:
        wanted = f" (wanted: below {below})" if below else f" (wanted: at least {above})" if above else ""
        print(f"{what}: {value:.1f} {unit}{wanted}", flush=True)
        if (below is not None and value >= below) or (above is not None and value < above):
            missed.append(what)

    with tempfile.TemporaryDirectory() as temporary:
        home = arguments.home or Path(temporary) / "home"
        if not (home / "pressmark.db").exists():
            make(home, texts=arguments.texts, pages=arguments.pages, rows=arguments.rows)
        paths = mementos(arguments.pages)
        process, base = served(home)
        try:
            httpx.get(f"{base}/web/{paths[0]}")
            times = asyncio.run(steady(base, paths, rate=50, seconds=arguments.seconds))
            told("memento at 50 requests/s, p50", share(times, 0.5), "ms", below=5)
            told("memento at 50 requests/s, p99", share(times, 0.99), "ms", below=25)
            spans = []
            for _ in range(5):
                began = time.perf_counter()
                answer = httpx.get(f"{base}/web/timemap/link/{LONG}", timeout=60)
                spans.append((time.perf_counter() - began) * 1e3)
                assert answer.text.count('memento"; datetime') == 10_000
            told("TimeMap of 10,000", statistics.median(spans), "ms", below=300)
            asked = queries(home)
            spans = []
            with httpx.Client(timeout=60) as client:
                for query in asked:
                    began = time.perf_counter()
                    answer = client.get(f"{base}/api/search", params={"q": query})
                    spans.append((time.perf_counter() - began) * 1e3)
                    assert answer.status_code == 200, answer.text
                told("search, p50", share(spans, 0.5), "ms")
                told("search, p95", share(spans, 0.95), "ms", below=100)
                post = "http://blog7.example/7/"
                pages = ["/", "/blogs", "/blog/blog7.example", f"/post/{post}", f"/diff/{post}", f"/exchange/2/{post}", "/search",
                         "/search?q=ab", f"/web/*/{post}", f"/web/*/{LONG}", f"/post/{LONG}", "/feeds", "/jobs"]  # fmt: skip
                for path in pages:
                    spans = []
                    for _ in range(5):
                        began = time.perf_counter()
                        answer = client.get(base + path)
                        spans.append((time.perf_counter() - began) * 1e3)
                    told(f"page {path}, {len(answer.content) / 1e3:.0f} kB", statistics.median(spans), "ms", below=100)
                    if len(answer.content) >= 150_000:
                        missed.append(f"size of {path}")
        finally:
            end(process)
        spans = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run(
                [str(BIN / "pressmark"), "get", "http://blog7.example/7/"],
                env={**os.environ, "PRESSMARK_HOME": str(home)}, stdout=subprocess.DEVNULL, check=True,
            )  # fmt: skip
            spans.append((time.perf_counter() - began) * 1e3)
        told("pressmark get", statistics.median(spans), "ms", below=400)
        if (PYWB / "wayback").exists() and shutil.which("wrk"):
            process, base = served(home, "--workers", str(arguments.workers))
            folder = Path(temporary) / "pywb"
            folder.mkdir()
            seconds = arguments.seconds // 2
            try:
                with pywb(folder, collection(home, folder)) as port:
                    theirs, ratios = f"http://127.0.0.1:{port}", []
                    for _ in range(3):
                        ours = throughput(base, [f"/web/{path}" for path in paths], seconds=seconds, connections=8)
                        pywbs = throughput(theirs, [f"/ours/{path}" for path in paths], seconds=seconds, connections=8)
                        print(f"raw mementos: {ours:.0f}/s, pywb {pywbs:.0f}/s, {ours / pywbs:.1f} times", flush=True)
                        ratios.append(ours / pywbs)
                told("raw mementos against pywb", statistics.median(ratios), "times", above=8)
            finally:
                end(process)
    if missed:
        sys.exit("missed: " + ", ".join(missed))


if __name__ == "__main__":
    main()
