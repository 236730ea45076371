"""Notifies the operator of alarms, by webhook and mail."""

from __future__ import annotations

import json
import smtplib
import socket
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from archive.runtime.console import printable
from crawler.errors import FetchError
from crawler.frontier.alarms import Raised, as_json
from crawler.net.address_guard import Guard
from crawler.net.http_post import post
from schedules.settings import ScheduleSettings

_SECONDS = 20.0
_MAX_LINES = 200
"""Maximum number of alarms in one mail."""


def notify(found: Sequence[Raised], settings: ScheduleSettings, *, user_agent: str, guard: Guard) -> list[FetchError]:
    """Notify the webhook and mail addresses in the settings; returns the error of one if the other succeeded.

    Raises:
        FetchError: Neither succeeded.
    """
    ways: list[Callable[[], None]] = []
    if settings.alarm_webhook:
        ways.append(lambda: _to_webhook(found, settings.alarm_webhook, user_agent, guard))
    if settings.alarm_mail:
        ways.append(lambda: _to_mail(found, settings))
    errors = []
    for way in ways:
        try:
            way()
        except FetchError as e:
            errors.append(e)
    if errors and len(errors) == len(ways):
        raise errors[0]
    return errors


def _to_webhook(found: Sequence[Raised], url: str, user_agent: str, guard: Guard) -> None:
    body = json.dumps({"alarms": [as_json(alarm) for alarm in found]}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": user_agent}
    status, _ = post(url, body=body, headers=headers, guard=guard, seconds=_SECONDS)
    if not 200 <= status < 300:  # noqa: PLR2004  success
        raise FetchError(f"the webhook answered {status}", url=url)


def _to_mail(found: Sequence[Raised], settings: ScheduleSettings) -> None:
    parts = urlsplit(settings.mail_server)
    message = EmailMessage()
    first = f"{found[0].kind}: {found[0].subject}"
    message["Subject"] = _header(f"Pressmark: {first}" + (f" and {len(found) - 1} more" if len(found) > 1 else ""))
    message["From"] = _header(settings.mail_from or f"pressmark@{socket.gethostname()}")
    addresses = (printable(address).strip() for address in settings.alarm_mail.split(","))
    message["To"] = ", ".join(address for address in addresses if address)
    lines = [
        f"{one.since:%Y-%m-%d %H:%M}Z  {one.kind}  {printable(one.subject)}\n    {printable(one.detail)}"
        for one in found[:_MAX_LINES]
    ]
    message.set_content("\n".join(lines) + "\n")
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    try:
        with kind(parts.hostname or "localhost", parts.port or 0, timeout=_SECONDS) as server:
            if parts.username:
                if parts.scheme != "smtps":
                    server.starttls()
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as e:
        shown = f"{parts.scheme}://{parts.hostname}"
        raise FetchError(f"the mail could not be sent: {type(e).__name__}: {e}", url=shown) from e


def _header(text: str) -> str:
    """Text for a header: one line of bounded length, without control characters."""
    return printable(text)[:200]
