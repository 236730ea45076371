"""What one feed, page, list or name may cost: itself, and nothing beside it."""

from __future__ import annotations

import gzip
import json
import logging
import socketserver
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from conftest import Home
from sample.blogs import TIDE
from sample.server import Answer, Site

from archive.extract.pipeline import extract
from archive.limits import FIELD_CHARACTERS, TABLE_COLUMNS
from archive.runtime.console import OneLine
from archive.warc import foreign
from archive.warc.codings import beginning, ends_early
from crawler import feeds
from crawler.backfill import listings
from crawler.decide import deleted_posts
from crawler.downloader.exchange import Exchange, Flight
from crawler.feeds import opml
from crawler.model.visits import Subscription
from crawler.net.address_guard import Guard, is_name

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
RSS = "application/rss+xml"


def rss(items: str, title: str = "T") -> bytes:
    return f"<rss version='2.0'><channel><title>{title}</title>{items}</channel></rss>".encode()


def health(home: Home) -> dict[str, dict[str, object]]:
    said = home.pressmark("feeds", "--json").out.splitlines()
    return {found["url"]: found for found in map(json.loads, said)}


# -- feeds and lists


@pytest.mark.parametrize(
    "link", ["http://[2606:4700::1111%\0]/x", "http://[fe80::1%\ud800]/", "http://[x", "http://a.example:99999/"]
)
def test_a_link_that_is_no_url_is_none(link: str) -> None:
    document = {"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": [{"id": "1", "url": link}]}
    (entry,) = feeds.parse(json.dumps(document).encode(), url="http://a.example/", content_type=None).entries
    assert entry.link is None
    posts = json.dumps([{"link": link, "title": {"rendered": "x"}}]).encode()
    found = listings.read(
        posts, url="http://a.example/wp-json/wp/v2/posts?page=1", kind=listings.WORDPRESS, headers={},
        shapes=frozenset(), site=None,
    )  # fmt: skip
    assert [one.link for one in found.entries] in ([], [None])


def test_what_cannot_be_asked_for_ends_no_crawl(home: Home, site: Site, tmp_path: Path) -> None:
    site.pages.update(TIDE.pages(site.url))
    site.pages["/odd"] = Answer(
        json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": [
            {"id": "1", "url": "http://[2606:4700::1111%\0]/x"}, {"id": "2", "url": "https://h:1/\n2026 ERROR: FORGED\x1b[31m"},
        ]}).encode()
    )  # fmt: skip
    outlines = "".join(
        f"<outline type='rss' xmlUrl='{url}'/>"
        for url in ("http://h:99999/feed", f"{site.url}/odd", f"{site.url}/feed/")
    )
    path = tmp_path / "list.opml"
    path.write_text(f"<opml version='2.0'><body>{outlines}</body></opml>")
    told = home.pressmark("import-opml", str(path))
    assert "h:99999" in told.err
    done = home.pressmark("crawl")
    assert "kept 4 new posts" in done.out, done.err
    assert "\x1b" not in done.err
    assert not any(line.startswith("2026 ERROR") for line in done.err.splitlines())


def test_a_feed_cannot_say_more_than_it_may() -> None:
    long = "x" * 2_000_000
    items = f"<item><guid>1</guid><title>{long}</title><description>{long}</description></item>"
    parsed = feeds.parse(rss(items, title=long), url="http://a.example/", content_type=RSS)
    assert len(parsed.feed.words or "") == FIELD_CHARACTERS
    assert len(parsed.entries[0].words or "") == FIELD_CHARACTERS
    assert len(parsed.entries[0].summary or "") == 1_000_000
    subscription = Subscription(
        url="http://a.example/", title=parsed.feed.words, site=None, paused=False, added=NOW, seeds=()
    )
    (back,), _ = opml.read(opml.write([subscription]), name="x", now=NOW, ours=True)
    assert back == subscription


def test_our_own_list_is_read_whole_or_not_at_all() -> None:
    from crawler.errors import FeedError

    one = Subscription(url="http://a.example/", title=None, site=None, paused=False, added=NOW, seeds=())
    with pytest.raises(FeedError):
        opml.read(opml.write([one])[:-20], name="x", now=NOW, ours=True)


