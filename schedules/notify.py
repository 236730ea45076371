"""Notifies the operator of alarms, by webhook and mail."""

from __future__ import annotations

import json
import smtplib
import socket
from collections.abc import Callable, Mapping, Sequence
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
    send_json(url, body, {"User-Agent": user_agent}, guard)


def send_json(url: str, body: bytes, headers: Mapping[str, str], guard: Guard) -> None:
    """Send JSON to a webhook.

    Raises:
        FetchError: It could not be sent, or was not accepted.
    """
    every = {"Content-Type": "application/json", **headers}
    status, _ = post(url, body=body, headers=every, guard=guard, seconds=_SECONDS)
    if not 200 <= status < 300:  # noqa: PLR2004  success
        raise FetchError(f"the webhook answered {status}", url=url)


def _to_mail(found: Sequence[Raised], settings: ScheduleSettings) -> None:
    first = f"{found[0].kind}: {found[0].subject}" + (f" and {len(found) - 1} more" if len(found) > 1 else "")
    lines = [
        f"{one.since:%Y-%m-%d %H:%M}Z  {one.kind}  {printable(one.subject)}\n    {printable(one.detail)}"
        for one in found[:_MAX_LINES]
    ]
    send_mail(settings.alarm_mail, f"Pressmark: {first}", lines, settings)


def send_mail(to: str, subject: str, lines: Sequence[str], settings: ScheduleSettings) -> None:
    """Send a mail through the server in the settings.

    Args:
        to: Addresses, separated by commas.
        subject: What it is about; long ones are cut.
        lines: The text, printable.
        settings: Server and sender.

    Raises:
        FetchError: It could not be sent.
    """
    parts = urlsplit(settings.mail_server)
    message = EmailMessage()
    message["Subject"] = _header(subject)
    message["From"] = _header(settings.mail_from or f"pressmark@{socket.gethostname()}")
    addresses = (printable(address).strip() for address in to.split(","))
    message["To"] = ", ".join(address for address in addresses if address)
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
