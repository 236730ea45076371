"""The hostile web: crawls each case of a manifest like an operator, and checks it against the limits stated there.

Runs itself in a network namespace with only loopback (as root). A page is crawled through a feed that links to it, a
feed through a list of subscriptions; a case with several runs is crawled several times. Checked are: seconds, memory
above that of a harmless page (all processes together), requests and bytes that the server received, bytes stored,
forbidden addresses, files and texts, the post's own words, the number of posts, and whether archive and frontier show
an outcome that the manifest allows.
"""

from __future__ import annotations

import argparse
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.settings import ArchiveSettings
from archive.warc import record as warc
from crawler.frontier.frontier import Frontier

FEEDS = ("127.10.254.1", 19_000)
CAP_SECONDS = 240
FEED = (
    "<rss version='2.0'><channel><title>Case</title><item><guid isPermaLink='false'>case</guid><link>{0}</link>"
    "<title>Case</title></item></channel></rss>"
)
LIST = "<opml version='2.0'><body><outline type='rss' text='Case' xmlUrl='{}'/></body></opml>"
MB = 1 << 20
_REFUSED = re.compile(r"private address|not on the public|robots\.txt|not an http or https|no http or https|left out")
_TOLD = re.compile(r"\d+ (?:captures|other records)|left out|is no |cannot|damaged")


