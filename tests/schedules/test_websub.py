"""WebSub: hubs that feeds name are asked to tell of news, and only what they say themselves is believed."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlencode

import pytest
from conftest import Home
from sample.blogs import TIDE
from sample.server import Site
from sample.services import free_port, wait_for
from sample.visits import feed_visit
from sqlalchemy import update
from test_schedule import Postgres, own_postgres, subscribe, up  # noqa: F401  a fixture

from archive.archive import Archive
from archive.runtime.database import transaction
from archive.settings import ArchiveSettings
from archive.web.settings import WebSettings
from crawler.decide.freshness import Pace
from crawler.frontier import websub
from crawler.frontier.frontier import Frontier
from crawler.frontier.tables import feeds
from crawler.model.visits import Feed
from schedules.limits import NOTIFICATION_BYTES
from schedules.runs import Runs
from schedules.web.app import Web
from schedules.web.server import listen, serve

DAY = timedelta(days=1)
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HUB = "https://hub.example/"
TOPIC = "https://a.example/feed"


class Hub:
    """A hub on a free port that verifies before it answers (WebSub §5.3), as it is told."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        """Requests for subscriptions."""
        self.verified: list[tuple[int, str]] = []
        """What each callback answered."""
        self.status = 202
        self.lease = 864_000
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
                hub.asked.append({**form, "type": self.headers["Content-Type"]})
                if hub.status == 202:
                    hub.verify(form)
                self.send_response(hub.status)
                self.end_headers()

            def log_message(self, fmt: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hub"

    def verify(self, form: dict[str, str]) -> None:
        question = {
            "hub.mode": "subscribe",
            "hub.topic": form["hub.topic"],
            "hub.challenge": "a challenge & more",
            "hub.lease_seconds": str(self.lease),
        }
        self.verified.append(ask(form["hub.callback"], question))

    def tell(self, body: bytes = b"news") -> int:
        """Tell of news."""
        form = self.asked[-1]
        signature = hmac.new(form["hub.secret"].encode(), body, hashlib.sha256).hexdigest()
        return send(form["hub.callback"], body, f"sha256={signature}")

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def ask(url: str, parameters: dict[str, str]) -> tuple[int, str]:
    """What a GET gives."""
    try:
        with urllib.request.urlopen(f"{url}?{urlencode(parameters)}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def send(url: str, body: bytes, signature: str | None) -> int:
    """What a POST gives."""
    headers = {} if signature is None else {"X-Hub-Signature": signature}
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as e:
        return e.code


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as running:
        yield running


# -- which subscriptions are asked for, and when


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


def name_hub(frontier: Frontier, url: str = TOPIC, *, hub: str | None = HUB, topic: str | None = None) -> int:
    """Subscribe to a feed that names a hub."""
    feed_id = frontier.subscribe(url, seed=None, now=NOW).id
    with transaction(frontier.engine) as connection:
        values = {"hub": hub, "topic": topic, "due": NOW + DAY}
        connection.execute(update(feeds).where(feeds.c.id == feed_id).values(**values))
    return feed_id


def only(found: list[websub.Wanted]) -> websub.Wanted:
    (one,) = found
    return one


def lease(frontier: Frontier, one: websub.Wanted, seconds: str | None, *, now: datetime = NOW) -> str | None:
    parameters = {"hub.mode": "subscribe", "hub.topic": one.topic, "hub.challenge": "c"}
    if seconds is not None:
        parameters["hub.lease_seconds"] = seconds
    return websub.verified(frontier.engine, one.token, parameters, now=now)


def wanted(frontier: Frontier, now: datetime) -> bool:
    return bool(websub.wanted(frontier.engine, now=now))


def test_a_feed_without_a_hub_or_that_is_paused_asks_for_none(frontier: Frontier) -> None:
    name_hub(frontier, "http://none.example/", hub=None)
    name_hub(frontier, "http://paused.example/")
    frontier.pause("http://paused.example/", paused=True)
    assert websub.wanted(frontier.engine, now=NOW) == []


def test_the_topic_is_what_the_feed_calls_itself(frontier: Frontier) -> None:
    name_hub(frontier, topic="https://canonical.example/feed")
    name_hub(frontier, "http://b.example/feed")
    assert {one.topic for one in websub.wanted(frontier.engine, now=NOW)} == {
        "https://canonical.example/feed",
        "http://b.example/feed",
    }


def test_the_request_is_the_standards(frontier: Frontier) -> None:
    """WebSub §5.1."""
    name_hub(frontier)
    one = only(websub.wanted(frontier.engine, now=NOW))
    assert parse_qs(one.form("https://archive.example/websub/").decode(), strict_parsing=True) == {
        "hub.mode": ["subscribe"],
        "hub.topic": [TOPIC],
        "hub.callback": [f"https://archive.example/websub/{one.token}"],
        "hub.secret": [one.secret],
        "hub.lease_seconds": ["864000"],
    }
    assert len(one.token) >= 32
    assert len(one.secret) >= 32
    assert len(one.secret.encode()) < 200  # WebSub §5.1
    assert one.secret != one.token


def test_tokens_and_secrets_of_feeds_differ(frontier: Frontier) -> None:
    for n in range(5):
        name_hub(frontier, f"http://{n}.example/")
    found = websub.wanted(frontier.engine, now=NOW)
    assert len({one.token for one in found} | {one.secret for one in found}) == 10


def test_a_hub_that_is_silent_is_asked_again_after_a_day(frontier: Frontier) -> None:
    name_hub(frontier)
    first = only(websub.wanted(frontier.engine, now=NOW))
    websub.asked(frontier.engine, first, now=NOW)
    assert not wanted(frontier, NOW + DAY * 0.99)
    again = only(websub.wanted(frontier.engine, now=NOW + DAY))
    assert (again.token, again.secret) == (first.token, first.secret), "it may have been slow to verify"


@pytest.mark.parametrize(
    ("given", "days"),
    [("864000", 10), ("86400", 1), (None, 10), ("nonsense", 10), ("-5", 10), ("9" * 30, 10), ("999999999", 365)],
)
def test_a_lease_is_renewed_before_it_ends(frontier: Frontier, given: str | None, days: int) -> None:
    feed_id = name_hub(frontier)
    one = only(websub.wanted(frontier.engine, now=NOW))
    websub.asked(frontier.engine, one, now=NOW)
    assert lease(frontier, one, given) == "c"
    assert not wanted(frontier, NOW + days * DAY * 0.74)
    assert only(websub.wanted(frontier.engine, now=NOW + days * DAY * 0.76)).token == one.token
    assert feed(frontier, feed_id).pushed == NOW + days * DAY
    websub.asked(frontier.engine, one, now=NOW + days * DAY * 0.76)
    assert lease(frontier, one, given, now=NOW + days * DAY * 0.76)
    assert feed(frontier, feed_id).pushed == NOW + days * DAY * 1.76


def test_a_feed_that_names_another_hub_or_topic_is_asked_for_there(frontier: Frontier) -> None:
    name_hub(frontier)
    one = only(websub.wanted(frontier.engine, now=NOW))
    websub.asked(frontier.engine, one, now=NOW)
    lease(frontier, one, None)
    name_hub(frontier, hub="https://other.example/")
    other = only(websub.wanted(frontier.engine, now=NOW))
    assert other.hub == "https://other.example/"
    websub.asked(frontier.engine, other, now=NOW)
    assert not wanted(frontier, NOW)
    name_hub(frontier, hub="https://other.example/", topic="https://new.example/")
    assert only(websub.wanted(frontier.engine, now=NOW)).topic == "https://new.example/"


def test_a_hub_that_denies_is_not_relied_upon(frontier: Frontier) -> None:
    """WebSub §5.2: at any time."""
    feed_id = name_hub(frontier)
    one = only(websub.wanted(frontier.engine, now=NOW))
    websub.asked(frontier.engine, one, now=NOW)
    lease(frontier, one, None)
    assert feed(frontier, feed_id).pushed is not None
    denied = {"hub.mode": "denied", "hub.topic": "https://other.example/", "hub.reason": "no"}
    websub.verified(frontier.engine, one.token, denied, now=NOW)
    assert feed(frontier, feed_id).pushed is not None, "that was another topic"
    assert websub.verified(frontier.engine, one.token, {**denied, "hub.topic": TOPIC}, now=NOW) is None
    assert feed(frontier, feed_id).pushed is None
    assert not wanted(frontier, NOW + DAY * 0.99)
    assert wanted(frontier, NOW + DAY)


@pytest.mark.parametrize(
    ("pushed", "hours"), [(None, 1), (NOW - DAY, 1), (NOW + 10 * DAY, 24), (NOW + timedelta(hours=6), 6)]
)
def test_while_a_hub_tells_of_news_a_feed_is_asked_once_a_day(
    frontier: Frontier, pushed: datetime | None, hours: int
) -> None:
    known = replace(feed(frontier, name_hub(frontier)), pushed=pushed)
    visit = feed_visit(known, at=NOW, pace=Pace(least=timedelta(hours=1)), status=304, headers={"etag": '"x"'})
    assert visit.due == NOW + timedelta(hours=hours)


def test_a_removed_subscription_is_not_known_to_the_hub_any_more(frontier: Frontier) -> None:
    name_hub(frontier)
    one = only(websub.wanted(frontier.engine, now=NOW))
    websub.asked(frontier.engine, one, now=NOW)
    assert websub.known(frontier.engine, one.token)
    frontier.remove(TOPIC)
    assert not websub.known(frontier.engine, one.token)
    assert lease(frontier, one, None) is None


def feed(frontier: Frontier, feed_id: int) -> Feed:
    found = frontier.subscription(feed_id)
    assert found is not None
    return found


# -- what the daemon answers


@dataclass
class Answering:
    """The daemon's web application on a port of its own."""

    url: str
    port: int
    frontier: Frontier
    feed_id: int
    one: websub.Wanted
    nudges: list[datetime]
    ill: dict[str, str]

    @property
    def callback(self) -> str:
        return f"{self.url}/websub/{self.one.token}"

    @property
    def due(self) -> datetime:
        return feed(self.frontier, self.feed_id).due

    def signature(self, body: bytes, method: str = "sha256", secret: str | None = None) -> str:
        key = (secret or self.one.secret).encode()
        return f"{method}={hmac.new(key, body, getattr(hashlib, method)).hexdigest()}"


