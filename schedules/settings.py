"""Settings of the daemon: when jobs run, for how long, and who is notified of alarms."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from archive.runtime.times import parse_span
from archive.settings import PressmarkSettings
from schedules.triggers import MOST, parse_trigger


def _trigger(text: str) -> str:
    parse_trigger(text)
    return text


def _span(value: object) -> object:
    return parse_span(str(value)) if isinstance(value, str | int | float) else value


def _mail_server(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.port == 0:
        raise ValueError("use smtp://HOST, smtps://HOST or smtp://USER:PASSWORD@HOST:PORT")
    return text


Trigger = Annotated[str, AfterValidator(_trigger)]
"""A span such as `5m`, five cron fields in UTC, or `off`."""
Span = Annotated[timedelta, BeforeValidator(_span), Field(gt=timedelta(0), le=MOST)]
"""A span such as `6h`; without a unit, seconds."""


class ScheduleSettings(PressmarkSettings):
    """The daemon's settings."""

    crawl_every: Trigger = "5m"
    """Crawls feeds and new posts that are due according to the frontier."""
    crawl_deadline: Span = timedelta(hours=1)
    """A run takes no new work after three quarters of it. One that takes longer is asked to end, then killed; the
    same for each job below."""

    recheck_every: Trigger = "15m"
    """Crawls posts that are due for a re-check."""
    recheck_deadline: Span = timedelta(minutes=30)

    backfill_every: Trigger = "15m"
    """Continues backfills, such as those started by a gap."""
    backfill_deadline: Span = timedelta(hours=6)

    verify_every: Trigger = "30 3 * * *"
    """Verifies a sample of the stored objects."""
    verify_sample: str = "1%"
    """How large the sample is."""
    verify_deadline: Span = timedelta(hours=12)

    compact_every: Trigger = "6h"
    """Joins the small objects of days and months that are over."""
    compact_deadline: Span = timedelta(hours=6)

    seal_every: Trigger = "10m"
    """Commits what killed crawls left in the spool."""
    seal_deadline: Span = timedelta(minutes=30)

    stamp_every: Trigger = "1h"
    """Has the newest roots of the logs time-stamped, if PRESSMARK_TIMESTAMP_AUTHORITY is set."""
    stamp_deadline: Span = timedelta(minutes=5)

    websub_every: Trigger = "10m"
    """Subscribes at WebSub hubs, if PRESSMARK_CALLBACK is set."""
    websub_deadline: Span = timedelta(minutes=5)

    housekeeping_every: Trigger = "50 4 * * *"
    """Deletes old job runs, and lets the database tidy up."""
    housekeeping_deadline: Span = timedelta(hours=1)

    history_kept: Span = timedelta(days=90)
    """How long job runs and alarms are kept after their end."""

    tell_every: Trigger = "1m"
    """Notifies webhook and mail of new alarms, if either is set."""
    tell_deadline: Span = timedelta(minutes=2)

    watch_every: Trigger = "1m"
    """Finds what happened to posts, and sends it to the webhooks of watches."""
    watch_deadline: Span = timedelta(minutes=10)

    digest_every: Trigger = "0 6 * * *"
    """Sends the digests of watches by mail."""
    digest_deadline: Span = timedelta(minutes=10)

    webhook_secret: SecretStr = SecretStr("")
    """Signs what is sent to the webhooks of watches; empty: there can be none."""

    stop_seconds: float = Field(default=25.0, gt=0)
    """Seconds that running jobs get for a clean end when the daemon stops."""

    alarm_webhook: str = ""
    """URL to which each new alarm is sent as JSON; empty: none."""
    alarm_mail: str = ""
    """Comma-separated addresses that receive new alarms; empty: none."""
    mail_server: Annotated[str, AfterValidator(_mail_server)] = "smtp://localhost"
    """`smtp://[USER:PASSWORD@]HOST[:PORT]`, or `smtps://`."""
    mail_from: str = ""
    """Sender of the mail; empty: pressmark at this host."""
