"""Names and passwords go to their own origin and stay out of everything that is kept; certificates are verified."""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Home
from sample.server import Answer, Site
from sqlalchemy import update

from archive.runtime.console import masked
from archive.runtime.database import connect, transaction
from archive.warc.http_message import redacted
from crawler import discover
from crawler.frontier.tables import pages
from crawler.model.url_identity import authority, shard
from crawler.net.credentials import Credentials, Origins, bare, origin, split
from crawler.session.retry_after import scope_of

BASIC = "Basic " + base64.b64encode(b"ann:s3cr:t pass").decode()
PAGE = Answer(b"<html><body><article><h1>Inside</h1>" + b"<p>These words are for subscribers only, and long.</p>" * 9)


def feed(*links: str) -> Answer:
    items = "".join(f"<item><guid>{link}</guid><title>One</title><link>{link}</link></item>" for link in links)
    document = f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>"
    return Answer(document.encode(), "application/rss+xml")


def everything(home: Home, but: str = "-") -> bytes:
    """What lies in the home, records in the clear, without files whose names begin so."""
    files = [path for path in home.path.rglob("*") if path.is_file() and not path.name.startswith(but)]
    return b"".join(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in files)


def test_a_url_is_taken_apart() -> None:
    assert split("https://ann:s3cr%3At@Blog.example/feed?a=b") == (
        "https://Blog.example/feed?a=b",
        Credentials(origin="https://blog.example:443", user="ann", password="s3cr:t"),
    )
    assert split("http://@blog.example/") == ("http://blog.example/", None)
    assert split("http://[::1]:80/") == ("http://[::1]:80/", None)
    assert bare("http://a:b@[::1/") == "http://a:b@[::1/"  # no URL at all
    assert origin("http://blog.example") == origin("http://BLOG.example:80/x") != origin("https://blog.example/")
    assert "s3cr" not in repr(split("http://ann:s3cr@blog.example/")[1])


def test_credentials_are_for_one_origin() -> None:
    known = Origins([Credentials(origin="https://blog.example:443", user="ann", password="s3cr:t pass")], [])
    assert known.authorization("https://blog.example/post") == BASIC.encode()
    for other in (
        "http://blog.example/",
        "https://blog.example:444/",
        "https://www.blog.example/",
        "https://evil.example/",
    ):
        assert known.authorization(other) is None


def test_what_only_the_server_may_know_is_not_kept() -> None:
    sent = b"GET / HTTP/1.1\r\nHost: a\r\nAUTHORIZATION: Basic eDp5\r\ncookie:a=b\r\nX: y\r\n\r\nAuthorization: body"
    kept = b"GET / HTTP/1.1\r\nHost: a\r\nAUTHORIZATION: [redacted]\r\ncookie:a=b\r\nX: y\r\n\r\nAuthorization: body"
    assert redacted(sent) == kept
    assert masked("smtp://ann:s3cr@mail.example: x") == "smtp://[redacted]@mail.example: x"


@pytest.fixture
def other() -> Iterator[Site]:
    with Site(host="127.0.0.2") as running:
        yield running


def test_a_feed_behind_a_password(home: Home, site: Site, other: Site) -> None:
    """Feed and pages of its origin get it; another host, also by a redirect, does not; nothing that is kept has it."""
    elsewhere = other.url
    site.pages["/feed"] = feed(f"{site.url}/a", f"{elsewhere}/b", f"{site.url}/c")
    site.pages["/a"] = other.pages["/b"] = other.pages["/landed"] = PAGE
    target = f"{elsewhere.replace('http://', 'http://x:y@')}/landed"
    site.pages["/c"] = Answer(b"", status=302, headers={"Location": target})
    secret = f"{site.url.replace('http://', 'http://ann:s3cr%3At%20pass@')}/feed"
    added = home.pressmark("add", secret)
    assert (added.code, added.out) == (0, f"subscribed: {site.url}/feed  T\n"), added.err
    done = home.pressmark("crawl")
    assert done.code == 0, done.err
    assert {asked.headers.get("authorization") for asked in site.log} == {BASIC}
    assert {asked.path for asked in other.log} >= {"/b", "/landed"}
    assert not {"authorization", "cookie"} & {name for asked in other.log for name in asked.headers}
    assert not any("referer" in asked.headers for asked in (*site.log, *other.log))
    kept = everything(home)
    assert b"Authorization: [redacted]" in kept
    assert BASIC.removeprefix("Basic ").encode() not in kept
    for said in (added.out, added.err, done.out, done.err, home.pressmark("feeds", "--json").out):
        assert "s3cr" not in said
    assert b"s3cr" not in everything(home, but="pressmark.db")
    assert (home.path / "pressmark.db").stat().st_mode & 0o77 == 0
    assert home.pressmark("remove", secret).code == 0
    site.log.clear()
    home.pressmark("add", f"{site.url}/feed")
    assert not any("authorization" in asked.headers for asked in site.log)


