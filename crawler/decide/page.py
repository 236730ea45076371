"""What a visit of a page changes, and when to visit it again. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from crawler.decide.answers import BUSY, GONE, NOT_MODIFIED, OK, storable
from crawler.model.answer import Answer
from crawler.model.visits import Gone, Page, PageVisit
from crawler.net.backoff import AFTER_BUSY, AFTER_ERROR, backoff

_PAGE_FAILURES = 8
"""Failed fetches after which a page is no longer tried automatically: about a day and a half after the first."""


def after_page(
    page: Page,
    answer: Answer,
    *,
    plan: Sequence[timedelta],
    error: str | None = None,
    not_before: datetime | None = None,
    gone: Gone | None = None,
    verdict: str | None = None,
) -> PageVisit:
    """What a visit of a page changes.

    An `error` with status 200 or 304 concerns its text: the page itself is archived.

    Args:
        page: The page before this visit.
        answer: The result of the request.
        plan: Waits between the visits of an archived page; the last one repeats, an empty plan means never.
        error: What went wrong.
        not_before: End of the server's Retry-After; a page that was not requested because of it has not failed.
        gone: Why the post is gone, whatever the status is.
        verdict: Why the page is not the post although the server answered with it: it is asked for again as after
            an error, and nothing of it counts as the post's.
    """
    if gone is None and answer.status in GONE and page.kept:
        gone = "gone"
    there = answer.status in {OK, NOT_MODIFIED} and gone is None and verdict is None
    # The validators of an error response do not apply to the page (RFC 9110 §13.1).
    etag, last_modified = (answer.etag, answer.last_modified) if there else (None, None)
    validated = answer.validated if there else None
    if answer.status != OK:
        etag, last_modified = etag or page.etag, last_modified or page.last_modified
        validated = validated or page.validated
    answered = there or gone is not None
    failures = 0 if answered else page.failures + (answer.status is not None or not_before is None)
    visit = PageVisit(
        url=page.url,
        feed_id=page.feed_id,
        at=answer.at,
        due=None,
        kept=there,
        status=storable(answer.status),
        error=error,
        failures=failures,
        etag=etag,
        last_modified=last_modified,
        checks=page.checks,
        record=answer.row.record if answer.row else None,
        gone=gone,
        verdict=verdict,
        validated=validated if etag or last_modified else None,
    )
    if answered:
        checks = page.checks + 1 if page.kept else 0
        return replace(visit, checks=checks, due=_recheck(answer.at, plan, checks))
    if answer.status not in GONE and failures < _PAGE_FAILURES:
        first = AFTER_BUSY if answer.status in BUSY else AFTER_ERROR
        return replace(visit, due=max(answer.at + backoff(first, max(failures, 1)), not_before or answer.at))
    # Abandoned for now; an archived page keeps its position in the plan.
    checks = page.checks + 1
    return replace(visit, due=_recheck(answer.at, plan, checks), checks=checks) if page.kept else visit


def _recheck(at: datetime, plan: Sequence[timedelta], checks: int) -> datetime | None:
    return at + plan[min(checks, len(plan) - 1)] if plan else None