@pytest.fixture
def web(frontier: Frontier, tmp_path: Path) -> Iterator[Answering]:
    """One that has asked a hub for a subscription."""
    feed_id = name_hub(frontier)
    with transaction(frontier.engine) as connection:
        connection.execute(update(feeds).values(due=datetime.now(UTC) + DAY))
    one = only(websub.wanted(frontier.engine, now=NOW))
    websub.asked(frontier.engine, one, now=NOW)
    nudges: list[datetime] = []
    ill: dict[str, str] = {}
    stop = threading.Event()
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        archive = Archive.open(ArchiveSettings(home=tmp_path, database=str(frontier.engine.url)))
        runs = Runs(frontier.engine)
        made = Web(archive, frontier, runs, health=lambda: ill, nudge=lambda: nudges.append(datetime.now(UTC)))
        app = made.application(WebSettings(), local=True)
        thread = threading.Thread(target=serve, args=(app, listening), kwargs={"stop": stop})
        thread.start()
        yield Answering(f"http://127.0.0.1:{port}", port, frontier, feed_id, one, nudges, ill)
        stop.set()
        thread.join()


GOOD = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c<&", "hub.lease_seconds": "1000"}


def test_what_was_asked_for_is_confirmed(web: Answering) -> None:
    assert ask(web.callback, GOOD) == (200, "c<&")
    pushed = feed(web.frontier, web.feed_id).pushed
    assert pushed is not None
    assert abs(pushed - datetime.now(UTC) - timedelta(seconds=1000)) < timedelta(seconds=60)


