"""Small archives made without a crawl, and their web app in a process of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sample.services import BIN, end

from archive.archive import Archive
from archive.extract.text import Text
from archive.index.schema import CaptureRow
from archive.warc.capture import Capture
from archive.warc.http_message import header

if TYPE_CHECKING:
    from conftest import Home

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
POST = "http://blog.example/post"
HTML = b"Content-Type: text/html; charset=utf-8\r\n"


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def capture(
    hours: float = 0,
    body: bytes = b"<p>one</p>",
    status: int = 200,
    url: str = POST,
    headers: bytes = HTML,
    **more: Any,
) -> Capture:
    head = b"HTTP/1.1 %d X\r\n%b\r\n" % (status, headers)
    return Capture(url=url, date=at(hours), request=b"GET / HTTP/1.1\r\n\r\n", head=head, body=body, **more)


def unmodified(found: Capture, before: str, etag: str = '"1"') -> Capture:
    """The capture of a 304 as the confirmation of an earlier one, named by its WARC-Record-ID."""
    asked = f"GET / HTTP/1.1\r\nIf-None-Match: {etag}\r\n\r\n".encode()
    return replace(found, request=asked, validated_by=before)


def keep(archive: Archive, *found: Capture | tuple[Capture, Text | str]) -> list[CaptureRow]:
    """Commit captures, some with a text, as one batch; a 304 confirms the last one of its URL."""
    batch = archive.writer.batch(now=T0)
    rows: list[CaptureRow] = []
    for one in found:
        exchange, text = one if isinstance(one, tuple) else (one, None)
        known = [*archive.captures(exchange.url), *rows] if exchange.status == 304 else []
        before = next((row.record for row in reversed(known) if row.url == exchange.url), None)
        if exchange.status == 304 and before:
            exchange = unmodified(exchange, before, header(exchange.head, "etag") or '"1"')
        rows.append(batch.add(exchange))
        if isinstance(text, str):
            text = Text(url=exchange.url, text=text, markdown=text, title=text.splitlines()[0][:80])
        if text is not None:
            batch.add_text(rows[-1], text)
    archive.writer.commit(batch.seal())
    return rows


@contextmanager
def serving(home: Home, *options: str) -> Iterator[str]:
    """`pressmark serve` on a free port; gives its URL, and that of the replay port."""
    log = (home.path / "serve.log").open("wb")
    process = subprocess.Popen(
        [str(BIN / "pressmark"), "serve", "--port", "0", *options],
        env=home.environment, stdout=subprocess.PIPE, stderr=log,
    )  # fmt: skip
    try:
        assert process.stdout
        line = process.stdout.readline().decode()
        assert line.startswith("answering on "), (line, (home.path / "serve.log").read_text())
        bases = [line.split()[-1]]
        if "--replay-port" in options:
            bases.append(process.stdout.readline().decode().split()[-1])
        yield " ".join(bases)
    finally:
        end(process)
        log.close()
        assert process.stdout
        process.stdout.close()