def test_a_link_with_a_password_is_followed_without_it(home: Home, site: Site) -> None:
    site.pages["/feed"] = feed(f"{site.url.replace('http://', 'http://bob:pw@')}/a")
    site.pages["/a"] = PAGE
    assert "kept 1 new post" in home.pressmark("crawl", f"{site.url}/feed").out
    assert not any("authorization" in asked.headers for asked in site.log)
    assert home.pressmark("get", f"{site.url}/a").code == 0


def test_a_user_name_makes_no_other_host() -> None:
    spellings = (
        "http://a.example/x",
        "http://u:p@A.example.:80/",
        "https://good.example@a.example/",
        "https://a.example",
    )
    assert {authority(url) for url in spellings} == {"a.example"}
    assert {shard(url) for url in spellings} == {shard("http://a.example/")}
    assert {scope_of(url, "host") for url in spellings} == {"a.example"}
    assert authority("http://u:8@a.example:8080/") == "a.example:8080"
    assert authority("http://a.example:99999/") == ""
    assert discover.guesses("http://u:p@a.example/") == discover.guesses("http://a.example/")


def test_the_host_is_the_one_that_browsers_ask() -> None:
    assert bare("http://good.example@evil.example/") == "http://evil.example/"
    assert bare("http://good.example\\@evil.example/") == "http://good.example/@evil.example/"
    assert bare("https://a.example/x?y=\\@b#\\") == "https://a.example/x?y=\\@b#\\"


def test_user_names_in_what_pages_and_old_rows_name_go_nowhere(home: Home, site: Site) -> None:
    """Not to the server, nor into the index, the frontier or what is said; and they are asked in turn with others."""
    named = site.url.replace("http://", "http://bob:s3cr3tpass@")
    links = f"<link rel=next href='{named}/a/2'><link rel=canonical href='{named}/a'>"
    site.pages["/feed"] = feed(f"{named}/a", f"{site.url}/b")
    words = "".join(
        f"<p>Part {{0}}, sentence {n}: these words are for all, and there are enough.</p>" for n in range(9)
    )
    for path, more in (("/a", links), ("/a/2", ""), ("/b", "")):
        body = f"<html><head><title>One</title>{more}</head><body><article><h1>One</h1>{words.format(path)}</article>"
        site.pages[path] = Answer(body.encode())
    assert home.pressmark("add", f"{site.url}/feed").code == 0
    with transaction(connect(f"sqlite:///{home.path / 'pressmark.db'}")) as connection:
        connection.execute(update(pages).where(pages.c.url == f"{site.url}/b").values(url=f"{named}/b"))
    done = home.pressmark("crawl")
    assert "kept 2 new posts" in done.out, done.err
    assert {"/a", "/a/2", "/b"} <= set(site.asked)
    assert not any("authorization" in asked.headers or "@" in asked.headers["host"] for asked in site.log)
    with transaction(connect(f"sqlite:///{home.path / 'pressmark.db'}"), reads=True) as connection:
        urls = connection.exec_driver_sql("SELECT url FROM captures UNION SELECT url FROM texts").scalars().all()
    assert not any("@" in url for url in urls)
    assert "s3cr3tpass" not in done.out + done.err


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """Of nobody whom anyone trusts."""
    key, own = tmp_path / "key.pem", tmp_path / "own.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    asked = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(own),
    ]
    subprocess.run([*asked, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    return context


def test_a_certificate_is_verified_unless_a_person_says_otherwise(home: Home, certificate: ssl.SSLContext) -> None:
    with Site(tls=certificate) as site:
        site.pages["/feed"] = feed(f"{site.url}/a")
        site.pages["/a"] = PAGE
        refused = home.pressmark("add", f"{site.url}/feed")
        assert refused.code == 1
        assert "certificate" in refused.err
        assert site.log == []
        assert home.pressmark("add", "--insecure", f"{site.url}/feed").code == 0
        assert "kept 1 new post" in home.pressmark("crawl", "--force").out
        assert json.loads(home.pressmark("feeds", "--json").out)["certificate_verified"] is False
        assert b"certificate: not verified" in everything(home)
        for path in home.path.glob("pressmark.db*"):
            path.unlink()
        assert home.pressmark("reindex").code == 0  # the exception is kept with the subscriptions
        assert json.loads(home.pressmark("feeds", "--json").out)["certificate_verified"] is False
        home.pressmark("add", "--secure", f"{site.url}/feed")
        site.log.clear()
        home.pressmark("crawl", "--force")
        assert site.log == []
        (health,) = map(json.loads, home.pressmark("feeds", "--json").out.splitlines())
        assert "certificate" in health["error"]