@pytest.mark.parametrize(
    "changed",
    [
        {"hub.topic": "https://a.example/other"},
        {"hub.topic": ""},
        {"hub.topic": "https://a.example/feed\u00e9\U0001f4a3"},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
        {"hub.challenge": ""},
    ],
)
def test_what_was_not_asked_for_is_denied(web: Answering, changed: dict[str, str]) -> None:
    assert ask(web.callback, {**GOOD, **changed})[0] == 404
    assert feed(web.frontier, web.feed_id).pushed is None


@pytest.mark.parametrize("token", ["x", "x" * 5000, "%00", "a%2Fb", "%27%20or%201=1"])
def test_a_callback_that_is_guessed_is_unknown(web: Answering, token: str) -> None:
    url = f"{web.url}/websub/{token}"
    assert ask(url, GOOD)[0] == 404
    assert send(url, b"news", web.signature(b"news")) == 404
    assert web.nudges == []


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_news_with_the_hubs_signature_makes_the_feed_due(web: Answering, method: str) -> None:
    assert send(web.callback, b"news", web.signature(b"news", method)) == 202
    assert web.due <= datetime.now(UTC)
    assert len(web.nudges) == 1


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha256=\u00e9",
        "md5={md5}",
        "new=x",
        "compare_digest=x",
        "{other}",
        "{forged}",
        "{bare}",
    ],
)
def test_news_without_it_is_taken_and_not_believed(web: Answering, signature: str | None) -> None:
    """WebSub §8: whoever tries is not told that it failed."""
    values = {
        "md5": web.signature(b"news", "md5").partition("=")[2],
        "other": web.signature(b"other news"),
        "forged": web.signature(b"news", secret="guess"),
        "bare": web.signature(b"news").partition("=")[2],
    }
    before = web.due
    assert send(web.callback, b"news", signature and signature.format(**values)) == 202
    assert web.due == before
    assert web.nudges == []


