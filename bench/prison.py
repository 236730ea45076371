"""Archived captures of the hostile web, opened in Chromium through the web app: does anything run or get out?

Takes the folder left by `bench/hostile.py --keep`, and opens every capture and text of its cases about scripts, types
and replay in each view: plain, with scripts (the replay engine), as received, text, lists, search. The plain view is
opened once more without any Content-Security-Policy, to test the sanitiser alone. Runs itself in a network namespace
with only loopback (as root).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sample.archives import serving

from archive.archive import Archive
from archive.settings import ArchiveSettings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

GROUPS = ("replay", "content-type", "feed-xss", "encoding-text")
RAN = "xss-ran"


class _Home:
    """The part of a test's home that `serving` needs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {**os.environ, "PRESSMARK_HOME": str(path)}


class Prisoner:
    """A browser context in which one view is opened."""

    def __init__(self, browser: Browser, bases: list[str], *, stripped: bool = False) -> None:
        self.context = browser.new_context()
        self.page: Page = self.context.new_page()
        self.outside: list[str] = []
        self.dialogs: list[str] = []
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

        def watch(route: Route) -> None:
            url = route.request.url
            if url.startswith(("chrome:", "chrome-extension:")):
                route.continue_()  # the browser's own PDF viewer
            elif not url.startswith((*(f"{base}/" for base in bases), "data:", "blob:")):
                self.outside.append(url)
                route.abort()
            elif stripped:
                with suppress(Exception):  # the browser has left the page meanwhile
                    answer = route.fetch()
                    headers = {k: v for k, v in answer.headers.items() if "security-policy" not in k}
                    route.fulfill(response=answer, headers=headers)
            else:
                route.continue_()

        self.context.route("**/*", watch)

    def found(self, url: str, milliseconds: int) -> list[str]:
        """What went wrong when a view was opened."""
        bad = []
        with suppress(Exception):  # a download is not a page
            self.page.goto(url, wait_until="load", timeout=15_000)
        self.page.wait_for_timeout(milliseconds)
        # Within the engine's frames archived scripts may run: they have an origin with nothing else on it.
        if RAN in self.page.title() or ("/replay/" not in url and any(RAN in title for title in self._titles())):
            bad.append("a script ran")
        if self.outside:
            bad.append(f"asked for {self.outside[:3]}")
        if self.dialogs:
            bad.append(f"said {self.dialogs[:3]}")
        top = self.page.url
        if not top.startswith(("http://127.0.0.1:", "about:blank", "chrome-error:")):
            bad.append(f"led to {top}")
        return bad

    def _titles(self) -> list[str]:
        titles = []
        for frame in self.page.frames:
            with suppress(Exception):
                titles.append(frame.title())
        return titles

    def kept_at(self, base: str) -> list[str]:
        """What was stored in the browser for our origin."""
        self.page.goto(f"{base}/")
        bad = []
        if self.page.evaluate("navigator.serviceWorker.getRegistrations().then(found => found.length)"):
            bad.append("a service worker at our origin")
        if self.page.evaluate("document.cookie") or self.context.cookies(base):
            bad.append("a cookie at our origin")
        if self.page.evaluate("localStorage.length + sessionStorage.length"):
            bad.append("storage at our origin")
        return bad


def opened(browser: Browser, home: Path, case: dict[str, Any]) -> tuple[int, list[str]]:
    """Views opened of one archive, and what went wrong."""
    hosts = {urlsplit(case["url"]).hostname, *case["hosts"]}
    index = Archive.open(ArchiveSettings(home=home)).index
    with index.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT url, date FROM captures").fetchall()
        feeds = [row.id for row in connection.exec_driver_sql("SELECT id FROM feeds")]
    captures = {
        row.url: index.nearest(row.url, None)
        for row in rows
        if urlsplit(row.url).hostname in hosts and not row.url.endswith("/robots.txt")
    }
    bad: list[str] = []
    views = 0
    with serving(_Home(home), "--replay-port", "0") as said:  # type: ignore[arg-type]
        base, replay = said.split()
        paths = ["/", "/feeds", "/blogs", "/search?q=post", "/changes.atom", *(f"/feeds/{number}" for number in feeds)]
        for url, row in captures.items():
            assert row is not None
            stamp = row.timestamp
            paths += [
                *(f"/web/{stamp}{modifier}/{url}" for modifier in ("", "if_", "id_", "im_")), f"/web/*/{url}",
                f"/text/{stamp}/{url}", f"/post/{stamp}/{url}", f"/exchange/{stamp}/{url}", f"/diff/{url}",
                f"/replay/{stamp}/{url}", f"/nothing<script>document.title='{RAN}'</script>{url}",
            ]  # fmt: skip
        for stripped in (False, True):
            for path in paths:
                if stripped and not path.startswith(("/web/", "/post/", "/search")):
                    continue
                if stripped and ("id_/" in path or "im_/" in path or path.startswith("/replay/")):
                    continue  # as received: only the policy protects it
                prisoner = Prisoner(browser, [base, replay], stripped=stripped)
                wrong = prisoner.found(base + path, 6_000 if path.startswith("/replay/") else 250)
                wrong += prisoner.kept_at(base)
                prisoner.context.close()
                views += 1
                bad += [f"{path}{' without policy' if stripped else ''}: {one}" for one in wrong]
    return views, bad


def main() -> None:
    """Run, print; exit 1 if anything ran or got out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("material", type=Path, help="folder with hostile_web.py and manifest.json")
    parser.add_argument("kept", type=Path, help="what bench/hostile.py --keep has left")
    arguments = parser.parse_args()
    if os.environ.get("HOSTILE_INSIDE") != "1":
        argv = ["unshare", "-nm", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", sys.executable, *sys.argv]
        sys.exit(subprocess.run(argv, env={**os.environ, "HOSTILE_INSIDE": "1"}, check=False).returncode)
    material = arguments.material.resolve()
    manifest: dict[str, Any] = json.loads((material / "manifest.json").read_text())
    cases = [case for case in manifest["cases"] if case["group"] in GROUPS or "browser" in case["needs"]]
    with tempfile.TemporaryDirectory(prefix="pressmark-prison-") as state:
        # The hosts exist, so that a request that gets out would be answered, and is counted.
        server = subprocess.Popen(
            [sys.executable, str(material / "hostile_web.py"), "--dns-port", "0"],
            stdout=subprocess.PIPE, env={**os.environ, "HOSTILE_STATE": state},
        )  # fmt: skip
        from hostile import control
        from playwright.sync_api import sync_playwright

        assert server.stdout
        server.stdout.readline()
        broken = views = 0
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                for case in cases:
                    home = arguments.kept / case["name"]
                    if not (home / "pressmark.db").exists():
                        continue
                    before = broken
                    control(manifest, f"/reset?case={case['name']}")
                    count, bad = opened(browser, home, case)
                    stats = control(manifest, f"/stats.json?case={case['name']}")[case["name"]]
                    if stats["requests"] or stats["asset_requests"] or stats["canary_hits"]:
                        bad.append(f"the live host was asked {stats['requests'] + stats['asset_requests']} times")
                    views += count
                    broken += bool(bad)
                    if stats["connections"]:  # a hint to connect in a page that is replayed: docs/security.md
                        bad.append(f"{stats['connections']} connections on which nothing was asked")
                    print(
                        f"{'BROKE' if broken > before else 'ok':5} {case['name']:24} {count:3} views {'; '.join(bad)}",
                        flush=True,
                    )
        finally:
            server.terminate()
            server.wait()
    print(f"{len(cases)} cases, {views} views: {broken} let something run or out")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
