"""A blog as it was at an instant: which posts were there, in which version, and what is said of the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sample.archives import HTML, at, capture, keep, unmodified
from sample.past_blog import EDITED, FEED_ONLY, GONE, HOST, LATE, OTHER_NAME, ROOT, make, page, text
from sqlalchemy import event

from archive.archive import Archive
from archive.errors import NotArchivedError
from archive.extract.named_feeds import named_feeds
from archive.extract.named_sites import named_sites
from archive.index.at_time import Place
from archive.reader.blog_at import BlogAt, last_of
from archive.reader.blog_hosts import hosts_of
from archive.reader.post_words import LEAD_CHARACTERS, day_of, instant_of, lead_of
from archive.reader.vanished import NoLedger, Vanished
from archive.settings import ArchiveSettings
from archive.warc.page_identity import page_key

ABSENT = Vanished(
    key=page_key(GONE), url=GONE, kind="gone", status=404, since=at(15), last_seen=at(5), proof=None, back=at(40)
)


FEEDS = (
    ("rss", "text/xml", b"<rss><channel><link>https://blog.example/</link><item><link>http://other.example/</link></item>"),
    ("atom", "application/atom+xml", b"""<feed xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="http://a.example/"/>
    <link rel="hub" href="http://b.example/"/><link href="http://never.example/"/><link rel="alternate" href="http://www.blog.example/x"/></feed>"""),
    ("json", "application/feed+json", b'{"version": "https://jsonfeed.org/version/1.1", "home_page_url": "http://blog.example"}'),
)  # fmt: skip


class Told(NoLedger):
    """A ledger with some times during which posts were not online."""

    def __init__(self, *times: Vanished) -> None:
        self.times = times

    def missing(self, pages: Collection[str], at: datetime) -> Mapping[str, Vanished]:
        during = (one for one in self.times if one.since <= at and (one.back is None or at < one.back))
        return {one.key: one for one in during if one.key in pages}


@pytest.fixture
def archive(tmp_path: Path, database: str) -> Archive:
    settings = ArchiveSettings(home=tmp_path, store=f"file:{tmp_path / 'store'}", database=database)
    opened = Archive.open(settings, ledger=lambda _: Told(ABSENT))
    make(opened)
    return opened


def blog(archive: Archive, hours: float) -> BlogAt:
    return BlogAt(archive, hosts_of(archive, HOST), at(hours))


@contextmanager
def counted(archive: Archive) -> Iterator[list[str]]:
    """The statements that the database is given."""
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_) -> None:
        statements.append(statement)

    event.listen(archive.index.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(archive.index.engine, "before_cursor_execute", note)


def urls(archive: Archive, hours: float) -> list[str]:
    return [one.url for one in blog(archive, hours).listed(50).posts]


def titles(archive: Archive, hours: float) -> dict[str, str | None]:
    found = blog(archive, hours)
    return {post.url: post.version.text.title for post in found.posts(found.listed(50).posts)}


def test_posts_are_listed_from_when_they_were_first_seen_newest_date_first(archive: Archive) -> None:
    assert urls(archive, -1) == []
    assert urls(archive, 0) == [EDITED]
    assert urls(archive, 2) == [OTHER_NAME, EDITED, FEED_ONLY]  # without a date, by when it was seen
    assert urls(archive, 5) == [OTHER_NAME, GONE, EDITED, FEED_ONLY]


def test_a_post_is_not_there_while_it_was_found_gone(archive: Archive) -> None:
    before = timedelta(microseconds=1)
    assert GONE in urls(archive, 14.99)
    assert GONE not in urls(archive, 15)
    assert GONE not in urls(archive, 39)
    assert GONE in urls(archive, 40)
    assert GONE in [one.url for one in BlogAt(archive, (HOST,), at(15) - before).listed(50).posts]
    with pytest.raises(NotArchivedError, match="no post that was there at that time") as raised:
        blog(archive, 16).post(GONE)
    assert str(raised.value.hint).startswith("It was not there from 2026-05-02 03:00 UTC to 2026-05-03 04:00 UTC")


def test_many_posts_that_are_gone_cost_few_questions(tmp_path: Path) -> None:
    gone = [f"{ROOT}/gone/{n}" for n in range(300)]
    told = Told(*(replace(ABSENT, key=page_key(url), url=url) for url in gone))
    opened = Archive.open(ArchiveSettings(home=tmp_path), ledger=lambda _: told)
    make(opened)
    keep(opened, *((page(3 + n / 1000, url, f"{n}"), text(url, f"number {n}", day=28)) for n, url in enumerate(gone)))
    assert len(blog(opened, 4).listed(2).posts) == 2
    assert blog(opened, 4).listed(2).posts[0].url in {gone[-1], OTHER_NAME}
    with counted(opened) as statements:
        assert [one.url for one in blog(opened, 16).listed(2).posts] == [OTHER_NAME, GONE]
    assert len(statements) < 20


def test_a_later_absence_does_not_hide_an_earlier_one(tmp_path: Path) -> None:
    again = replace(ABSENT, since=at(60), back=None)
    opened = Archive.open(ArchiveSettings(home=tmp_path), ledger=lambda _: Told(ABSENT, again))
    make(opened)
    assert [GONE in urls(opened, hours) for hours in (10, 20, 50, 70)] == [True, False, True, False]


def test_each_post_has_the_words_that_had_been_seen_last(archive: Archive) -> None:
    assert [titles(archive, hours)[EDITED] for hours in (0, 9.9, 10, 19.9, 20, 99)] == [
        "Edited <b>post</b>",
        "Edited <b>post</b>",
        "A new title",
        "A new title",
        "Edited <b>post</b>",  # as it was before
        "Edited <b>post</b>",
    ]
    post = blog(archive, 12).post(EDITED)
    assert (post.version.number, post.version.first, post.looked, post.same) == (2, at(10), at(10), None)
    assert post.text is not None
    assert post.text.text.startswith("Other words.")
    assert post.stated is not None
    assert (post.stated.author, day_of(post.stated.published)) == ("Ada", "2026-04-20")


def test_every_spelling_of_an_address_is_the_post(archive: Archive) -> None:
    found = blog(archive, 50)
    for written in (EDITED, EDITED.replace("http://", "https://www."), f"{EDITED}/?utm_source=x#more"):
        assert found.post(written).url == EDITED
    assert found.post(FEED_ONLY).version.text.source == "feed"
    assert found.post(LATE).url == LATE
    assert found.post(OTHER_NAME.replace("www.", "")).url == OTHER_NAME
    for never in (f"{ROOT}/never", "http://other.example/x"):
        with pytest.raises(NotArchivedError):
            found.post(never)
    with pytest.raises(NotArchivedError, match="no post of blog.example that had been seen by 2026-05-02 00:00:00 UTC"):
        blog(archive, 12).post(LATE)


def test_posts_dated_before_and_first_seen_later_are_listed_apart(archive: Archive) -> None:
    later = blog(archive, 4).seen_later(50).posts
    assert [(one.url, one.seen) for one in later] == [(GONE, at(5)), (LATE, at(30))]
    assert blog(archive, 30).seen_later(50).posts == ()
    long_ago = BlogAt(archive, (HOST,), datetime(2026, 4, 20, 12, tzinfo=UTC))
    assert [one.url for one in long_ago.seen_later(50).posts] == [EDITED, FEED_ONLY]
    assert long_ago.listed(50).posts == ()


def test_a_confirmation_after_the_instant_says_that_nothing_had_changed(archive: Archive) -> None:
    url = f"{ROOT}/confirmed"
    tagged = capture(50, b"<p>one</p>", url=url, headers=HTML + b'ETag: "1"\r\n')
    keep(archive, (tagged, text(url, "one", day=2)))
    for hours in (52, 54, 56):  # the last two are counted with the first
        batch = archive.writer.batch(now=at(hours))
        answer = capture(hours, b"", 304, url=url, headers=b'ETag: "1"\r\n')
        batch.add(unmodified(answer, archive.captures(url)[0].record))
        archive.writer.commit(batch.seal())
    post = blog(archive, 51).post(url)
    assert (post.version.first, post.looked, post.same) == (at(50), at(50), None)
    between = blog(archive, 55).post(url)
    assert (between.version.first, between.looked, between.same) == (at(50), at(52), at(56))
    after = blog(archive, 57).post(url)
    assert (after.looked, after.same) == (at(56), None)


def test_lists_come_in_parts_without_gap_or_repetition(archive: Archive) -> None:
    for n in range(23):
        url = f"{'http://www.' if n % 2 else 'http://'}{HOST}/many/{n}"
        keep(archive, (page(2 + n / 100, url, f"{n}"), text(url, f"number {n}", day=1 + n % 7)))
    found = blog(archive, 20)
    whole = [one.url for one in found.listed(500).posts]
    assert len(whole) == len(set(whole)) == 23 + 3
    for size in (1, 4, 25, 26):
        parts, after = [], None
        while True:
            part = found.listed(size, after)
            parts += [one.url for one in part.posts]
            if part.following is None:
                break
            after = Place.parse(str(part.following))
            assert len(part.posts) == size
        assert parts == whole
    assert [one.url for one in found.every()] == whole


@pytest.mark.parametrize("written", ["", "x", "1", "1-", "-1", "1-2-3", "9" * 18 + "-1", "1-" + "9" * 30])
def test_a_place_that_was_not_given_is_refused_or_harmless(written: str) -> None:
    try:
        Place.parse(written)
    except ValueError as e:
        assert "is no place in this list" in str(e)  # noqa: PT017  a place far away is fine


@pytest.mark.parametrize(
    "written",
    [
        HOST,
        f"www.{HOST}",
        HOST.upper(),
        f"{ROOT}/",
        f"https://{HOST}/feed",
        f"{ROOT}/any/page?x=1",
        f"feed://{HOST}/rss",
        "http://old.example/",
        "http://hub.example/feed",
        "http://hub.example/moved",
        "http://hub.example/rss",
        "http://hub.example/atom",
        "http://hub.example/json",
    ],
)
def test_a_blog_is_found_by_its_host_its_pages_its_feed_and_what_led_there(archive: Archive, written: str) -> None:
    keep(
        archive,
        capture(1, b"", 301, url="http://old.example/", headers=b"Location: http://blog.example/\r\n"),
        (capture(1, b"<rss>2</rss>", url="http://hub.example/feed", headers=b"Content-Type: text/xml\r\n"),
         text(f"{ROOT}/from-the-hub", "From the hub.", source="feed")),
        capture(1, b"", 301, url="http://hub.example/moved", headers=b"Location: /rss\r\n"),
        *(capture(1, body, url=f"http://hub.example/{name}", headers=b"Content-Type: %b\r\n" % kind.encode())
          for name, kind, body in FEEDS),
    )  # fmt: skip
    assert set(hosts_of(archive, written)) == {HOST, f"www.{HOST}"}


def test_a_blog_that_is_not_archived_is_named(archive: Archive) -> None:
    for written in ("never.example", "intranet", "http://never.example/feed"):
        with pytest.raises(NotArchivedError, match="no post of that blog"):
            hosts_of(archive, written)
    for written in ("", "a blog", "ftp://blog.example/x"):
        with pytest.raises(ValueError, match=r"\S"):
            hosts_of(archive, written)


def test_captures_of_front_page_and_feed_near_the_instant_are_found(archive: Archive) -> None:
    found = blog(archive, 12)
    front = found.front()
    assert front is not None
    assert (front.url, front.date) == (f"{ROOT}/", at(1))
    feed = found.feed([None, front])
    assert feed is not None
    assert (feed.url, feed.date) == (f"{ROOT}/feed", at(1))
    assert found.feed([]) is None
    assert found.period() == (at(0), at(10))


def test_links_that_lead_to_posts_of_the_time_are_known(archive: Archive) -> None:
    spelt = [GONE.replace("http:", "https:"), LATE, f"{ROOT}/", FEED_ONLY]
    assert set(blog(archive, 12).known(spelt)) == {spelt[0], FEED_ONLY}
    assert set(blog(archive, 31).known(spelt)) == {spelt[0], LATE, FEED_ONLY}


def test_a_list_asks_as_little_of_a_large_blog_as_of_a_small_one(archive: Archive) -> None:
    def asked(posts: int) -> int:
        for n in range(posts):
            url = f"{ROOT}/large/{posts}/{n}"
            keep(archive, (page(3 + n / 100, url, f"{n}"), text(url, f"number {n}", day=25)))
        with counted(archive) as statements:
            found = blog(archive, 20)
            assert len(found.posts(found.listed(3).posts)) == 3
        return len(statements)

    assert asked(3) == asked(20)


def test_a_whole_second_is_meant_as_a_whole() -> None:
    assert last_of(at(0)) == at(0) + timedelta(microseconds=999_999)
    exact = at(0) + timedelta(microseconds=5)
    assert last_of(exact) == exact
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert last_of(end) == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"home_page_url": 7}', b"<", b"\0", b"[" * 100_000, b"<a><link/></a>"]
)
def test_a_document_that_names_no_site_names_none(body: bytes) -> None:
    assert named_sites(body, url="http://hub.example/", content_type=None) == []


def test_a_page_names_its_feeds_by_their_types() -> None:
    page = b"""<base href=http://cdn.example/><link rel=alternate type=application/rss+xml><link rel=stylesheet href=/x>
    <link rel="Alternate nofollow" type="Application/Atom+XML; charset=utf-8" href=/a><link rel=alternate hreflang=de href=/d>
    <link rel=alternate type=application/feed+json href=/a><link rel=alternate type=application/rss+xml href=mailto:a@b.example>"""
    assert named_feeds(page, url=f"{ROOT}/", content_type="text/html") == ["http://cdn.example/a"]
    assert named_feeds(b"", url=f"{ROOT}/", content_type=None) == []


def test_a_document_cannot_load_anything() -> None:
    bomb = b"""<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><rss><link>http://h.example/&x;</link></rss>"""
    assert named_sites(bomb, url="http://hub.example/", content_type=None) == ["http://h.example/"]


def test_words_of_lists() -> None:
    assert lead_of("one\n two ") == "one two"
    long = lead_of("word " * 200)
    assert long.endswith("word…")
    assert len(long) <= LEAD_CHARACTERS + 1
    assert len(lead_of("字" * 900)) == LEAD_CHARACTERS + 1
    day = datetime(2026, 4, 1, 23, 0, tzinfo=UTC).date()
    assert (day_of(day), day_of(None), instant_of(None)) == ("2026-04-01", "", None)
    assert instant_of(day) == datetime(2026, 4, 1, tzinfo=UTC)
