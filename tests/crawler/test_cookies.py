"""Sites that set a cookie and redirect until it comes back: answered once, within that chain, and then forgotten."""

from __future__ import annotations

import io
import itertools
import sqlite3
from collections.abc import Callable

import pytest
from conftest import Home
from sample.server import Answer, Site
from test_refreshes import page, refresh, rss

from archive.warc import record as warc
from crawler.limits import COOKIE_BYTES, COOKIE_RETURNS, COOKIES
from crawler.net.cookies import SetCookie, added, cookie_header

Wall = Callable[[dict[str, str]], Answer]
HOST = "https://www.blog.example"


# -- which cookies are sent


@pytest.mark.parametrize(
    ("value", "url", "wanted"),
    [
        (b"a=1", f"{HOST}/post", b"a=1"),
        (b"a=1; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600", f"{HOST}/post", b"a=1"),
        (b"a=1; Domain=blog.example; Path=/", f"{HOST}/post", b"a=1"),
        (b"a=1; Secure; Path=/", f"{HOST}/post", b"a=1"),
        (b"a=x%20y|z==; Path=/", f"{HOST}/post", b"a=x%20y|z=="),
        (b"a=1; Secure; Path=/", "http://www.blog.example/post", b""),
        (b"a=1; Path=/check", f"{HOST}/post", b""),
        (b"a=1; Path=/", "https://blog.example/post", b""),
        (b"a=1; Domain=blog.example; Path=/", "https://blog.example/post", b""),
        (b"a=1; Domain=other.example; Path=/", f"{HOST}/post", b""),
        (b"a=1; Domain=example; Path=/", f"{HOST}/post", b""),
        (b"a=; Max-Age=0; Path=/", f"{HOST}/post", b""),
        (b"a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/", f"{HOST}/post", b""),
        (b"", f"{HOST}/post", b""),
        (b"\xff\x00;=;;", f"{HOST}/post", b""),
        (b"a=1\r\nX-Evil: 1; Path=/", f"{HOST}/post", b""),
    ],
)
def test_a_cookie_is_sent_as_its_attributes_say_and_only_to_its_host(value: bytes, url: str, wanted: bytes) -> None:
    cookies = added((), [value], f"{HOST}/old")
    assert cookie_header(cookies, url) == wanted


@pytest.mark.parametrize("host", ["http://127.0.0.1:8000", "http://localhost", "http://intranet"])
def test_hosts_of_any_kind_get_their_cookies(host: str) -> None:
    assert cookie_header(added((), [b"a=1; Path=/"], f"{host}/old"), f"{host}/post") == b"a=1"


def test_later_cookies_replace_earlier_ones_or_end_them() -> None:
    first = added((), [b"a=1; Path=/", b"b=1; Path=/", b"c=1; Path=/"], f"{HOST}/old")
    then = added(first, [b"a=2; Path=/", b"b=; Max-Age=0; Path=/"], f"{HOST}/check")
    assert set(cookie_header(then, f"{HOST}/post").split(b"; ")) == {b"a=2", b"c=1"}


def test_cookies_have_limits() -> None:
    assert added((), [b"a=" + b"x" * COOKIE_BYTES], HOST) == ()
    many = added((), [b"n%d=1; Path=/" % n for n in range(500)], HOST)
    assert len(many) == COOKIES
    large = added((), [b"n%d=" % n + b"x" * 500 for n in range(COOKIES)], f"{HOST}/")
    assert cookie_header(large, f"{HOST}/post") == b""
    assert many[0] == SetCookie(url=HOST, value=b"n0=1; Path=/")


# -- in a crawl


def to(url: str, *cookies: str, status: int = 302) -> Answer:
    headers = {"Location": url, **({"Set-Cookie": "\n".join(cookies)} if cookies else {})}
    return Answer(b"", status=status, headers=headers, validators=False)


def wall(beyond: Answer, before: Answer, *needed: str) -> Wall:
    """Answers with what is beyond once these cookies come back."""

    def answer(headers: dict[str, str]) -> Answer:
        came = headers.get("cookie", "").split("; ")
        return beyond if set(needed) <= set(came) else before

    return answer


def walled(kind: str, path: str, beyond: Answer) -> dict[str, Answer | Wall]:  # noqa: PLR0911  one for each kind
    """A path behind a check, with the pages of the check."""
    seen = "seen=1; Path=/"
    if kind.isdecimal():
        return {path: wall(beyond, to(path, seen, status=int(kind)), "seen=1")}
    if kind == "several":
        return {path: wall(beyond, to(path, seen, "lang=en; Path=/"), "seen=1", "lang=en")}
    if kind == "one after the other":
        second = wall(beyond, to(path, "b=2; Path=/"), "a=1", "b=2")
        return {
            path: lambda headers: second(headers) if "a=1" in headers.get("cookie", "") else to(path, "a=1; Path=/")
        }
    if kind == "check page":
        return {path: wall(beyond, to("/check", seen), "seen=1"), "/check": to(path)}
    if kind == "set by check page":
        return {path: wall(beyond, to("/check"), "seen=1"), "/check": to(path, seen)}
    if kind == "check page needs it":
        check = wall(to(path, status=307), Answer(b"<p>Please enable cookies.</p>", validators=False), "seen=1")
        return {path: wall(beyond, to("/check", seen), "seen=1"), "/check": check}
    reload = Answer(
        f"<html><head>{refresh('0')}</head>Checking.</html>".encode(), headers={"Set-Cookie": seen}, validators=False
    )
    return {path: wall(beyond, reload, "seen=1")}


