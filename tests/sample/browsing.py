"""A crawled archive in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sample.blogs import BLOGS, EDIT
from sample.server import Answer, Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
XSS = """<html><head><title>Trap</title><script>document.title='xss-ran'; new Image().src='{0}/leak-head'</script></head>
<body onload="document.title='xss-ran'"><article><h1>A trap of a post</h1>
<p>This page does whatever a page can do to get out of the archive that keeps it, and its words are long enough to be a post.</p>
<p><a href="javascript:document.title='xss-ran'">press</a> <a id=other href="{0}{1}">another post</a> <a id=never href="{0}/never">no post</a></p>
<img src="/pixel.png" alt="a pixel"><img src="{0}/never.png" onerror="document.title='xss-ran'">
<svg onload="document.title='xss-ran'"></svg><iframe src="{0}/leak-frame"></iframe><iframe srcdoc="<script>top.document.title='xss-ran'</script>"></iframe>
<iframe srcdoc="<script>new WebSocket('{0}/leak-srcdoc'.replace('http', 'ws'))</script>"></iframe>
<iframe src="data:text/html,<script>new WebSocket('{0}/leak-data'.replace('http', 'ws'))</script>"></iframe>
<form action="{0}/leak-form"><button>send</button></form><meta http-equiv=refresh content="6;url={0}/leak-refresh">
<object data="{0}/leak-object"></object><embed src="{0}/leak-embed"><link rel=stylesheet href="{0}/leak.css"><video poster="{0}/leak-poster"></video>
<script>
fetch('{0}/leak-fetch'); navigator.sendBeacon && navigator.sendBeacon('{0}/leak-beacon');
try {{ new WebSocket('{0}/leak-socket'.replace('http', 'ws')) }} catch (e) {{}}
try {{ new EventSource('{0}/leak-events') }} catch (e) {{}}
navigator.serviceWorker && navigator.serviceWorker.register('/worker.js').catch(() => 0);
try {{ parent.document.title = 'xss-ran'; top.location = '{0}/leak-top' }} catch (e) {{}}
</script></article></body></html>"""
FEED = "<rss version='2.0'><channel><title>&lt;script&gt;document.title='xss-ran'&lt;/script&gt;</title><item><guid>1</guid><link>{}/trap</link><title>&lt;img src=x onerror=&quot;document.title='xss-ran'&quot;&gt; Trap</title></item></channel></rss>"


@dataclass
class World:
    """An archive that is served, and the sites that it was made of."""

    base: str
    replay: str
    sites: list[Site]
    posts: list[str]
    """URL of the post that was edited, then of the trap."""

    def asked(self) -> list[str]:
        """What the sites were asked for since the crawl."""
        return [path for site in self.sites for path in site.asked]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    from conftest import Home, missing
    from sample.archives import serving

    if not shutil.which("chromium"):
        missing("Chromium")
    home = Home(
        tmp_path_factory.mktemp("web") / "home",
        PRESSMARK_REQUISITES="1", PRESSMARK_TOKEN="secret", PRESSMARK_FEED_INTERVAL="0", PRESSMARK_FEED_SLOWEST="0",
    )  # fmt: skip
    with Site() as site, Site(host="localhost") as trap:
        blog = BLOGS[0]
        site.pages.update(blog.pages(site.url))
        edited = next(blog.url_of(post) for post in blog.posts if EDIT[0] in blog.url_of(post))
        root = trap.url.replace("127.0.0.1", "localhost")
        trap.pages.update(
            {
                "/feed": Answer(FEED.format(root).encode(), content_type="application/rss+xml"),
                "/trap": Answer(
                    XSS.format(root, "/other").encode(),
                    headers={
                        "Refresh": f"6; url={root}/leak-header",
                        "Link": f"<{root}/leak-link>; rel=preload; as=style",
                    },
                ),
                "/pixel.png": Answer(PNG, content_type="image/png"),
                "/worker.js": Answer(b"self.x=1", content_type="text/javascript"),
                "/other": Answer(
                    b"<title>Other</title><article><h1>The other one</h1><p>It is linked to, and held.</p></article><script>document.body.insertAdjacentHTML('beforeend', '<p>scripts ran here</p>')</script>"
                ),
            }
        )
        assert home.pressmark("crawl", f"{site.url}/", f"{root}/feed").code == 0
        site.pages.update(blog.edited(*EDIT).pages(site.url))
        trap.pages["/feed"] = Answer(
            trap.pages["/feed"]
            .body.replace(b"<guid>1</guid><link>", b"<guid>2</guid><link>")
            .replace(b"/trap", b"/other"),
            content_type="application/rss+xml",
        )
        assert home.pressmark("crawl", "--force").code == 0
        for one in (site, trap):
            one.log.clear()
        with serving(home, "--replay-port", "0") as bases:
            base, replay = bases.split()
            yield World(base, replay, [site, trap], [f"{site.url}{edited}", f"{root}/trap"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from conftest import missing
    from playwright.sync_api import sync_playwright

    if not shutil.which("chromium"):
        missing("Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page of the browser, and what it said and asked for."""

    def __init__(self, browser: Browser, world: World, **options: object) -> None:
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda m: self.said.append(m.text) if m.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda e: self.said.append(str(e)))
        self.outside: list[str] = []
        ours = (world.base, world.replay)

        def watch(route: Route) -> None:
            url = route.request.url
            if not url.startswith((*(f"{one}/" for one in ours), "data:", "blob:")):
                self.outside.append(url)
            route.continue_()

        self.context.route("**/*", watch)


@pytest.fixture
def watched(browser: Browser, world: World, request: pytest.FixtureRequest) -> Iterator[Watched]:
    found = Watched(browser, world, **getattr(request, "param", {}))
    yield found
    found.context.close()