class Feeds(BaseHTTPRequestHandler):
    """Serves at `/N` a feed that links to the page of case N."""

    pages: tuple[str, ...] = ()

    def do_GET(self) -> None:
        if not self.path.strip("/").isdigit():
            self.send_error(404)
            return
        body = FEED.format(self.pages[int(self.path.strip("/"))].replace("&", "&amp;")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def control(manifest: dict[str, Any], path: str) -> Any:
    with urllib.request.urlopen(manifest["control"] + path, timeout=60) as answer:
        return json.load(answer)


def memory(process: subprocess.Popen[bytes]) -> int:
    """Memory in bytes of a process and its descendants; shared memory counts once."""
    total = 0
    try:
        first = psutil.Process(process.pid)
        for one in (first, *first.children(recursive=True)):
            try:
                total += one.memory_full_info().pss
            except psutil.Error:
                continue
    except psutil.Error:
        return 0
    return total


def ran(argv: list[str], environment: dict[str, str]) -> tuple[int, float, int, str]:
    """Exit code, seconds, peak memory, output."""
    peak, began = 0, time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(argv, env=environment, stdout=out, stderr=out, start_new_session=True)
        while process.poll() is None:
            peak = max(peak, memory(process))
            if time.monotonic() - began > CAP_SECONDS:
                os.killpg(process.pid, 9)
            time.sleep(0.05)
        out.seek(0)
        said = out.read().decode("utf-8", "replace")
    return process.returncode, time.monotonic() - began, peak, said


def crawled(case: dict[str, Any], number: int, home: Path, material: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Run one case; returns the observations."""
    guard = home / "guard.jsonl"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PRESSMARK_")},
        "PRESSMARK_HOME": str(home),
        "PRESSMARK_ALLOW_NETWORKS": manifest["public_nets"],
        "PRESSMARK_FEED_INTERVAL": "0",
        "PRESSMARK_FEED_SLOWEST": "0",
        "PRESSMARK_RECHECK_PLAN": "1s",
        "PRESSMARK_HOST_GAP": "0",
        "HOSTILE_GUARD_LOG": str(guard),
        "PYTHONPATH": os.pathsep.join([str(material / "guard"), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    pressmark = str(Path(sys.executable).with_name("pressmark"))
    control(manifest, f"/reset?case={case['name']}")
    given = home / ("given.warc.gz" if case["kind"] == "warc" else "given.opml")
    again = [[pressmark, "crawl", "--force"]] * case["runs"]
    if case["kind"] in {"opml", "warc"}:
        with urllib.request.urlopen(case["url"], timeout=30) as answer:
            given.write_bytes(answer.read())
        control(manifest, f"/reset?case={case['name']}")
    if case["kind"] == "warc":
        commands = [[pressmark, "import", str(given)]]
    elif case["kind"] == "page":
        target = f"http://{FEEDS[0]}:{FEEDS[1]}/{number}"
        commands = [[pressmark, "crawl", target], *again[1:]]
    else:
        if case["kind"] == "feed":
            given.write_text(LIST.format(html.escape(case["url"])))
        commands = [[pressmark, "import-opml", str(given)], *again]
    seconds, peak, codes, said = 0.0, 0, [], []
    for command in commands:
        code, took, grew, heard = ran(command, environment)
        seconds, peak = max(seconds, took), max(peak, grew)
        codes.append(code)
        said.append(heard)
        time.sleep(1.2)
    stats = control(manifest, f"/stats.json?case={case['name']}")[case["name"]]
    noted = [json.loads(line) for line in guard.read_text().splitlines()] if guard.exists() else []
    return {
        "seconds": seconds,
        "peak": peak,
        "codes": codes,
        "said": "\n".join(said),
        "stats": stats,
        "leaks": sorted({str(one.get("addr") or one.get("path")) for one in noted if one.get("leak")}),
    }


def outcomes(case: dict[str, Any], seen: dict[str, Any], home: Path) -> set[str]:
    """Outcomes of a case, according to the archive, the frontier and the command's output."""
    archive = Archive.open(ArchiveSettings(home=home))
    now, ours = time.time() * 1_000_000, {urlsplit(case["url"]).hostname, *case["hosts"]}
    with archive.index.engine.connect() as connection:
        captures = [
            row
            for row in connection.exec_driver_sql("SELECT url, status, truncated, kind, record FROM captures")
            if urlsplit(row.url).hostname in ours and not row.url.endswith("/robots.txt")
        ]
        texts = connection.exec_driver_sql("SELECT url FROM texts").fetchall()
        pages = connection.exec_driver_sql("SELECT url, status, error, due FROM pages").fetchall()
        feeds = connection.exec_driver_sql("SELECT url, status, error, due FROM feeds").fetchall()
        waits = connection.exec_driver_sql("SELECT scope FROM holds").fetchall()
        gone = connection.exec_driver_sql("SELECT kind FROM alarms WHERE kind = 'gone'").fetchall()
    rows = [*pages, *(row for row in feeds if case["kind"] != "page")]
    errors = " ".join(row.error for row in rows if row.error)
    later = any(row.due and row.due > now for row in rows)
    found = {
        "archived": bool(texts) or (case["kind"] in {"feed", "opml", "warc"} and any(c.status == 200 for c in captures) and not errors),
        "archived_flagged": any(c.truncated for c in captures) or (bool(captures) and bool(errors)),
        "recorded": bool(captures) or (case["kind"] in {"opml", "warc"} and bool(_TOLD.search(seen["said"]))),
        "not_modified": any(c.status == 304 or c.kind == "revisit" for c in captures),
        "retry_later": later and (bool(waits) or "out of reach" in errors or any(row.status in {429, 503} for row in rows)),
        "gone": bool(gone) or any(row.status in {404, 410} for row in rows),
        "refused": bool(_REFUSED.search(errors + seen["said"])),
        "failed": bool(errors) or (case["kind"] in {"opml", "warc"} and any(seen["codes"])),
    }  # fmt: skip
    return {name for name, holds in found.items() if holds}


def judged(case: dict[str, Any], seen: dict[str, Any], home: Path, idle: int) -> list[str]:
    """Limits that were broken."""
    limits, stats, bad = case["limits"], seen["stats"], []
    if any(code < 0 or "Traceback" in seen["said"] for code in seen["codes"]):
        bad.append("CRASH")
    if seen["seconds"] > limits["seconds"]:
        bad.append(f"SECONDS {seen['seconds']:.0f}")
    if (grown := (seen["peak"] - idle) / MB) > limits["rss_mb"]:
        bad.append(f"MEMORY {grown:.0f}")
    if stats["requests"] > limits["requests"]:
        bad.append(f"REQUESTS {stats['requests']}")
    if stats["bytes_sent"] > limits["wire_bytes"]:
        bad.append(f"WIRE {stats['bytes_sent']}")
    stored = sum(path.stat().st_size for path in (home / "store").rglob("*") if path.is_file())
    if stored > limits["stored_bytes"]:
        bad.append(f"STORED {stored}")
    if stats["canary_hits"] or seen["leaks"]:
        bad.append(f"LEAK {seen['leaks']}")
    if stats["auth_headers_seen"]:
        bad.append("CREDENTIALS")
    archive = Archive.open(ArchiveSettings(home=home))
    texts: dict[str, set[str]] = {}
    words = ""
    with archive.index.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT url, digest FROM texts").fetchall()
    for url, digest in rows:
        texts.setdefault(url, set()).add(digest)
        try:
            held = archive.text(url)
        except ArchiveError as e:
            bad.append(f"UNREADABLE {e}")
            continue
        words += held.text + str(held.fields.get("title") or "") + "\n"
    bad += [f"LOST {want[:30]}" for want in case["text_must_contain"] if want not in words]
    bad += [
        f"TEXT {never[:30]}"
        for never in case["text_must_not_contain"]
        if never in words or any(never in url for url in texts)
    ]
    bad += [f"FILE {path}" for path in case["fs_must_not_exist"] if Path(path).exists()]
    wanted = case["posts"] or {}
    posts = len(texts)
    if not wanted.get("min", 0) <= posts <= wanted.get("max", 1 << 30) or wanted.get("exact", posts) != posts:
        bad.append(f"POSTS {posts} of {wanted}")
    if "versions" in wanted and max(map(len, texts.values()), default=0) > wanted["versions"]:
        bad.append("VERSIONS")
    if "feeds" in wanted:
        read = sum(1 for feed in Frontier.open(f"sqlite:///{home / 'pressmark.db'}").feeds() if feed.status == 200)
        if read != wanted["feeds"]:
            bad.append(f"FEEDS {read}")
    if not (told := outcomes(case, seen, home)) & set(case["outcome"]):
        bad.append(f"OUTCOME {sorted(told)} not {case['outcome']}")
    secrets = (b"FILE-CANARY", b"NET-CANARY", b"s3cr3tpass")
    for path in (
        one for one in home.rglob("*") if one.is_file() and one.name != "guard.jsonl" and "given" not in one.name
    ):
        data = path.read_bytes()
        if path.name.endswith(".warc.gz"):
            data = b"".join(
                record.block + str(record.headers).encode()
                for record in warc.read(io.BytesIO(data))
                if f"//{FEEDS[0]}" not in (record.get("WARC-Target-URI") or "")  # the feed that names the case is ours
            )
        bad += [f"SECRET in {path.relative_to(home)}" for secret in secrets if secret in data]
    if any(ord(c) < 0x20 and c not in "\n\t" for c in seen["said"]):
        bad.append("CONTROL characters in the log")
    return bad


def main() -> None:
    """Run, print; exit 1 if a case broke a limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("material", type=Path, help="folder with hostile_web.py, manifest.json and guard/")
    parser.add_argument("--only", default="", help="names of cases, with commas between")
    parser.add_argument("--keep", type=Path, help="keep the archives here")
    arguments = parser.parse_args()
    if os.environ.get("HOSTILE_INSIDE") != "1":
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as resolver:
            resolver.write("nameserver 127.10.0.53\noptions timeout:3 attempts:1\n")
            resolver.flush()
            inner = 'ip link set lo up; mount --bind "$0" /etc/resolv.conf; exec "$@"'
            argv = ["unshare", "-nm", "sh", "-c", inner, resolver.name, sys.executable, *sys.argv]
            sys.exit(subprocess.run(argv, env={**os.environ, "HOSTILE_INSIDE": "1"}, check=False).returncode)
    material = arguments.material.resolve()
    manifest = json.loads((material / "manifest.json").read_text())
    only = set(filter(None, arguments.only.split(",")))
    cases = [case for case in manifest["cases"] if not only or case["name"] in only]
    keep = arguments.keep or Path(tempfile.mkdtemp(prefix="pressmark-hostile-"))
    state = keep / "state"
    state.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(
        [sys.executable, str(material / "hostile_web.py"), "--dns-port", "53"],
        stdout=subprocess.PIPE, env={**os.environ, "HOSTILE_STATE": str(state)},
    )  # fmt: skip
    assert server.stdout
    server.stdout.readline()
    harmless = next(case for case in manifest["cases"] if case["name"] == "early_hints")
    Feeds.pages = tuple(case["url"] for case in [harmless, *cases])
    feeds = ThreadingHTTPServer(FEEDS, Feeds)
    threading.Thread(target=feeds.serve_forever, daemon=True).start()
    broken = 0
    try:
        home = keep / "idle"
        home.mkdir()
        idle = crawled(harmless, 0, home, material, manifest)["peak"]
        print(f"a harmless page takes {idle / MB:.0f} MB", flush=True)
        for number, case in enumerate(cases, start=1):
            home = keep / case["name"]
            home.mkdir()
            seen = crawled(case, number, home, material, manifest)
            bad = judged(case, seen, home, idle)
            broken += bool(bad)
            (home / "said.txt").write_text(seen["said"])
            verdict = "BROKE" if bad else "ok"
            print(
                f"{verdict:5} {case['name']:24} {seen['seconds']:5.1f} s {(seen['peak'] - idle) / MB:5.0f} MB "
                f"{seen['stats']['requests']:4} requests {'; '.join(bad)}",
                flush=True,
            )
    finally:
        server.terminate()
        server.wait()
        if not arguments.keep:
            shutil.rmtree(keep)
    print(f"{len(cases) - broken} of {len(cases)} cases within their limits")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