KINDS = [
    "301", "302", "303", "307", "308", "several", "one after the other", "check page", "set by check page",
    "check page needs it", "refresh",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_post_behind_a_check_of_cookies_is_had(home: Home, site: Site, kind: str) -> None:
    site.pages = {"/feed": rss(f"{site.url}/1"), **walled(kind, "/1", page("Herons wait."))}
    done = home.crawl(f"url={site.url}/feed")
    assert done.out.startswith("kept 1 new post;"), (done.out, done.err)
    assert "Herons wait." in home.pressmark("get", f"{site.url}/1").out


@pytest.mark.parametrize("kind", ["301", "check page", "set by check page", "refresh"])
def test_a_feed_behind_a_check_is_read_at_each_visit_under_its_own_address(home: Home, site: Site, kind: str) -> None:
    site.pages = {"/1": page("One."), **walled(kind, "/feed", rss(f"{site.url}/1"))}
    assert home.crawl(f"url={site.url}/feed").out.startswith("kept 1 new post;")
    site.log.clear()
    assert home.crawl("force=1").code == 0
    assert ask(home, "SELECT url, error, moved_to FROM feeds") == [(f"{site.url}/feed", None, None)]
    visits = [one for one in site.log if one.path == "/feed"]
    assert [one.status for one in visits][-1] == 304, "its validators go to where they came from"
    assert "cookie" not in visits[0].headers, "cookies do not outlast the chain in which they were set"


@pytest.mark.parametrize("kind", ["302", "check page"])
def test_robots_txt_behind_a_check_is_read(home: Home, site: Site, kind: str) -> None:
    rules = Answer(b"User-agent: *\nDisallow: /1\n", content_type="text/plain", validators=False)
    site.pages = {
        "/feed": rss(f"{site.url}/1", f"{site.url}/2"),
        "/1": page("One."),
        "/2": page("Two."),
        **walled(kind, "/robots.txt", rules),
    }
    assert home.crawl(f"url={site.url}/feed").out.startswith("kept 1 new post")
    assert "/1" not in site.asked


def test_no_other_request_has_the_cookie(home: Home, site: Site) -> None:
    site.pages = {
        "/feed": rss(*(f"{site.url}/{n}" for n in range(4))),
        **walled("302", "/0", page("None.")),
        **{f"/{n}": page(f"Number {n}.") for n in range(1, 4)},
    }
    assert home.crawl(f"url={site.url}/feed").out.startswith("kept 4 new posts;")
    assert [one.path for one in site.log if "cookie" in one.headers] == ["/0"]
    assert site.asked.count("/0") == 2


def test_the_records_show_the_cookie_as_it_was_set_and_sent(home: Home, site: Site) -> None:
    site.pages = {"/feed": rss(f"{site.url}/1"), **walled("302", "/1", page("One."))}
    home.crawl(f"url={site.url}/feed")
    found = (record for path in home.objects("warc") for record in warc.read(io.BytesIO(path.read_bytes())))
    mine = [record for record in found if record.url == f"{site.url}/1"]
    sent = [b"Cookie: seen=1\r\n" in record.block for record in mine if record.kind == "request"]
    given = [b"Set-Cookie: seen=1; Path=/\r\n" in record.block for record in mine if record.kind == "response"]
    assert (sent, given) == ([False, True], [True, False])


@pytest.mark.parametrize("kind", ["302", "check page"])
def test_a_site_that_is_never_satisfied_is_left_with_one_reason(home: Home, site: Site, kind: str) -> None:
    beyond = to("/1", "seen=1; Path=/")
    site.pages = {"/feed": rss(f"{site.url}/1"), **walled(kind, "/1", beyond)}
    home.crawl(f"url={site.url}/feed")
    reason = f"redirects lead back to {site.url}/1, also with the cookies that the site has set"
    assert ask(home, "SELECT error, kept FROM pages") == [(reason, 0)]
    assert site.asked.count("/1") == 2


def test_a_site_that_sets_another_cookie_each_time_is_left_after_a_few(home: Home, site: Site) -> None:
    numbers = itertools.count()
    site.pages = {"/feed": rss(f"{site.url}/1"), "/1": lambda _: to("/1", f"session={next(numbers)}; Path=/")}
    home.crawl(f"url={site.url}/feed")
    assert site.asked.count("/1") == 1 + COOKIE_RETURNS
    assert ask(home, "SELECT error FROM pages")[0][0].startswith("redirects lead back to ")


def test_without_a_cookie_a_redirect_to_itself_is_not_followed(home: Home, site: Site) -> None:
    site.pages = {"/feed": rss(f"{site.url}/1"), "/1": to("/1")}
    home.crawl(f"url={site.url}/feed")
    assert site.asked.count("/1") == 1
    assert ask(home, "SELECT error FROM pages") == [(f"redirects lead back to {site.url}/1",)]


def ask(home: Home, statement: str) -> list[tuple]:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        return database.execute(statement).fetchall()
