"""Make a saved archive: `tests/saved/VERSION.tar.gz`, and in `VERSION.json` what that version answered about it.

Run it once for each release, in a checkout of the release, before the version is raised:

    sudo unshare --uts sh -c "hostname archive.example && PYTHONPATH=$PWD .venv/bin/python tests/saved/make.py"

The other host name is there because WARC files name the host that wrote them. It takes some minutes. Commit the two
files; `tests/test_saved_archive.py` finds them by itself. They are never made anew: a file that today's code can write
says nothing about yesterday's. `VERSION` is that of `pyproject.toml`; for an older release, check it out and copy this
file and `tests/sample/saved.py` into it.

The archive is made through the command line alone, from blogs of our own on 127.91.0.0/24: an RSS, an Atom and a JSON
feed; posts with up to three versions, posts that are gone, one of which came back; revisits of both kinds; feeds that
are paused, broken, gone, moved, told to be left alone, behind a password, pushed by a hub; a backfill, and the profile
of a site that it taught; imported captures with texts made afterwards; images; jobs of a daemon that was killed in
the middle of a crawl, so that runs, turns, claims, APScheduler's job store and a batch in the spool are as a crash
leaves them.

The tar holds `home` (PRESSMARK_HOME) and `web.json` (what the blogs answered at the end, so that they can be served
again). Only one thing is changed behind Pressmark's back: the path of the interpreter in `runs.argv`, which would
name the machine on which this ran.

`VERSION.json` has `stages`: the archive as it was saved, after `pressmark seal`, and after `pressmark reindex` into
an empty database. Each is asked twice, on copies; an answer that differs between the two depends on the clock, and is
an error here.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import sys
import tarfile
import tempfile
import threading
import time
import tomllib
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import PROJECT, Home, Ran
from sample import saved
from sample.blogs import LETTERPRESS, MEADOW, TIDE, Blog, Post, atom, handmade, rss
from sample.server import Answer, Site
from sample.services import wait_for

PORT = 18091
JOBS = ("crawl", "recheck", "backfill", "seal", "verify", "compact", "stamp", "websub", "housekeeping", "tell")
HOSTNAME = "archive.example"
DAY = timedelta(days=1)
AGAIN_SECONDS = 15
"""Between two looks at a post; a run goes on until none is due."""
MAKING = {
    "PRESSMARK_FEED_INTERVAL": "1",
    "PRESSMARK_FEED_SLOWEST": "1",
    "PRESSMARK_RECHECK_PLAN": f"{AGAIN_SECONDS}s",
    "PRESSMARK_REQUISITES": "1",
    "PRESSMARK_HOST_CONCURRENCY": "1",
}
MISSING = Answer(b"<h1>Not found</h1>", status=404, validators=False)
PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00"
    b"\x01\x00\x00\x02\x02D\x01\x00;"
)
IMPORTED = "http://old-letters.example/2019/05/the-first-letter/"
QUERIES = ("bell", '"low water"', "title:letter", "author:marchetti", "tag:scythe OR ink", "site:127.91.0.2 type")
IMPORTED_AT = "2019-05-06T07:08:09Z"


def host(number: int) -> str:
    return f"127.91.0.{number}"


def url(number: int) -> str:
    return f"http://{host(number)}:{PORT}"


# -- blogs beside the three sample blogs


def letters(count: int, name: str) -> tuple[Post, ...]:
    """Posts of a blog that ends each of them in the same words, newest first."""
    prose = [paragraph for blog in (TIDE, LETTERPRESS, MEADOW) for post in blog.posts for paragraph in post.words]
    prose = [paragraph for paragraph in prose if len(paragraph) > 100]
    return tuple(
        Post(
            slug=f"letter-{number}", title=f"Letter {number} of {name}", author="Signe Aalto",
            published=datetime(2026, 1, 1, 9, tzinfo=UTC) + number * DAY, category="Letters", tags=("post",),
            body="<p>{}</p><p>{}</p><p>This letter goes out on Fridays to whoever asked for it by post.</p>".format(
                *(prose[(2 * number + k) % len(prose)] for k in range(2))
            ) + ('<p><img src="/pixel.gif" alt="a pixel"></p>' if number == count else ""),
        )
        for number in range(count, 0, -1)
    )  # fmt: skip


def showing(count: int, feed: Callable[[Blog, str], tuple[str, str, bytes]]) -> Callable[..., tuple[str, str, bytes]]:
    """A feed of the newest posts alone."""
    return lambda blog, root: feed(replace(blog, posts=blog.posts[:count]), root)


def pushed(blog: Blog, root: str) -> tuple[str, str, bytes]:
    """An Atom feed that names a hub."""
    path, kind, body = atom(blog, root)
    links = f'<link rel="hub" href="{url(20)}/hub"/><link rel="self" href="{root}{path}"/><link href="{root}/"'
    return path, kind, body.replace(f'<link href="{root}/"'.encode(), links.encode(), 1)


class Hub:
    """A WebSub hub that verifies what it is asked for, and keeps it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
                question = {
                    "hub.mode": "subscribe", "hub.topic": form["hub.topic"],
                    "hub.challenge": "yes", "hub.lease_seconds": "864000",
                }  # fmt: skip
                with urllib.request.urlopen(f"{form['hub.callback']}?{urlencode(question)}", timeout=20) as answer:
                    assert answer.read() == b"yes"
                hub.asked.append(form)
                self.send_response(202)
                self.end_headers()

            def log_message(self, fmt: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((host(20), PORT), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


# -- what happens


class Story:
    """The life of an archive."""

    def __init__(self, home: Home, stack: ExitStack) -> None:
        self.home = home
        self.sites: list[Site] = []
        self.tide = self.serve(1, TIDE)
        self.letterpress = self.serve(2, LETTERPRESS)
        self.meadow = self.serve(3, MEADOW)
        for answer in self.meadow.pages.values():
            answer.validators = False  # so that a page which comes again is found to be the same by its bytes
        bag = Blog(name="The Post Bag", theme=handmade, feed=showing(3, rss), posts=letters(8, "the bag"))
        self.archive = self.serve(4, bag)
        moved = Blog(name="Moved House", theme=handmade, feed=rss, posts=MEADOW.posts[:1])
        self.new_house, self.old_house = self.serve(6, moved), self.serve(5, moved)
        self.failing = self.serve(7, Blog(name="Leaky Roof", theme=handmade, feed=atom, posts=letters(1, "the roof")))
        self.private = self.serve(8, Blog(name="Members", theme=handmade, feed=atom, posts=letters(2, "the members")))
        self.busy = self.serve(9, Blog(name="Crowded", theme=handmade, feed=atom, posts=letters(1, "the crowd")))
        self.told = self.serve(10, Blog(name="Bellringers", theme=handmade, feed=pushed, posts=letters(2, "the bell")))
        self.gone = self.serve(11, Blog(name="Closed", theme=handmade, feed=atom, posts=letters(1, "the end")))
        self.late = Blog(name="Night Mail", theme=handmade, feed=atom, posts=letters(5, "the night"))
        self.night = self.serve(12, replace(self.late, posts=self.late.posts[3:]))
        self.hub = stack.enter_context(Hub())
        for site in self.sites:
            site.pages["/pixel.gif"] = Answer(PIXEL, "image/gif")
            stack.enter_context(site)

    def site(self, number: int) -> Site:
        self.sites.append(Site(host=host(number), port=PORT))
        return self.sites[-1]

    def serve(self, number: int, blog: Blog) -> Site:
        site = self.site(number)
        site.pages.update(blog.pages(site.url))
        return site

    def pressmark(self, *arguments: str, code: int = 0) -> Ran:
        began = time.monotonic()
        ran = self.home.pressmark(*arguments)
        print(f"{time.monotonic() - began:5.1f} s  pressmark {' '.join(arguments)[:100]}", file=sys.stderr)
        assert ran.code == code, (arguments, ran)
        return ran

    def begin(self) -> None:
        self.pressmark("crawl", *(f"{site.url}/" for site in (self.tide, self.letterpress, self.meadow)))

    def change(self) -> None:
        """A post is edited twice, another is gone for good, a third comes back."""
        path = LETTERPRESS.url_of(LETTERPRESS.posts[2])
        there = self.letterpress.pages[path]
        self.edit("It does not ring, nor blink since Friday.")
        self.letterpress.pages[path] = replace(MISSING, status=410)
        self.tide.pages[TIDE.url_of(TIDE.posts[2])] = MISSING
        self.recheck()
        self.edit("It has been mended, and rings for anybody who asks.")
        self.tide.pages[TIDE.url_of(TIDE.posts[2])] = MISSING
        self.letterpress.pages[path] = there
        self.home.settings["PRESSMARK_RECHECK_PLAN"] = "365d"
        self.recheck()

    def edit(self, words: str) -> None:
        self.tide.pages.update(TIDE.edited("the-bell-buoy", "It does not ring.", words).pages(self.tide.url))

    def subscribe(self) -> None:
        self.pressmark("crawl", f"{self.old_house.url}/feed/", f"{self.told.url}/", f"{self.archive.url}/")
        self.pressmark("crawl", *(f"{site.url}/" for site in (self.failing, self.busy, self.gone, self.night)))
        self.pressmark("crawl", f"http://reader:a%20secret@{host(8)}:{PORT}/feed.atom", "--force")
        assert any("authorization" in asked.headers for asked in self.private.log), "name and password are sent"
        self.pressmark("add", "--insecure", f"{self.private.url}/")
        there = f"{self.new_house.url}/feed/"
        self.old_house.pages["/feed/"] = Answer(b"", status=301, headers={"Location": there}, validators=False)
        self.pressmark("crawl", f"{self.old_house.url}/feed/", "--force")

    def recheck(self) -> None:
        time.sleep(AGAIN_SECONDS)
        self.pressmark("crawl", "--only", "rechecks")

    def go_wrong(self) -> None:
        """One feed fails for days, another ends, a third asks to be left alone."""
        self.failing.pages["/feed.atom"] = Answer(b"<h1>Error</h1>", status=500, validators=False)
        self.gone.pages["/feed.atom"] = replace(MISSING, status=410)
        self.busy.pages["/feed.atom"] = Answer(b"", status=429, headers={"Retry-After": "86400"}, validators=False)
        self.pressmark("crawl", "--force", "--only", "feeds")
        for _ in range(4):
            self.pressmark("crawl", f"{self.failing.url}/feed.atom", code=1)

    def bring_in(self, folder: Path) -> None:
        self.pressmark("backfill", f"{self.archive.url}/")
        page = letters(1, "the attic")[0]
        html = handmade(Blog(name="Attic", theme=handmade, feed=rss, posts=(page,)), page, "http://old-letters.example")
        path = folder / "old-letters.warc"
        path.write_bytes(_warc(html.encode()))
        self.pressmark("import", str(path))
        self.pressmark("extract", "--again", IMPORTED)

    def end_in_a_crash(self) -> None:
        """A daemon whose jobs have all run, then one that is killed with its crawl in the middle of a blog."""
        self.home.settings["PRESSMARK_CALLBACK"] = f"http://{host(21)}:{PORT}/websub"
        soon = {"PRESSMARK_VERIFY_EVERY": "1h", "PRESSMARK_VERIFY_SAMPLE": "50%", "PRESSMARK_HOUSEKEEPING_EVERY": "1h"}
        self.home.settings |= soon
        with saved.daemon(self.home, "--host", host(21), "--port", str(PORT)) as (process, said):
            wait_for(lambda: all(f"job ended name={job} outcome=done" in said() for job in JOBS), 180, process)
            process.terminate()
            process.wait()
        assert self.hub.asked, "the hub was asked for a subscription"
        for name in soon:
            del self.home.settings[name]
        pages = _Gated(self.late.pages(self.night.url), [self.late.url_of(post) for post in self.late.posts[:3]])
        self.night.pages = pages
        with saved.daemon(self.home, "--host", host(21), "--port", str(PORT)) as (process, said):
            wait_for(lambda: "daemon started" in said(), 30, process)
            wait_for(lambda: _answers(host(21)), 30, process)
            self.notify()
            wait_for(lambda: pages.waiting and _texts(self.home.path) >= len(pages.given), 60, process)
            process.kill()
            _kill_jobs(said())
            process.wait()
        self.spooled = [self.night.url + path for path in pages.given]
        self.unfetched = [self.night.url + path for path in pages.waiting]
        pages.gate.set()
        self.night.pages = dict(pages)

    def notify(self) -> None:
        """The hub tells of news; the daemon crawls at once."""
        form, body = self.hub.asked[-1], b"news"
        signature = hmac.new(form["hub.secret"].encode(), body, hashlib.sha256).hexdigest()
        status, _, _ = saved.fetch(form["hub.callback"], body, X_Hub_Signature=f"sha256={signature}")
        assert status == 202


class _Gated(dict[str, Answer]):
    """Pages of which the last of those that are waited for is not answered while the gate is closed."""

    def __init__(self, pages: dict[str, Answer], watched: Sequence[str]) -> None:
        super().__init__(pages)
        self._watched = watched
        self.gate = threading.Event()
        self.given: list[str] = []
        self.waiting: list[str] = []

    def get(self, path: str, default: Any = None) -> Any:
        if path in self._watched and not self.gate.is_set():
            if len(self.given) + 1 == len(self._watched):
                self.waiting.append(path)
                self.gate.wait(120)
            else:
                self.given.append(path)
        return super().get(path, default)


def _answers(address: str) -> bool:
    try:
        return saved.fetch(f"http://{address}:{PORT}/health")[0] == 200
    except OSError:
        return False


def _texts(home: Path) -> int:
    """Texts in the spool."""
    return sum(
        gzip.decompress(path.read_bytes()).count(b"WARC-Type: conversion") for path in home.glob("spool/text-*.open")
    )


def _kill_jobs(log: str) -> None:
    """Kill what a daemon that was killed had started and not seen end."""
    started = re.findall(r"job started name=(\w+) pid=(\d+)", log)
    for name in {name for name, _ in started}:
        if log.count(f"job ended name={name} ") < sum(other == name for other, _ in started):
            pid = next(int(pid) for other, pid in reversed(started) if other == name)
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


def _warc(page: bytes) -> bytes:
    """Another tool's file with one capture."""
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%b" % (
        len(page),
        page,
    )
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:5b0d3c3e-7f6a-4f43-9d4b-0c5f4e3a2b1c>\r\n"
        f"WARC-Target-URI: {IMPORTED}\r\nWARC-Date: {IMPORTED_AT}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


# -- what is asked


def questions(story: Story) -> dict[str, tuple[list[list[str]], list[str]]]:
    """For each stage the commands and the paths of the web app."""
    edited = story.tide.url + TIDE.url_of(TIDE.posts[1])
    meadow = story.meadow.url + MEADOW.url_of(MEADOW.posts[0])
    deleted = story.tide.url + TIDE.url_of(TIDE.posts[2])
    restored = story.letterpress.url + LETTERPRESS.url_of(LETTERPRESS.posts[2])
    old = f"{story.archive.url}/2026/01/04/letter-3/"
    first, last = _moments(story.home, edited)
    commands = [
        ["get", edited],
        ["get", edited, "--at", first, "--as", "markdown"],
        ["get", edited, "--as", "html"],
        ["get", edited, "--as", "json"],
        ["get", edited, "--at", first, "--as", "warc"],
        ["get", story.spooled[0]],
        ["history", meadow, "--json"],
        ["versions", edited, "--json"],
        ["search", "bell", "--json"],
        ["feeds", "--json"],
        ["deletions", "--json"],
        ["alarms", "--all", "--json"],
        ["jobs", "--json"],
        ["verify", "--json"],
    ]
    paths = _of_posts([edited, meadow, deleted, restored, old, IMPORTED])
    paths += [
        f"/web/timemap/json/{edited}",
        f"/web/timemap/cdx/{edited}",
        f"/web/{edited}",
        f"/web/{first}id_/{edited}",
    ]
    paths += [f"/text/{last}/{edited}", f"/diff/{edited}", f"/web/*/{edited}"]
    paths += [f"/api/diff?url={quote(edited, safe='')}&from={first}&to={last}"]
    paths += [
        f"/web/2026id_/{site.url}{path}" for site in story.sites for path in site.pages if path.startswith("/feed")
    ]
    paths += [f"/outback?url={quote(site.url, safe='')}&matchType=host" for site in story.sites]
    paths += [f"/api/search?q={quote(query)}&limit=5" for query in QUERIES]
    paths += ["/api/feeds", "/", "/blogs", f"/blog/{host(1)}:{PORT}", "/search?q=bell", "/feeds", "/feeds/1"]
    left = _of_posts([*story.spooled, *story.unfetched])
    stays = ["/api/jobs", "/jobs", "/changes.atom", "/metrics", "/health"]
    return {
        "saved": (commands, [*paths, *left, *stays]),
        "sealed": ([["get", story.spooled[0]], ["verify", "--json"]], left),
        "reindexed": ([["deletions", "--json"]], [*paths, *left]),
    }


def _of_posts(urls: Sequence[str]) -> list[str]:
    """What is asked about pages."""
    forms = (
        "/web/timemap/link/{0}",
        "/outback?url={1}",
        "/api/versions?url={1}",
        "/web/2026id_/{0}",
        "/text/2026/{0}",
        "/post/{0}",
    )
    return [form.format(one, quote(one, safe="")) for one in urls for form in forms]


def _moments(home: Home, url: str) -> tuple[str, str]:
    """When the first and the last version of a page were seen first, in 14 digits."""
    rows = [json.loads(line) for line in home.pressmark("versions", url, "--json").out.splitlines()]
    first, last = (re.sub(r"[^0-9]", "", rows[number]["first_seen"])[:14] for number in (0, -1))
    assert len(rows) == 3, rows
    return first, last


def answers(origin: Path, folder: Path, asked: dict[str, tuple[list[list[str]], list[str]]]) -> dict[str, Any]:
    """What a copy of the archive answers, stage by stage."""
    shutil.copytree(origin, folder)
    found: dict[str, Any] = {}
    home = Home(folder, **saved.SETTINGS)
    for stage, (commands, paths) in asked.items():
        home = saved.bring_to(home, stage)
        found[stage] = {"commands": saved.asked(home, commands)}
        with saved.serving(home) as base:
            found[stage]["paths"] = saved.fetched(base, paths)
    return found


# -- the files


def clean(home: Path) -> None:
    """Take the interpreter's path out of the database, and fold the log that a killed process left into it."""
    with closing(sqlite3.connect(home / "pressmark.db")) as connection:
        connection.execute("UPDATE runs SET argv = 'python' || substr(argv, instr(argv, ' -m '))")
        connection.commit()
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in home.glob("*.db-*"):
        assert not path.stat().st_size or path.name.endswith("-shm"), path
        path.unlink()


def check_no_leak(home: Path) -> None:
    """Nothing names this machine."""
    secrets = [str(PROJECT), str(home), sys.prefix, "/bin/python", f"{tempfile.gettempdir()}/"]
    for path in home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            data = gzip.decompress(data) if ".gz" in path.suffixes else data
            assert not (found := [one for one in secrets if one.encode() in data]), (path, found)


def pack(home: Path, web: dict[str, Any], target: Path) -> None:
    files = {"web.json": json.dumps(web, indent=1).encode()}
    files |= {f"home/{path.relative_to(home)}": path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))


