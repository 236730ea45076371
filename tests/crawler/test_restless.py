"""Feeds whose entries change although nobody edits them: what is an edit, and what is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Home
from sample.server import Answer, Site

from crawler.decide.restless import settled
from crawler.feeds import identity
from crawler.feeds.model import FeedEntry
from crawler.model.visits import Feed

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FEED = Feed(
    id=1, url="http://blog.example/feed", title=None, site=None, paused=False, added=T0, visited=T0 - HOUR, due=T0,
    etag=None, last_modified=None, status=200, error=None, failures=0, shown=10,
)  # fmt: skip
WORDS = "<p>The {n}th walk led along the river. <i>{m} comments, {v} views, {ago} ago.</i>"


def post(
    n: int, *, updated: datetime | None = T0 - 9 * DAY, m: object = 3, v: object = "1,234", ago: str = "5 min"
) -> FeedEntry:
    text = WORDS.format(n=n, m=m, v=v, ago=ago)
    return FeedEntry(id=str(n), link=f"http://blog.example/{n}", title=f"Walk {n}", content=text, updated=updated)


def edited(
    before: Sequence[FeedEntry], now: Sequence[FeedEntry], *, feed: Feed = FEED
) -> tuple[list[str], bool | None]:
    """Ids of the entries that count as edited, and whether the feed is found to be restless."""
    known = {str(one.id): one.digest for one in before}
    found = settled(now, [one.id for one in now], known, feed=feed, at=T0)
    return [str(one.id) for one in now if found.known.get(str(one.id)) != one.digest], found.restless


POSTS = [post(n) for n in range(10)]


@pytest.mark.parametrize(
    "change",
    [
        lambda n: post(n, updated=T0 - MINUTE),
        lambda n: post(n, updated=T0 + 2 * MINUTE),
        lambda n: post(n, updated=T0 - HOUR / 2 + n * timedelta(seconds=1)),
        lambda n: post(n, m=3 + n, v=f"1,{300 + n}"),
        lambda n: post(n, m=1),
        lambda n: post(n, v="12.4K"),
        lambda n: post(n, ago="55 min"),
        lambda n: post(n, ago="55 min", updated=T0),
        lambda n: post(n, m=4) if n < 4 else POSTS[n],
    ],
)
def test_many_entries_that_change_without_a_word_are_not_edited(change: Callable[[int], FeedEntry]) -> None:
    assert edited(POSTS, [change(n) for n in range(10)]) == ([], True)


def test_an_edit_of_words_is_noticed_among_them() -> None:
    now = [post(n, updated=T0, m=7) for n in range(10)]
    now[4] = replace(now[4], content=(now[4].content or "").replace("river", "canal"))
    now[6] = replace(now[6], title="Walk 6, corrected")
    assert edited(POSTS, now) == (["4", "6"], True)
    assert edited(POSTS, now, feed=replace(FEED, restless=True)) == (["4", "6"], True)


def test_a_few_entries_with_new_dates_are_edited() -> None:
    """A feed without contents tells of an edit by its date alone."""
    now = [*POSTS[:8], post(8, updated=T0 - 40 * MINUTE), post(9, updated=T0 - 5 * HOUR)]
    assert edited(POSTS, now) == (["8", "9"], None)


def test_entries_that_were_edited_one_after_the_other_are_edited() -> None:
    now = [post(n, updated=T0 - n * HOUR) for n in range(10)]
    assert edited(POSTS, now) == ([str(n) for n in range(10)], None)


def test_one_corrected_number_is_an_edit() -> None:
    assert edited(POSTS, [post(0, v="1,243"), *POSTS[1:]]) == (["0"], None)


def test_in_a_restless_feed_one_number_is_none() -> None:
    assert edited(POSTS, [post(0, v="1,243"), *POSTS[1:]], feed=replace(FEED, restless=True)) == ([], None)


def test_two_entries_that_are_always_of_now_suffice_if_there_are_no_more() -> None:
    assert edited(POSTS[:2], [post(0, updated=T0), post(1, updated=T0)]) == ([], True)
    assert edited(POSTS[:1], [post(0, updated=T0)]) == (["0"], None), "that may be an edit"


def test_numbers_of_two_entries_suffice_if_there_are_no_more() -> None:
    assert edited(POSTS[:2], [post(0, m=4), post(1, m=9)]) == ([], True)


def test_new_entries_are_new() -> None:
    now = [post(10, updated=T0), *[post(n, updated=T0) for n in range(9)]]
    assert edited(POSTS, now) == (["10"], True)


def test_a_feed_that_stays_calm_for_a_day_is_no_longer_restless() -> None:
    restless = replace(FEED, restless=True)
    assert edited(POSTS, POSTS, feed=restless) == ([], None)
    assert edited(POSTS, POSTS, feed=replace(restless, visited=T0 - 2 * DAY)) == ([], False)


def test_what_an_earlier_version_stored_is_no_edit() -> None:
    """The words of these are `0.2.0`'s, the hash too."""
    one = FeedEntry(
        id="1", link="https://www.blog.example/1/", title="A <b>walk</b>", updated=datetime(2026, 5, 1, tzinfo=UTC),
        content="<p>Along the river.</p><a href='https://www.other.example/x/?y=1'>there</a><script>1</script>",
    )  # fmt: skip
    parts = ("//www.blog.example/1/", "A walk", "", "Along the river. there //www.other.example/x/", str(one.updated))
    former = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    found = settled([one], ["1"], {"1": former}, feed=FEED, at=T0)
    assert found.known == {"1": one.digest}
    other = replace(one, title="A run")
    assert settled([other], ["1"], {"1": former}, feed=FEED, at=T0).known == {"1": former}


