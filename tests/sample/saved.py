"""Saved archives: what one version of Pressmark wrote, and what its commands and its web app answered about it.

Nothing here knows the code of Pressmark: an archive is asked through the command line and over HTTP alone, so that
these words stay the same whatever the modules are called. `tests/saved/make.py` makes such archives.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sample.server import Answer, Site
from sample.services import BIN, end

if TYPE_CHECKING:
    from conftest import Home, Ran

FOLDER = Path(__file__).resolve().parents[1] / "saved"
PUBLIC_URL = "http://archive.example"
"""What stands in links, so that they do not name a port that was free by chance."""
SETTINGS = {"PRESSMARK_PUBLIC_URL": PUBLIC_URL}
_AT_ONCE = 3
"""Commands that run side by side."""
_LONG = 3_000
"""Bytes of an answer from which on its digest is recorded in its stead."""
_FROM_SETTINGS = ("argv", "trigger", "deadline_seconds")
"""What is listed of jobs and stands in no database."""


def versions() -> list[str]:
    """Those of which an archive is saved."""
    return sorted(path.name.removesuffix(".tar.gz") for path in FOLDER.glob("*.tar.gz"))


def recorded(version: str) -> dict[str, Any]:
    """What the version answered."""
    said: dict[str, Any] = json.loads((FOLDER / f"{version}.json").read_text())
    return said


def unpack(version: str, folder: Path) -> Path:
    """The version's archive in a folder of its own; gives its PRESSMARK_HOME."""
    with tarfile.open(FOLDER / f"{version}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "home"


# -- the blogs


def save_web(sites: Sequence[Site]) -> dict[str, Any]:
    """What servers answer, in words that JSON knows."""
    return {
        site.url: {
            path: {**asdict(answer), "body": base64.b64encode(answer.body).decode()}
            for path, answer in site.pages.items()
        }
        for site in sites
    }


@contextmanager
def saved_web(said: Mapping[str, Any]) -> Iterator[dict[str, Site]]:
    """The servers from which an archive was made, as they were at the end, under their addresses.

    Their ports are fixed, as the archive names them: where another run of these tests has them, we wait for our turn.
    """
    with ExitStack() as stack:
        sites = {}
        for url, pages in said.items():
            site = _take(
                url, {path: Answer(**{**one, "body": base64.b64decode(one["body"])}) for path, one in pages.items()}
            )
            sites[url] = stack.enter_context(site)
        yield sites


def _take(url: str, pages: dict[str, Answer]) -> Site:
    parts = urlsplit(url)
    until = time.monotonic() + 120
    while True:
        try:
            return Site(pages, host=str(parts.hostname), port=int(parts.port or 80))
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


# -- questions


def asked(home: Home, commands: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """What commands answer."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda argv: {"argv": list(argv), **_told(argv, home.pressmark(*argv))}, commands))


def _told(argv: Sequence[str], ran: Ran) -> dict[str, Any]:
    if "--json" in argv:
        rows = [json.loads(line) for line in ran.out.splitlines()]
        if argv[0] == "jobs":
            rows = [{name: value for name, value in row.items() if name not in _FROM_SETTINGS} for row in _begun(rows)]
        return {"code": ran.code, "json": rows}
    return {"code": ran.code, **_body(ran.raw, json_document=argv[-1] == "json")}


def _begun(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The jobs that the version knew: later ones have neither run there, nor are they planned."""
    return [job for job in jobs if job["next_run"] or job["last_run"]]


@contextmanager
def serving(home: Home) -> Iterator[str]:
    """`pressmark serve` on a free port; gives its URL."""
    process = home.start("pressmark", "serve", "--port", "0")
    try:
        assert process.stdout
        line = process.stdout.readline().decode()
        if not line.startswith("answering on "):
            process.kill()
            raise AssertionError(process.communicate()[1].decode())
        yield line.split()[-1]
    finally:
        end(process)
        process.communicate()


def fetched(base: str, paths: Sequence[str]) -> list[dict[str, Any]]:
    """What the web app answers. Of pages for people only that they are there, for their words may change."""
    return [{"path": path, **_page(base, path)} for path in paths]


def _page(base: str, path: str) -> dict[str, Any]:
    status, headers, body = fetch(base + path)
    kind = headers.get("content-type", "").partition(";")[0]
    said: dict[str, Any] = {"status": status, "type": kind}
    said |= {name: headers[name] for name in ("memento-datetime", "location") if name in headers}
    ours = path.startswith(("/web/2", "/text/", "/warcs/")) or kind not in {"text/html", "application/atom+xml"}
    if ours and path != "/metrics":
        said |= _body(body, json_document=kind.endswith("json"))
    if path == "/api/jobs":
        said["json"] = _begun(_without(said["json"], _FROM_SETTINGS))
    if said.get("location", "").startswith(PUBLIC_URL):
        said["there"] = _page(base, said["location"].removeprefix(PUBLIC_URL))
    return said


def fetch(url: str, data: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case and body; redirects are not followed."""
    opener = urllib.request.build_opener(_Stay)
    request = urllib.request.Request(url, data=data, headers={name.replace("_", "-"): v for name, v in headers.items()})
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, {name.lower(): value for name, value in e.headers.items()}, e.read()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _without(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(one, names) for name, one in value.items() if name not in names}
    return [_without(one, names) for one in value] if isinstance(value, list) else value


def _body(raw: bytes, *, json_document: bool) -> dict[str, Any]:
    if json_document and raw:
        try:
            return {"json": json.loads(raw)}
        except ValueError:
            pass  # an error's words, or JSON lines
    if len(raw) < _LONG:
        try:
            return {"text": raw.decode()}
        except UnicodeDecodeError:
            pass
    return {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


# -- the daemon


@contextmanager
def daemon(home: Home, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """`pressmark up`; gives its process, and what gives its log. A failure shows the log."""
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(
            [str(BIN / "pressmark"), "up", *options],
            env=home.environment,
            cwd=FOLDER.parents[1],
            stdout=log,
            stderr=log,
        )
        try:
            yield process, Path(log.name).read_text
        except (TimeoutError, RuntimeError) as e:
            raise AssertionError(Path(log.name).read_text()) from e
        finally:
            end(process)


# -- stages


def bring_to(home: Home, stage: str) -> Home:
    """The archive of a home folder at its next stage: as it was `saved`, `sealed`, `reindexed` into a new database."""
    if stage == "sealed":
        ran = home.pressmark("seal")
        assert ran.code == 0, ran
    if stage == "reindexed":
        home = type(home)(home.path, **{**home.settings, "PRESSMARK_DATABASE": f"sqlite:///{home.path / 'new.db'}"})
        ran = home.pressmark("reindex")
        assert ran.code == 0, ran
    return home


# -- comparison


def missing(before: Any, now: Any, where: str = "") -> Iterator[str]:
    """What was answered before and is not now. What is new, such as another field, is no loss; nor are other words."""
    if isinstance(before, dict) and isinstance(now, dict):
        before = _without_prose(before)
        for name, value in before.items():
            if name in now:
                yield from missing(value, now[name], f"{where}.{name}")
            else:
                yield f"{where}.{name} is gone, was {value!r}"
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from missing(one, other, f"{where}[{number}]")
    elif before != now:
        yield f"{where} is {now!r}, was {before!r}"


def _without_prose(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without the words of an error, or of a page for people: these may be put otherwise in any version."""
    if isinstance(status := answer.get("status"), int) and status >= 400 and "path" in answer:
        kept = {name: value for name, value in answer.items() if name not in {"text", "json"}}
        stated = answer.get("json")
        return {**kept, "json": dict.fromkeys(stated, _Any())} if isinstance(stated, dict) else kept
    if {"key", "proof", "since"} <= answer.keys():  # a deletion: how pages are keyed is no promise
        return {name: value for name, value in answer.items() if name != "key"}
    if {"next_visit", "posts_kept"} <= answer.keys():  # how soon a feed is visited again is a rule of the version
        kept = {name: value for name, value in answer.items() if name != "next_visit"}
        return {**kept, "posts_kept": _AtLeast(answer["posts_kept"])}
    if answer.get("outcome") == "running":  # of a process that is no more: a later version may have noticed
        return {name: value for name, value in answer.items() if name != "outcome"}
    if answer.get("type") == "text/html" and "Pressmark</title>" in str(answer.get("text", "")):
        return {name: value for name, value in answer.items() if name != "text"}
    return answer


class _AtLeast:
    """Equal to a number that is not less."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, least: int) -> None:
        self.least = least

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and other >= self.least

    def __repr__(self) -> str:
        return f"at least {self.least}"


class _Any:
    """Equal to whatever is there."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True
