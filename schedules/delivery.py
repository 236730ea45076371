"""Sends changes to whoever watches for them: signed webhooks at once, digests by mail."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from archive.reader.text_edits import summary
from archive.runtime.console import printable
from crawler.errors import FetchError
from crawler.net.address_guard import Guard
from schedules.changes import deliveries, kept
from schedules.changes.deliveries import Delivery
from schedules.changes.model import Change
from schedules.changes.watches import Watch
from schedules.notify import send_json, send_mail
from schedules.runs import Runs
from schedules.settings import ScheduleSettings

SIGNATURE, TIME = "X-Pressmark-Signature", "X-Pressmark-Time"
"""Headers of a webhook: `sha256=HEX`, and the seconds since 1970 that are signed with the body."""


def signature(secret: str, seconds: int, body: bytes) -> str:
    """HMAC-SHA256 of time and body, `sha256=HEX`: of the seconds since 1970 in digits, a point, and the body."""
    signed = str(seconds).encode() + b"." + body
    return f"sha256={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def send_webhooks(
    runs: Runs,
    watches: Mapping[str, Watch],
    settings: ScheduleSettings,
    *,
    user_agent: str,
    guard: Guard,
    now: Callable[[], datetime],
    enough: Callable[[], bool],
) -> tuple[int, list[FetchError]]:
    """Send each change that is due for a webhook; returns how many were sent, and what failed.

    A webhook that fails is not tried again in this run; what else is due for it waits as long.

    Raises:
        DatabaseError: The database failed.
    """
    engine = runs.engine
    due = deliveries.due(engine, "webhook", now=now())
    changes = kept.by_id(engine, {one.change_id for one in due})
    done, failed = 0, list[FetchError]()
    for name, group in groupby(sorted(due, key=lambda one: (one.watch, one.id)), key=lambda one: one.watch):
        waiting = list(group)
        watch = watches.get(name)
        for at, one in enumerate(waiting):
            change = changes.get(one.change_id)
            if enough():
                break
            if watch is None or change is None:  # removed meanwhile, or no change after all
                deliveries.sent(engine, [one])
                continue
            body = json.dumps({"watch": name, "change": change.as_json()}, ensure_ascii=False).encode()
            seconds = int(now().timestamp())
            signed = signature(settings.webhook_secret.get_secret_value(), seconds, body)
            headers = {SIGNATURE: signed, TIME: str(seconds), "User-Agent": user_agent}
            try:
                send_json(watch.webhook, body, headers, guard)
            except FetchError as e:
                failed.append(e)
                deliveries.refused(engine, waiting[at:], str(e), now=now())
                break
            deliveries.sent(engine, [one])
            done += 1
    return done, failed


def send_digests(
    runs: Runs, watches: Mapping[str, Watch], settings: ScheduleSettings, *, now: datetime
) -> tuple[int, list[FetchError]]:
    """Send one mail for each watch with changes that wait for it; returns how many were sent, and what failed.

    Raises:
        DatabaseError: The database failed.
    """
    engine = runs.engine
    due = deliveries.due(engine, "mail", now=now)
    changes = kept.by_id(engine, {one.change_id for one in due})
    done, failed = 0, list[FetchError]()
    for name, group in groupby(sorted(due, key=lambda one: (one.watch, one.id)), key=lambda one: one.watch):
        waiting = list(group)
        watch, lines = watches.get(name), _lines(waiting, changes)
        if watch is not None and lines:
            try:
                send_mail(watch.mail, f"Pressmark: {name}: {len(lines)} changes", lines, settings)
                done += 1
            except FetchError as e:
                failed.append(e)
                deliveries.refused(engine, waiting, str(e), now=now)
                continue
        deliveries.sent(engine, waiting)
    return done, failed


def line(change: Change) -> str:
    """A change as people read it."""
    said = summary(edit.name for edit in change.edits)
    what = f"{change.kind} ({said})" if said else change.kind
    title = f"  {change.title}" if change.title else ""
    detail = f"\n    {printable(change.detail)}" if change.detail else ""
    return f"{change.at:%Y-%m-%d %H:%M}Z  {what}{printable(title)}\n    {printable(change.url)}{detail}"


def _lines(waiting: Sequence[Delivery], changes: Mapping[int, Change]) -> list[str]:
    return [line(changes[one.change_id]) for one in waiting if one.change_id in changes]
