"""The window of a feed: it is visited before its posts scroll away, and not more often than that takes.

Each blog publishes for weeks, and the rules decide when its feed is visited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from sample.visits import feed_visit

from crawler.decide import window
from crawler.decide.freshness import Pace
from crawler.feeds.model import FeedEntry, FeedInfo, ParsedFeed
from crawler.model.visits import Feed, FeedVisit

T0 = datetime(2026, 5, 4, 0, 0, tzinfo=UTC)
"""A Monday."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FEED = Feed(
    id=1, url="http://blog.example/feed", title=None, site=None, paused=False, added=T0, visited=None, due=T0,
    etag=None, last_modified=None, status=None, error=None, failures=0,
)  # fmt: skip
FAR = {"cache-control": "max-age=31536000"}


def known_after(feed: Feed, visit: FeedVisit) -> Feed:
    """The feed as it is known once the visit is committed."""
    always = {"etag", "last_modified", "fresh", "status", "error", "failures", "due"}
    values = {one.name: getattr(visit, one.name) for one in fields(FeedVisit) if one.name in Feed.__slots__}
    if visit.shown is None:
        values = {name: value for name, value in values.items() if name not in {"hub", "topic", "every", "skips"}}
    kept = {name: value for name, value in values.items() if value is not None or name in always}
    return replace(feed, visited=visit.at, **kept)


@dataclass(frozen=True)
class Lived:
    """What came of a time of visits."""

    lost: int
    visits: int


def live(
    posted: Iterable[datetime],
    *,
    shows: int,
    weeks: int = 4,
    dates: Callable[[datetime, datetime], datetime | None] = lambda post, _: post,
    pinned: int = 0,
    validators: bool = True,
    headers: dict[str, str] = FAR,
    info: FeedInfo = FeedInfo(),  # noqa: B008  frozen
    least: timedelta = HOUR,
) -> Lived:
    """Visit a feed from T0 on; posts that were shown at T0 or came later, and were never seen, are lost."""
    posts = sorted(posted)
    feed, at, visits = FEED, T0, 0
    seen: set[datetime] = set()
    shown_before: list[datetime] | None = None
    while at < T0 + weeks * 7 * DAY:
        out = [post for post in posts if post <= at]
        shown = [*posts[:pinned], *[post for post in reversed(out) if post not in posts[:pinned]][: shows - pinned]]
        visits += 1
        told = {**headers, **({"etag": f'"{len(out)}"'} if validators else {})}
        if validators and shown == shown_before and dates(T0, T0) == dates(T0, T0 + DAY):
            visit = feed_visit(feed, at=at, status=304, headers=told, pace=Pace(least=least))
        else:
            entries = tuple(
                FeedEntry(id=post.isoformat(), published=date, updated=date)
                for post in shown
                for date in [dates(post, at)]
            )
            visit = feed_visit(
                feed,
                at=at,
                status=200,
                headers=told,
                pace=Pace(least=least),
                parsed=ParsedFeed(feed=info, entries=entries),
                shared=tuple(post in seen for post in shown),
            )
        assert visit.due - at >= least
        seen.update(shown)
        shown_before = shown
        feed, at = known_after(feed, visit), visit.due
    assert feed.visited is not None
    begins = min(seen - set(posts[:pinned]))
    return Lived(lost=len({post for post in posts if begins <= post <= feed.visited} - seen), visits=visits)


def every(gap: timedelta, *, since: datetime = T0 - 60 * DAY, until: datetime = T0 + 60 * DAY) -> list[datetime]:
    return [since + n * gap for n in range(int((until - since) / gap))]