def test_news_of_a_feed_that_is_due_already_do_not_put_it_off(web: Answering) -> None:
    long_ago = datetime.now(UTC) - DAY
    with transaction(web.frontier.engine) as connection:
        connection.execute(update(feeds).values(due=long_ago))
    assert send(web.callback, b"", web.signature(b"")) == 202
    assert web.due == long_ago


def test_a_hub_that_tells_all_the_time_is_followed_every_quarter_of_an_hour(web: Answering) -> None:
    first = datetime.now(UTC)
    token = web.callback.rpartition("/")[2]
    for minutes, visited, wait in [(0, True, 0), (1, True, 15), (14, False, 15), (16, True, 30), (60, True, 60)]:
        now = first + timedelta(minutes=minutes)
        if visited:
            with transaction(web.frontier.engine) as connection:
                connection.execute(update(feeds).values(due=now + DAY))
        assert websub.notified(web.frontier.engine, token, b"news", web.signature(b"news"), now=now)
        assert web.due == first + timedelta(minutes=wait)


def test_news_that_are_too_long_are_refused(web: Answering) -> None:
    body = b"x" * NOTIFICATION_BYTES
    assert send(web.callback, body, web.signature(body)) == 202
    assert len(web.nudges) == 1
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
    try:
        connection.putrequest("POST", f"/websub/{web.one.token}")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        try:
            for _ in range(50):  # it would go on for ever
                connection.send(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
        except OSError:
            pass  # nobody reads it any more
        assert connection.getresponse().status == 413
    finally:
        connection.close()
    assert len(web.nudges) == 1


def test_health_is_told_in_a_status_and_in_words(web: Answering) -> None:
    assert ask(f"{web.url}/health", {}) == (200, '{"status":"well"}')
    web.ill["store"] = "it is away"
    assert ask(f"{web.url}/health", {}) == (503, '{"status":"ill","store":"it is away"}')


@pytest.mark.parametrize("path", ["/nothing", "/websub", "/websub/", "/health/x"])
def test_nothing_else_is_answered(web: Answering, path: str) -> None:
    assert ask(web.url + path, {})[0] == 404


# -- a daemon of its own


def blog(site: Site, hub_url: str, topic: str, *, header: bool) -> None:
    """A blog whose feed names a hub and what it is called there, in itself or in a Link header."""
    site.pages.update(TIDE.pages(site.url))
    links = f'<{hub_url}>; rel="hub", <{topic}>; rel="self"'
    inside = f'<atom:link rel="hub" href="{hub_url}"/><atom:link rel="self" href="{topic}"/>'.encode()
    answer = site.pages["/feed/"]
    if header:
        site.pages["/feed/"] = replace(answer, headers={"Link": links})
        return
    body = answer.body.replace(b"<rss ", b'<rss xmlns:atom="http://www.w3.org/2005/Atom" ').replace(
        b"<description/>", b"<description/>" + inside
    )
    assert inside in body
    site.pages["/feed/"] = replace(answer, body=body)


def write_post(site: Site) -> str:
    """A new post; gives its path."""
    answer = site.pages["/feed/"]
    item = f"<item><title>News</title><link>{site.url}/2026/05/01/news/</link><guid>news</guid></item>".encode()
    site.pages["/feed/"] = replace(answer, body=answer.body.replace(b"<item>", item + b"<item>", 1))
    site.pages["/2026/05/01/news/"] = site.pages[TIDE.url_of(TIDE.posts[0])]
    return "/2026/05/01/news/"


@pytest.mark.parametrize("header", [False, True], ids=["feed", "header"])
def test_a_hub_that_a_feed_names_brings_its_news_at_once(home: Home, site: Site, hub: Hub, header: bool) -> None:
    topic, port = f"{site.url}/canonical", free_port()
    blog(site, hub.url, topic, header=header)
    subscribe(home, site, "/feed/")
    home.settings["PRESSMARK_CALLBACK"] = f"http://127.0.0.1:{port}/websub"
    with up(home, "--port", str(port), CRAWL_EVERY="1h", WEBSUB_EVERY="1s") as running:
        running.wait(lambda: len(hub.verified) == 1)
        assert hub.verified == [(200, "a challenge & more")]
        form = hub.asked[0]
        assert form["type"] == "application/x-www-form-urlencoded"
        assert (form["hub.topic"], form["hub.mode"]) == (topic, "subscribe")
        assert form["hub.callback"].startswith(f"http://127.0.0.1:{port}/websub/")
        running.wait(lambda: running.ended("crawl", "done") == 1 and running.ended("websub", "done") >= 2)
        assert len(hub.asked) == 1, "it is asked once"
        assert ask(form["hub.callback"], {"hub.mode": "subscribe", "hub.topic": topic})[0] == 404
        path = write_post(site)
        assert hub.tell() == 202
        running.wait(lambda: path in site.asked)
        running.wait(lambda: running.ended("crawl", "done") == 2)
        assert ask(f"http://127.0.0.1:{port}/health", {}) == (200, '{"status":"well"}')
        assert "Traceback" not in running.log
    assert site.asked.count("/feed/") == 2
    (told,) = map(json.loads, home.pressmark("feeds", "--json").out.splitlines())
    wait = datetime.fromisoformat(told["next_visit"]) - datetime.fromisoformat(told["last_visit"])
    assert wait > DAY * 0.9, "its hub tells of news"


def test_without_a_callback_no_hub_is_asked(home: Home, site: Site, hub: Hub) -> None:
    with transaction(subscribe(home, site, "/feed/").engine) as connection:
        connection.execute(update(feeds).values(hub=hub.url))
    done = home.pressmark("websub")
    assert (done.code, done.out) == (0, "no public callback: set PRESSMARK_CALLBACK\n")
    assert hub.asked == []


def test_a_hub_that_fails_costs_the_others_nothing(home: Home, site: Site, hub: Hub) -> None:
    frontier = subscribe(home, site, "/1", "/2", "/3", "/4", "/5")
    bad = ["http://[bad/", "ftp://hub.example/", f"http://127.0.0.1:{free_port()}/", "http://10.0.0.1/"]
    with transaction(frontier.engine) as connection:
        for number, url in enumerate([*bad, hub.url], 1):
            connection.execute(update(feeds).where(feeds.c.url == f"{site.url}/{number}").values(hub=url))
    hub.status = 500
    home.settings["PRESSMARK_CALLBACK"] = "http://127.0.0.1/websub"
    done = home.pressmark("websub")
    assert (done.code, done.out) == (0, "requested 5 subscriptions, 0 accepted\n")
    assert len(done.err.splitlines()) == 5
    assert f"pressmark: {hub.url}: the hub answered 500" in done.err.splitlines()
    assert "pressmark: http://10.0.0.1/: is not on the public internet" in done.err.splitlines()
    assert [form["hub.topic"] for form in hub.asked] == [f"{site.url}/5"], "without a name of its own, its address"
    assert home.pressmark("websub").out == "requested 0 subscriptions, 0 accepted\n", "they are asked again tomorrow"


def test_health_names_the_part_that_is_away(
    home: Home,
    own_postgres: Postgres,  # noqa: F811  a fixture
) -> None:
    port = free_port()
    home.settings["PRESSMARK_DATABASE"] = own_postgres.url
    with up(home, "--port", str(port)):
        url = f"http://127.0.0.1:{port}/health"
        assert ask(url, {}) == (200, '{"status":"well"}')
        store, away = home.path / "store", home.path / "away"
        store.rename(away)
        store.write_text("in its place")
        wait_for(lambda: ask(url, {})[0] == 503)
        said = ask(url, {})[1]
        assert set(json.loads(said)) == {"status", "store"}
        assert str(store) in json.loads(said)["store"]
        store.unlink()
        away.rename(store)
        own_postgres.stop()
        wait_for(lambda: set(json.loads(ask(url, {})[1])) == {"status", "database"})
        assert ask(url, {})[0] == 503
        status, said = ask(f"http://127.0.0.1:{port}/websub/x", {})
        assert (status, said.splitlines()[0]) == (503, "the archive is temporarily unavailable")
        assert send(f"http://127.0.0.1:{port}/websub/x", b"", None) == 503
        own_postgres.start()
        wait_for(lambda: ask(url, {})[0] == 200)