def _lines(said: dict[str, Any]) -> str:
    """JSON with a line for each question."""
    rest = {name: value for name, value in said.items() if name != "stages"}
    stages = [
        f'"{stage}": {{'
        + ",\n".join(
            f'"{kind}": [\n' + ",\n".join(json.dumps(one, ensure_ascii=False) for one in found) + "\n]"
            for kind, found in answered.items()
        )
        + "}"
        for stage, answered in said["stages"].items()
    ]
    return json.dumps(rest, ensure_ascii=False, indent=1)[:-2] + ',\n"stages": {\n' + ",\n".join(stages) + "\n}}\n"


def main() -> int:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    target, told = saved.FOLDER / f"{version}.tar.gz", saved.FOLDER / f"{version}.json"
    if target.exists() or told.exists():
        print(f"{target} is there already; a saved archive is never made anew", file=sys.stderr)
        return 1
    if socket.gethostname() != HOSTNAME:
        print(f"this machine's name would be in the archive; run it on {HOSTNAME}, see above", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="pressmark-saved-") as name, ExitStack() as stack:
        folder = Path(name)
        story = Story(Home(folder / "home", **MAKING), stack)
        story.begin()
        story.change()
        story.subscribe()
        story.go_wrong()
        story.bring_in(folder)
        story.pressmark("pause", f"{story.meadow.url}/")
        story.end_in_a_crash()
        story.home.settings = Home(story.home.path, **saved.SETTINGS).settings
        clean(story.home.path)
        check_no_leak(story.home.path)
        # Of posts no more than those that were not fetched: the others are not to be asked for again.
        for site in story.sites:
            site.pages = {path: one for path, one in site.pages.items() if "/2026/" not in path or site is story.night}
        web = saved.save_web(story.sites)
        pack(story.home.path, web, folder / "made.tar.gz")
        asked = questions(story)
        stack.close()
        first, second = (answers(folder / "home", folder / f"copy{n}", asked) for n in (1, 2))
        assert not (changed := list(saved.missing(first, second))), changed
        form = story.hub.asked[-1]
        said = {
            "version": version,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "spooled": story.spooled,
            "unfetched": story.unfetched,
            "hub": {name: form[f"hub.{name}"] for name in ("callback", "topic", "secret")},
            "private": story.private.url,
            "stages": first,
        }
        told.write_text(_lines(said))
        shutil.copy(folder / "made.tar.gz", target)
    print(f"{target}: {target.stat().st_size:,} bytes; {told}: {told.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
