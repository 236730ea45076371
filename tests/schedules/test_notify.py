"""Alarms reach the operator: once, by webhook and mail, and nothing that a feed says can forge one."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from ipaddress import ip_network

import pytest
from conftest import Home, Ran
from sample.mailbox import Hook, Mails, mail_server
from sample.services import free_port

from archive.errors import SettingsError
from archive.settings import load
from crawler.errors import FetchError, PrivateAddressError
from crawler.frontier import alarms
from crawler.frontier.alarms import Raised
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Alarm
from crawler.net.address_guard import Guard
from crawler.net.http_post import post
from schedules.cli import main
from schedules.notify import notify
from schedules.settings import ScheduleSettings

NOW = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
OPEN = Guard([ip_network("127.0.0.0/8"), ip_network("::1/128")])
FEED = "http://a.example/feed"


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as running:
        yield running


@pytest.fixture
def mails() -> Iterator[Mails]:
    with mail_server() as server:
        yield server


def raised(subject: str = FEED, detail: str = "it failed", kind: str = "failing") -> Raised:
    return Raised(kind=kind, subject=subject, detail=detail, since=NOW, ended=None, told=None)


def settings(**given: str) -> ScheduleSettings:
    return ScheduleSettings(**given)


@pytest.fixture
def raise_in(home: Home):
    """Raises an alarm in a home, or ends it."""
    engine = Frontier.open(f"sqlite:///{home.path / 'pressmark.db'}").engine

    def raise_it(detail: str | None, *, subject: str = FEED, kind: str = "failing", at: datetime = NOW) -> None:
        alarm = None if detail is None else Alarm(kind=kind, detail=detail)
        alarms.about(engine, subject, alarm, kind=kind, at=at)

    return raise_it


Pressmark = Callable[..., Ran]


@pytest.fixture
def pressmark(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Pressmark:
    """Runs a command on a home, within this process."""

    def run(*arguments: str) -> Ran:
        for name, value in home.settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["pressmark", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err, out.encode())

    return run


# -- the command


def test_where_nobody_is_to_be_told_that_is_said(home: Home, pressmark: Pressmark, raise_in) -> None:
    raise_in("it failed")
    done = pressmark("tell")
    assert (done.code, done.err) == (0, "")
    assert done.out == "no alarm recipient: set PRESSMARK_ALARM_WEBHOOK or PRESSMARK_ALARM_MAIL\n"


def test_each_alarm_is_told_once(home: Home, pressmark: Pressmark, raise_in, hook: Hook) -> None:
    home.settings["PRESSMARK_ALARM_WEBHOOK"] = hook.url
    raise_in("it failed")
    raise_in("passed its deadline", subject="job crawl", kind="job", at=NOW + timedelta(minutes=1))
    assert pressmark("tell").out == "reported 2 alarms\n"
    assert pressmark("tell").out == "reported 0 alarms\n"
    assert [path for path, _, _ in hook.got] == ["/hook"]
    _, headers, _ = hook.got[0]
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("Pressmark/")
    assert hook.alarms == [
        {"kind": "failing", "subject": FEED, "detail": "it failed", "since": "2026-05-01T12:30:00Z", "ended": None},
        {
            "kind": "job",
            "subject": "job crawl",
            "detail": "passed its deadline",
            "since": "2026-05-01T12:31:00Z",
            "ended": None,
        },
    ]
    raise_in("it failed, and for another reason", at=NOW + timedelta(hours=1))  # it goes on
    assert pressmark("tell").out == "reported 0 alarms\n"
    raise_in(None, at=NOW + timedelta(hours=2))
    raise_in("again", at=NOW + timedelta(hours=3))
    assert pressmark("tell").out == "reported 1 alarms\n"
    assert hook.alarms[-1]["detail"] == "again"


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_a_webhook_does_not_take_is_told_later(
    home: Home, pressmark: Pressmark, raise_in, hook: Hook, status: int
) -> None:
    home.settings["PRESSMARK_ALARM_WEBHOOK"] = hook.url
    raise_in("it failed")
    hook.status, hook.headers = status, {"Location": hook.url.replace("/hook", "/elsewhere")}
    done = pressmark("tell")
    assert (done.code, done.err) == (1, f"pressmark: {hook.url}: the webhook answered {status}\n")
    assert [path for path, _, _ in hook.got] == ["/hook"], "it is not led elsewhere"
    hook.status = 204
    assert pressmark("tell").out == "reported 1 alarms\n"


def test_a_webhook_that_does_not_answer_is_told_in_one_line(home: Home, pressmark: Pressmark, raise_in) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    home.settings["PRESSMARK_ALARM_WEBHOOK"] = url
    raise_in("it failed")
    done = pressmark("tell")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith(f"pressmark: {url}: no answer: ")


def test_a_webhook_in_a_private_network_is_refused(home: Home, pressmark: Pressmark, raise_in, hook: Hook) -> None:
    home.settings |= {"PRESSMARK_ALARM_WEBHOOK": hook.url, "PRESSMARK_ALLOW_NETWORKS": ""}
    raise_in("it failed")
    done = pressmark("tell")
    assert done.code == 1
    assert done.err.splitlines() == [
        f"pressmark: {hook.url}: is not on the public internet",
        "  If you mean to crawl it, name its network in PRESSMARK_ALLOW_NETWORKS.",
    ]
    assert hook.got == []


def test_mail_reaches_every_address(home: Home, pressmark: Pressmark, raise_in, mails: Mails) -> None:
    home.settings |= {
        "PRESSMARK_ALARM_MAIL": "one@a.example, Two <two@b.example>,",
        "PRESSMARK_MAIL_SERVER": mails.url,
        "PRESSMARK_MAIL_FROM": "archive@c.example",
    }
    raise_in("it failed")
    raise_in("it shrank", kind="collapsed", at=NOW + timedelta(minutes=1))
    assert pressmark("tell").out == "reported 2 alarms\n"
    assert pressmark("tell").out == "reported 0 alarms\n"
    envelope = [line.split(" ")[0] + line.partition("<")[2] for line in mails.said if line[:4] in {"mail", "rcpt"}]
    assert envelope == ["mailarchive@c.example>", "rcptone@a.example>", "rcpttwo@b.example>"]
    (message,) = mails.taken
    mail = message_from_bytes(message, policy=policy.default)
    assert mail["Subject"] == f"Pressmark: failing: {FEED} and 1 more"
    assert mail["From"] == "archive@c.example"
    assert mail.get_content() == (
        f"2026-05-01 12:30Z  failing  {FEED}\n    it failed\n2026-05-01 12:31Z  collapsed  {FEED}\n    it shrank\n"
    )


def test_one_way_that_is_out_of_order_does_not_silence_the_other(
    home: Home, pressmark: Pressmark, raise_in, hook: Hook, mails: Mails
) -> None:
    home.settings |= {
        "PRESSMARK_ALARM_WEBHOOK": hook.url,
        "PRESSMARK_ALARM_MAIL": "one@a.example",
        "PRESSMARK_MAIL_SERVER": mails.url,
    }
    raise_in("it failed")
    hook.status = 500
    done = pressmark("tell")
    assert (done.code, done.out) == (1, "reported 1 alarms\n")
    assert done.err == f"pressmark: {hook.url}: the webhook answered 500\n"
    assert len(mails.taken) == 1
    assert pressmark("tell").out == "reported 0 alarms\n", "nobody hears the same each minute"
    raise_in("it shrank", kind="collapsed")
    mails.refuses = True
    done = pressmark("tell")
    assert (done.code, done.out, len(mails.taken)) == (1, "", 1)
    hook.status = 200
    done = pressmark("tell")
    assert (done.code, done.out) == (1, "reported 1 alarms\n")
    assert "the mail could not be sent: SMTPSenderRefused" in done.err


# -- mail and webhook


def test_a_mail_server_that_is_not_there_is_an_error() -> None:
    server = f"smtp://user:secret@127.0.0.1:{free_port()}"
    with pytest.raises(FetchError, match="^smtp://127.0.0.1: the mail could not be sent: Connection") as caught:
        notify([raised()], settings(alarm_mail="a@b.example", mail_server=server), user_agent="x", guard=OPEN)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("server", ["mail.example", "mail.example:25", "http://mail.example", "smtp://", "smtp://h:x"])
def test_a_mail_server_is_a_url(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("PRESSMARK_MAIL_SERVER", server)
    with pytest.raises(SettingsError, match="PRESSMARK_MAIL_SERVER"):
        load(ScheduleSettings)


FORGED = (
    "http://a.example/\r\nBcc: all@world.example\r\n\r\nforged",
    "http://a.example/\nX-Forged: 1",
    "http://a.example/\x85X-Forged: 1\u2028X-Forged: 2",
    "http://a.example/\x1b[2J\x00\x07",
    f"http://a.example/{'long' * 2000}",
    "http://a.example/\U0001f4a3ä",
)


@pytest.mark.parametrize("text", FORGED)
@pytest.mark.parametrize("place", ["subject", "detail"])
def test_nothing_in_an_alarm_can_forge_a_header_or_a_line(mails: Mails, text: str, place: str) -> None:
    to = settings(alarm_mail="one@a.example", mail_server=mails.url, mail_from="archive@c.example")
    notify([raised(**{place: text}), raised()], to, user_agent="x", guard=OPEN)
    (message,) = mails.taken
    mail = message_from_bytes(message, policy=policy.default)
    assert set(mail.keys()) == {"Subject", "From", "To", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert len(mail["Subject"]) <= 200
    assert [line for line in mails.said if line[:4].upper() == "RCPT"] == ["rcpt TO:<one@a.example>"]
    lines = mail.get_content().split("\n")
    assert len(lines) == 5
    assert [line[:4] for line in lines] == ["2026", "    ", "2026", "    ", ""]
    assert all(c.isprintable() for line in lines for c in line)


def test_a_mail_lists_so_many_alarms_and_no_more(mails: Mails) -> None:
    many = [raised(subject=f"http://{n}.example/") for n in range(1000)]
    notify(many, settings(alarm_mail="one@a.example", mail_server=mails.url), user_agent="x", guard=OPEN)
    (message,) = mails.taken
    mail = message_from_bytes(message, policy=policy.default)
    assert mail["Subject"] == "Pressmark: failing: http://0.example/ and 999 more"
    assert mail.get_content().count("\n    it failed\n") == 200


def test_a_webhook_gets_what_a_feed_says_as_json(hook: Hook) -> None:
    found = [raised(subject=text, detail=text) for text in FORGED]
    assert notify(found, settings(alarm_webhook=hook.url), user_agent="x", guard=OPEN) == []
    assert [alarm["subject"] for alarm in hook.alarms] == list(FORGED)


# -- posts of our own


def send(url: str, guard: Guard = OPEN) -> int:
    return post(url, body=b"x", headers={}, guard=guard, seconds=5)[0]


@pytest.mark.parametrize(
    "url", ["ftp://a.example/", "//a.example/", "nonsense", "http://[bad/", "http://h:99999/", "http://a..b/", ""]
)
def test_what_is_no_web_address_is_not_posted_to(url: str) -> None:
    with pytest.raises(FetchError, match="is not an http or https address"):
        send(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0.0.0.0/", "http://2130706433/"),
        *("http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::ffff:127.0.0.1]/"),
    ],
)
def test_a_private_address_is_not_posted_to(url: str) -> None:
    with pytest.raises(PrivateAddressError):
        send(url, Guard())


def test_the_name_is_looked_up_once(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is connected to is the address that was judged, under the name that was asked for."""
    asked: list[str] = []

    def lookup(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        found = "10.0.0.1", "127.0.0.1"
        return [(2, 1, 6, "", (address, port)) for address in found]

    with monkeypatch.context() as patch:
        patch.setattr("crawler.net.http_post.socket.getaddrinfo", lookup)
        with pytest.raises(PrivateAddressError):
            send(f"http://hub.example:{hook.port}/", Guard())
        monkeypatch.undo()
    real = _lookup_of(monkeypatch, "127.0.0.1")
    assert send(f"http://user:secret@bücher.example:{hook.port}/p?q=1#part") == 200
    assert real == ["xn--bcher-kva.example"]
    path, headers, _ = hook.got[0]
    assert path == "/p?q=1"
    assert headers["host"] == f"xn--bcher-kva.example:{hook.port}"
    assert asked == ["hub.example"]


def _lookup_of(monkeypatch: pytest.MonkeyPatch, address: str) -> list[str]:
    """Every name but addresses leads to one address; gives the names that are asked for."""
    import socket

    names: list[str] = []
    real = socket.getaddrinfo

    def lookup(host: str, *arguments: object, **named: object) -> object:
        if host == address:
            return real(host, *arguments, **named)
        names.append(host)
        return real(address, *arguments, **named)

    monkeypatch.setattr("socket.getaddrinfo", lookup)
    return names


@pytest.mark.parametrize("path", ["/hüb", "/a b", "/a\x01b", "/%0d%0aX-Forged:1"])
def test_an_odd_path_is_escaped_and_forges_nothing(hook: Hook, path: str) -> None:
    assert send(hook.url.replace("/hook", path)) == 200
    assert "x-forged" not in hook.got[0][1]


@contextmanager
def _babbling(begin: bytes, again: bytes, every: float = 0.0) -> Iterator[str]:
    """A server that never comes to an end of its answer."""

    class Babble(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            try:
                self.request.sendall(begin)
                while True:
                    self.request.sendall(again)
                    time.sleep(every)
            except OSError:
                return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Babble) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_an_answer_without_end_is_cut() -> None:
    with _babbling(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536) as url:
        status, said = post(url, body=b"x", headers={}, guard=OPEN, seconds=5)
    assert (status, len(said)) == (200, 64 * 1024)


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 2"])
def test_an_answer_that_trickles_is_not_waited_for(begin: bytes) -> None:
    with _babbling(begin, b"x", every=0.2) as url:
        began = time.monotonic()
        with pytest.raises(FetchError, match=r"no answer within 1\.5 s"):
            post(url, body=b"x", headers={}, guard=OPEN, seconds=1.5)
    assert time.monotonic() - began < 10


# -- pressmark alarms


def test_alarms_are_listed_while_they_last(home: Home, pressmark: Pressmark, raise_in) -> None:
    assert pressmark("alarms").out == "no alarms; 0 feeds\n"
    assert pressmark("alarms", "--json").out == ""
    raise_in("it failed\nall is well\x1b[2J")
    raise_in("it shrank", subject="http://b.example/\nforged", kind="collapsed", at=NOW + timedelta(minutes=1))
    assert pressmark("alarms").out.splitlines() == [
        f"2026-05-01 12:30  failing     {FEED}: it failed all is well [2J",
        "2026-05-01 12:31  collapsed   http://b.example/ forged: it shrank",
    ]
    raise_in(None, at=NOW + timedelta(hours=1))
    assert pressmark("alarms").out.count("\n") == 1
    first, second = map(json.loads, pressmark("alarms", "--all", "--json").out.splitlines())
    assert first == {
        "kind": "failing",
        "subject": FEED,
        "detail": "it failed\nall is well\x1b[2J",
        "since": "2026-05-01T12:30:00Z",
        "ended": "2026-05-01T13:30:00Z",
        "told": None,
    }
    assert second["ended"] is None
    assert " until 2026-05-01 13:30  failing" in pressmark("alarms", "--all").out