def test_a_list_changes_nothing_about_what_is_there(home: Home, site: Site, tmp_path: Path) -> None:
    site.pages.update(TIDE.pages(site.url))
    url = f"{site.url}/feed/"
    home.pressmark("add", url)
    path = tmp_path / "list.opml"
    path.write_text(
        f"<opml version='2.0' xmlns:p='{opml.NAMESPACE}'><body>"
        f"<outline type='rss' xmlUrl='{url}' p:unverified='true' p:paused='true'/>"
        f"<outline type='rss' xmlUrl='http://b.example/' p:unverified='true' p:seeds='{url}'/></body></opml>"
    )
    assert "subscribed to 1 feeds, 1 already subscribed" in home.pressmark("import-opml", str(path)).out
    known = health(home)
    assert (known[url]["state"], known[url]["certificate_verified"]) == ("ok", True)
    assert known["http://b.example/"]["certificate_verified"] is True


def test_a_host_has_its_share_of_a_crawl(home: Home, site: Site) -> None:
    items = "".join(f"<item><guid>{n}</guid><link>{site.url}/{n}</link></item>" for n in range(7))
    site.pages["/feed"] = Answer(rss(items), RSS)
    site.pages.update(
        {f"/{n}": Answer(f"<article><h1>{n}</h1><p>{'Words of it. ' * 30}{n}</p>".encode()) for n in range(7)}
    )
    home.settings["PRESSMARK_HOST_BUDGET"] = "3"
    first = home.pressmark("crawl", f"{site.url}/feed")
    assert "kept 3 new posts, more from 1 site left for the next crawl" in first.out
    assert "kept 3 new posts" in home.pressmark("crawl").out
    assert "kept 1 new post;" in home.pressmark("crawl").out


def test_searching_a_page_takes_no_time() -> None:
    began = time.monotonic()
    for body in (b"<title" * 300_000, b"<input " * 300_000):
        deleted_posts.asks_password(body)
    assert time.monotonic() - began < 5  # it was minutes


def test_a_log_message_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    record = OneLine("x", logging.INFO, "f", 1, "url=%s", ("http://h/\n2026 ERROR: forged\x1b[31m\x00",), None)
    assert record.getMessage() == "url=http://h/ 2026 ERROR: forged [31m "


# -- pages


def test_a_table_too_wide_is_written_as_text() -> None:
    wide = "<tr>" + "<td>cell</td>" * (TABLE_COLUMNS + 1) + "</tr>"
    rows = wide + "<tr><td>a</td><td>b</td></tr>" * 1_500
    page = f"<article><h1>Wide</h1><p>{'Words before it. ' * 40}</p><table>{rows}</table></article>"
    made = extract(page.encode(), url="http://a.example/")
    assert len(made.markdown) < 10 * len(page)


def test_a_payload_without_its_end_is_known() -> None:
    whole = gzip.compress(b"words " * 5_000)
    assert not ends_early(whole, "gzip", limit=1_000_000)
    assert ends_early(whole[:-30], "gzip", limit=1_000_000)
    assert not ends_early(whole, None, limit=1_000_000)
    assert not ends_early(gzip.compress(b"\0" * 10_000_000)[:-30], "gzip", limit=1_000)  # larger than is looked at
    assert beginning(whole[:-30], "gzip", limit=100) == (b"words " * 100)[:100]
    assert beginning(b"plain", None, limit=3) == b"pla"


def test_a_page_that_came_in_part_is_kept_and_has_no_text(home: Home, site: Site) -> None:
    site.pages["/feed"] = Answer(rss(f"<item><guid>1</guid><link>{site.url}/a</link></item>"), RSS)
    page = gzip.compress(b"<article><h1>Torn</h1>" + b"<p>Words of a torn page.</p>" * 200)[:-40]
    site.pages["/a"] = Answer(page, headers={"Content-Encoding": "gzip"})
    assert "0 texts" in home.pressmark("crawl", f"{site.url}/feed").out
    assert home.pressmark("get", f"{site.url}/a").code == 3
    assert home.pressmark("history", f"{site.url}/a").code == 0


def test_a_page_that_is_not_in_the_coding_it_states_has_its_text_at_once(home: Home, site: Site) -> None:
    page = b"<html><body><article><h1>%s</h1>" + b"<p>Words of a page that nobody had packed at all.</p>" * 9
    lies = {
        "/plain": (page % b"Honest", "gzip"),
        "/other": (gzip.compress(page % b"Other"), "br"),
        "/none": (gzip.compress(page % b"None"), None),
    }
    items = "".join(f"<item><guid>{path}</guid><link>{site.url}{path}</link></item>" for path in lies)
    site.pages["/feed"] = Answer(rss(items), RSS, headers={"Content-Encoding": "deflate"})
    for path, (body, coding) in lies.items():
        site.pages[path] = Answer(body, headers={"Content-Encoding": coding} if coding else {})
    assert "3 new posts" in home.pressmark("crawl", f"{site.url}/feed").out
    for path in lies:
        assert "nobody had packed" in home.pressmark("get", site.url + path).out