HALF_HOURLY = every(30 * MINUTE)
BY_DAY = [post for post in HALF_HOURLY if 8 <= post.hour < 18]
WORKDAYS = [post for post in BY_DAY if post.weekday() < 5]
DUMPS = [day + n * timedelta(seconds=6) for day in every(7 * DAY) for n in range(8)]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"validators": False},
        {"validators": False, "headers": {}},
        {"info": FeedInfo(every=7 * DAY)},
        {"info": FeedInfo(skip_hours=frozenset(range(23)))},
        {"info": FeedInfo(skip_days=frozenset({"monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}))},
    ],
)
def test_no_post_scrolls_away_whatever_server_and_feed_ask_for(asked: dict) -> None:
    assert live(HALF_HOURLY, shows=10, **asked).lost == 0


@pytest.mark.parametrize(
    ("posted", "shows"),
    [
        (HALF_HOURLY, 10),
        (BY_DAY, 10),
        (WORKDAYS, 20),
        (every(2 * HOUR), 5),
        (every(DAY), 1),
        (every(DAY), 2),
        (every(7 * DAY), 10),
        (DUMPS, 10),
        (every(MINUTE * 10), 50),
    ],
)
def test_no_post_of_a_blog_is_lost(posted: list[datetime], shows: int) -> None:
    assert live(posted, shows=shows).lost == 0


def test_a_feed_without_dates_is_followed_by_what_came_between_visits() -> None:
    """What scrolls away before the first two visits have shown how fast that is cannot be had."""
    assert live(every(30 * MINUTE), shows=10, dates=lambda _post, _at: None).lost <= 48
    slow = live(every(2 * DAY), shows=10, dates=lambda _post, _at: None)
    assert slow.lost == 0
    assert slow.visits <= 20, "it asks for visits a week apart"


@pytest.mark.parametrize(
    "dates",
    [
        lambda _post, at: at,
        lambda _post, at: at + DAY,
        lambda post, _at: post + 3650 * DAY,
        lambda _post, _at: datetime(1970, 1, 1, tzinfo=UTC),
    ],
    ids=["now", "tomorrow", "in ten years", "epoch"],
)
def test_dates_that_are_not_those_of_posts_do_no_harm(dates: Callable[[datetime, datetime], datetime]) -> None:
    assert live(every(HOUR), shows=30, dates=dates).lost == 0


def test_old_posts_that_are_published_again_are_followed_once_that_is_seen() -> None:
    """By its dates the first document says that nothing has come for ten years."""
    a_week = 7 * 24
    assert live(every(HOUR), shows=30, dates=lambda post, _at: post - 3650 * DAY).lost <= a_week


def test_posts_that_are_pinned_hide_no_haste() -> None:
    assert live(HALF_HOURLY, shows=12, pinned=3).lost == 0


# -- no haste


def test_a_feed_that_shows_everything_is_not_hurried() -> None:
    years = every(7 * DAY, since=T0 - 3650 * DAY)
    assert live(years, shows=10_000, headers={"cache-control": "max-age=604800"}).visits <= 5


def test_a_burst_of_posts_is_no_rhythm() -> None:
    imported = [T0 - HOUR + n * timedelta(seconds=6) for n in range(10)]
    done = live(imported, shows=10)
    assert done.visits < 40, "visits become rarer when nothing follows"
    assert live([post - 300 * DAY for post in imported], shows=10).visits <= 5
    assert live([post - 300 * DAY for post in imported], shows=10, headers={}).visits <= 29


def test_a_rhythm_that_is_over_calls_for_no_haste() -> None:
    old = [post - 90 * DAY for post in HALF_HOURLY if post < T0]
    assert live(old, shows=10).visits <= 5


def test_a_weekly_blog_is_visited_as_seldom_as_it_asks_for() -> None:
    assert live(every(7 * DAY), shows=10).visits <= 5


# -- single visits


def test_a_gap_makes_the_next_visit_come_sooner() -> None:
    entries = tuple(FeedEntry(id=str(n)) for n in range(10))
    feed = replace(FEED, visited=T0 - 8 * HOUR, shown=10, news=T0 - 8 * HOUR, window=16 * HOUR)
    parsed = ParsedFeed(feed=FeedInfo(), entries=entries)
    done = feed_visit(feed, at=T0, status=200, headers=FAR, pace=Pace(least=HOUR), parsed=parsed, shared=(False,) * 10)
    assert done.gap
    assert done.due == T0 + 2 * HOUR


def test_an_unknown_window_is_learned_from_visits_a_day_apart_at_most() -> None:
    parsed = ParsedFeed(feed=FeedInfo(), entries=(FeedEntry(id="1"), FeedEntry(id="2")))
    done = feed_visit(FEED, at=T0, status=200, headers=FAR, pace=Pace(least=HOUR), parsed=parsed, shared=(False, False))
    assert (done.window, done.due) == (None, T0 + DAY)


def test_the_window_of_a_feed_that_answers_304_lasts_over_a_weekend_and_then_grows() -> None:
    feed = replace(FEED, window=5 * HOUR, rhythm=HOUR, visited=T0, news=T0)
    assert window.after_no_news(feed, at=T0 + 2 * DAY, least=HOUR) == 5 * HOUR
    assert window.after_no_news(feed, at=T0 + 4 * DAY, least=HOUR) == 5 * HOUR + 4 * DAY
    burst = replace(feed, window=2 * HOUR, rhythm=7 * DAY)
    assert window.after_no_news(burst, at=T0 + HOUR, least=HOUR) == 3 * HOUR
