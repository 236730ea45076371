"""How long a run takes is not decided by its slowest host."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from conftest import Home
from sample.server import Answer, Site

from crawler.session.lag import Lag
from crawler.session.slow_hosts import SlowHostError, SlowHosts

UNTIL = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
URL = "http://blog.org/1"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def asked(hosts: SlowHosts, clock: Clock, seconds: float, *, answered: bool = True, url: str = URL) -> bool:
    """Whether a request that takes so long uses up the time of its site."""
    hosts.check(url)
    hosts.begin(url)
    clock.now += seconds
    return hosts.end(url, answered=answered)


def test_a_site_has_its_time_and_a_second_for_each_answer() -> None:
    clock = Clock()
    hosts = SlowHosts(60, clock)
    assert not any(asked(hosts, clock, 0.9) for _ in range(1_000))
    hosts = SlowHosts(60, clock)
    assert [asked(hosts, clock, 5) for _ in range(15)] == [False] * 14 + [True]
    hosts.leave(URL, UNTIL)
    for same in (URL, "https://www.blog.org:8443/2"):
        with pytest.raises(SlowHostError, match="blog.org answers too slowly"):
            hosts.check(same)
    hosts.check("http://other.org/")


def test_what_does_not_answer_is_given_no_second() -> None:
    clock = Clock()
    hosts = SlowHosts(60, clock)
    assert not asked(hosts, clock, 55)
    assert hosts.begin(URL) == 6
    clock.now += 6
    assert hosts.end(URL, answered=False)


def test_requests_beside_each_other_count_once() -> None:
    clock = Clock()
    hosts = SlowHosts(60, clock)
    for _ in range(8):
        hosts.begin(URL)
    clock.now += 50
    assert not any(hosts.end(URL, answered=False) for _ in range(8))
    assert hosts.begin(URL) == 10


def test_a_person_who_names_a_page_waits_for_it() -> None:
    clock = Clock()
    hosts = SlowHosts(60, clock)
    hosts.wait_for_all()
    assert not asked(hosts, clock, 10_000)


def test_what_this_machine_was_late_is_no_fault_of_a_server() -> None:
    lag = Lag()
    before = lag.clock()
    lag.slept(0.5, 1_000.5)
    lag.slept(0.5, 0.4)
    assert lag.clock() - before < 0


def test_the_rest_of_a_slow_host_waits_for_the_next_run(home: Home, site: Site) -> None:
    """Its robots.txt and feed are fast, its pages hang; another host is archived in the same run."""
    home.settings |= {"PRESSMARK_TIMEOUT": "8", "PRESSMARK_HOST_SECONDS": "8", "PRESSMARK_HOST_CONCURRENCY": "1"}
    over, hanging = threading.Event(), []

    def hang(headers: dict[str, str]) -> Answer:
        hanging.append(headers)
        over.wait(60)
        return Answer(b"<p>Late")

    words = "<p>A sentence of a genuine post about the sea and its birds, told at some length.</p>" * 9
    with Site(host="127.0.0.2") as fast:
        for one in (site, fast):
            items = "".join(f"<item><guid>{n}</guid><link>{one.url}/{n}</link></item>" for n in range(9))
            feed = f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode()
            one.pages["/feed"] = Answer(feed, "application/rss+xml")
        site.pages.update({f"/{n}": hang for n in range(9)})
        fast.pages.update({f"/{n}": Answer(f"<article><h1>{n}</h1>{words}{n}</article>".encode()) for n in range(9)})
        try:
            done = home.pressmark("crawl", f"{site.url}/feed", f"{fast.url}/feed")
            assert "kept 9 new posts" in done.out, done.err
            assert "the rest of 1 slow site left for the next crawl" in done.out
            assert "127.0.0.1 answers too slowly" in done.err
            tried = len(hanging)
            assert 0 < tried < 9
            again = home.pressmark("crawl")
            assert again.code == 0
            assert len(hanging) == tried
        finally:
            over.set()
    (shown,) = [one for one in home.pressmark("feeds", "--json").out.splitlines() if f"{site.url}/feed" in one]
    assert shown.count("no answer in time") == tried