# -- exchanges


class _Line:
    """As much of a transport as an Exchange looks at."""

    aborted = False

    def abortConnection(self) -> None:  # noqa: N802  Twisted's name
        self.aborted = True


def test_interim_heads_are_looked_at_once() -> None:
    wire, line = Exchange(most=1_000_000), _Line()
    began = time.monotonic()
    for _ in range(200_000):
        wire.receive(line, b"x")
    assert time.monotonic() - began < 5
    wire, line = Exchange(most=1_000_000), _Line()
    for _ in range(30):
        wire.receive(line, b"HTTP/1.1 100 Continue\r\n\r\n")
    assert line.aborted
    wire, line = Exchange(most=1_000), _Line()
    for part in (b"HTTP/1.1 103 Early\r\nLi", b"nk: x\r\n\r", b"\nHTTP/1.1 200 OK\r\nA: b\r", b"\n\r", b"\nbody"):
        wire.receive(line, part)
    head, begin = wire.head()
    assert (head, wire.take(begin)) == (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", b"body")


def test_framing_and_answers_under_way_are_bounded() -> None:
    wire, line = Exchange(most=1_000), _Line()
    wire.receive(line, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(40):
        wire.receive(line, b"1;" + b"a" * 65_000 + b"\r\nx\r\n")
    assert line.aborted
    flight = Flight(1_000)
    wires = [Exchange(flight=flight, most=10_000, transport=_Line()) for _ in range(3)]
    for one, size in zip(wires, (250, 600, 50), strict=True):
        one.receive(_Line(), b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * size)
    assert not any(one.transport.aborted for one in wires)
    wires[0].receive(_Line(), b"x" * 200)
    assert [one.transport.aborted for one in wires] == [False, True, False]


@contextmanager
def endless() -> Iterator[str]:
    """A server whose answers never end, robots.txt's neither."""

    class Endless(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            try:
                self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
                while True:
                    self.request.sendall(b"User-agent: nobody\nDisallow: /\n" * 1_000)
            except OSError:
                return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Endless) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_beginning_of_a_robots_txt_without_end_counts(home: Home) -> None:
    home.settings["PRESSMARK_MAX_BYTES"] = "100000"
    with endless() as url:
        done = home.pressmark("crawl", f"{url}/feed")
    assert "unreachable" not in done.err
    assert "larger than PRESSMARK_MAX_BYTES" in done.err


# -- names and addresses


@pytest.mark.parametrize(
    "address",
    [
        *("192.0.0.192", "168.63.129.16", "100.100.100.200", "192.88.99.1", "fec0::1", "feff::1", "3fff::1"),
        *("2606:4700::5efe:7f00:1", "2606:4700::200:5efe:127.0.0.1", "::127.0.0.1", "64:ff9b:1::7f00:1"),
        *("64:ff9b::10.0.0.1", "2002:7f00:1::", "::ffff:169.254.169.254", "fd00:ec2::254", "fe80::1%eth0"),
    ],
)
def test_addresses_that_tables_forget_are_refused(address: str) -> None:
    assert not Guard().permits(address)
    assert not Guard([ip_network("8.8.8.0/24")]).permits(address)


def test_public_addresses_stay_public() -> None:
    for address in ("8.8.8.8", "2606:4700:4700::1111", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"):
        assert Guard().permits(address)


def test_names_that_no_resolver_takes_are_not_looked_up() -> None:
    assert is_name("a.example")
    assert is_name("a.example.")
    for host in (
        "a" * 64 + ".example",
        "a..example",
        ".example",
        "b\u00fccher.example",
        ".".join(["abcdefgh"] * 30),
        "",
    ):
        assert not is_name(host)


# -- files of other tools


def test_a_package_that_grows_is_no_package(tmp_path: Path) -> None:
    path = tmp_path / "bomb.wacz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("datapackage.json", '{"resources": []}')
        package.writestr("archive/a.warc", b"\0" * 60_000_000)
    (found,) = [one for one in foreign.records(path) if isinstance(one, foreign.Broken)]
    assert "grows more than" in found.reason


def test_a_file_full_of_beginnings_is_searched_once(tmp_path: Path) -> None:
    path = tmp_path / "odd.warc.gz"
    path.write_bytes(gzip.compress(b"WARC/1.0\r\n")[:-4] + b"\x1f\x8b\x08" * 400_000)
    began = time.monotonic()
    assert all(isinstance(one, foreign.Broken) for one in foreign.records(path))
    assert time.monotonic() - began < 20
