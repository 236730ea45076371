"""What follows from a visit of a page. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from crawler.decide.answers import BUSY, GONE, NOT_MODIFIED, OK, storable
from crawler.model.visits import Gone, Page, PageVisit
from crawler.net.backoff import AFTER_BUSY, AFTER_ERROR, backoff

_PAGE_FAILURES = 8
"""Failed fetches after which a page is not tried again by itself: about a day and a half after the first."""


def after_page(
    page: Page,
    *,
    at: datetime,
    plan: Sequence[timedelta],
    status: int | None,
    error: str | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
    not_before: datetime | None = None,
    gone: Gone | None = None,
    record: str | None = None,
) -> PageVisit:
    """What a visit of a page changes.

    `error` with status 200 or 304 is about its text: the page itself is held.

    Args:
        page: As it was before.
        at: When it was visited.
        plan: Waits between the visits of a page that is held; the last one goes on for ever, none means never.
        status: Of the answer; None if there was none.
        error: What went wrong.
        etag: Of the answer.
        last_modified: Of the answer.
        not_before: What the server asked for; a page that was not asked for at all because of that has not failed.
        gone: Why the post is not there, whatever the status says.
        record: Of the capture that shows it.
    """
    if gone is None and status in GONE and page.kept:
        gone = "gone"
    there = status in {OK, NOT_MODIFIED} and gone is None
    if not there:  # the validators of an error say nothing of the page (RFC 9110 §13.1)
        etag = last_modified = None
    answered = there or gone is not None
    failures = 0 if answered else page.failures + (status is not None or not_before is None)
    visit = PageVisit(
        url=page.url,
        feed_id=page.feed_id,
        at=at,
        due=None,
        kept=there,
        status=storable(status),
        error=error,
        failures=failures,
        etag=etag if status == OK else etag or page.etag,
        last_modified=last_modified if status == OK else last_modified or page.last_modified,
        checks=page.checks,
        record=record,
        gone=gone,
    )
    if answered:
        again = page.checks + 1 if page.kept else 0
        return replace(visit, checks=again, due=_recheck(at, plan, again))
    if status not in GONE and failures < _PAGE_FAILURES:
        first = AFTER_BUSY if status in BUSY else AFTER_ERROR
        return replace(visit, due=max(at + backoff(first, max(failures, 1)), not_before or at))
    # Given up for now; what is held keeps its place in the plan.
    return replace(visit, due=_recheck(at, plan, page.checks + 1), checks=page.checks + 1) if page.kept else visit


def _recheck(at: datetime, plan: Sequence[timedelta], checks: int) -> datetime | None:
    return at + plan[min(checks, len(plan) - 1)] if plan else None