def test_pages_of_a_restless_feed_are_fetched_once_and_again_when_words_change(home: Home, site: Site) -> None:
    def serve(updated: str, comments: int, word: str = "river") -> None:
        entries = "".join(
            f"<entry><id>urn:{n}</id><title>Walk {n}</title><link href='{site.url}/{n}'/><updated>{updated}</updated>"
            f"<published>2026-05-0{n}T10:00:00Z</published><summary>Along the {word if n == 2 else 'shore'}, "
            f"{comments} comments</summary></entry>"
            for n in range(1, 5)
        )
        body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>B</title><id>urn:b</id>{entries}</feed>"
        site.pages["/feed"] = Answer(body.encode(), "application/atom+xml")

    site.pages.update(
        {f"/{n}": Answer(f"The walk {n} led along. {'More follow. ' * 9}".encode(), "text/plain") for n in range(1, 5)}
    )
    asked = []
    for updated, comments, word in (
        ("2026-05-09T10:00:00Z", 3, "river"),
        (datetime.now(UTC).isoformat(), 3, "river"),
        (datetime.now(UTC).isoformat(), 12, "river"),
        (datetime.now(UTC).isoformat(), 13, "canal"),
    ):
        serve(updated, comments, word)
        site.log.clear()
        home.crawl(f"url={site.url}/feed", "force=1", "only=feeds")
        asked.append(sorted(path for path in site.asked if path not in {"/feed", "/robots.txt"}))
    assert asked == [["/1", "/2", "/3", "/4"], [], [], ["/2"]]
    assert json.loads(home.pressmark("feeds", "--json").out)["restless"]


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (POSTS[0], None),
        (post(0, updated=T0), "date"),
        (post(0, m=4), "numbers"),
        (post(0, m=4, updated=T0), "numbers"),
        (replace(POSTS[0], title="Walk one"), "words"),
        (replace(POSTS[0], link="http://blog.example/zero"), "words"),
    ],
)
def test_a_change_has_a_kind(now: FeedEntry, wanted: str | None) -> None:
    assert identity.change(POSTS[0].digest, now.digest) == wanted
    assert len(now.digest) == 64
