"""Export formats: the one table of formats in which an archived page can be written.

The command line (`pressmark get --as`), the downloads of the web app and content negotiation at `/text/` use it. A new
format is a row here and a function that writes it. No I/O except reading the archive.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line imports this module, so it must load fast
    from archive.index.from_records import HeldText
    from archive.index.schema import CaptureRow
    from archive.reader.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format; either a `TextFormat` or a `CaptureFormat`."""

    name: str
    """For `--as` and `/download/`; never changes."""

    label: str
    """For people."""

    media_type: str
    """Without parameters."""

    suffix: str
    """File name extension, without the dot."""

    description: str
    """What a file contains, for the documentation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFormat(Format):
    """A format of the extracted text. It is UTF-8 and is offered in content negotiation."""

    make: Callable[[Reader, HeldText], bytes]
    """Writes a text."""

    @property
    def content_type(self) -> str:
        """Media type with the charset."""
        return self.media_type if self.media_type == "application/json" else f"{self.media_type}; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureFormat(Format):
    """A format of a capture: what was received over the network."""

    make: Callable[[Reader, CaptureRow], bytes]
    """Writes a capture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A page in a format."""

    body: bytes
    date: datetime
    """When the page was captured; aware, UTC."""


def _text(_reader: Reader, text: HeldText) -> bytes:
    return f"{text.text}\n".encode("utf-8", "replace")


def _markdown(_reader: Reader, text: HeldText) -> bytes:
    return f"{text.fields.get('markdown') or text.text}\n".encode("utf-8", "replace")


def _json(reader: Reader, text: HeldText) -> bytes:
    from archive.reader.vanished import told

    robots = reader.robots_txt(text.row)
    fields = {
        **text.as_json(reader.index.capture(text.row.capture)),
        "robots_txt": robots.as_json() if robots else None,
        **told(reader.vanished(text.row.url)),
    }
    return (json.dumps(fields, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace")


def _payload(reader: Reader, capture: CaptureRow) -> bytes:
    return reader.payload(capture)


def _warc(reader: Reader, capture: CaptureRow) -> bytes:
    return reader.replayable_members(capture)


def _wacz(reader: Reader, capture: CaptureRow) -> bytes:
    from archive.export.wacz import pack_page

    return pack_page(reader, capture)


FORMATS: tuple[TextFormat | CaptureFormat, ...] = (
    TextFormat(
        name="text",
        label="Text",
        media_type="text/plain",
        suffix="txt",
        description="the extracted text",
        make=_text,
    ),
    TextFormat(
        name="markdown",
        label="Markdown",
        media_type="text/markdown",
        suffix="md",
        description="the extracted text with headings, links, pictures, lists, tables and code",
        make=_markdown,
    ),
    CaptureFormat(
        name="html",
        label="HTML",
        media_type="text/html",
        suffix="html",
        description="the payload as the server sent it, without its content coding",
        make=_payload,
    ),
    TextFormat(
        name="json",
        label="JSON",
        media_type="application/json",
        suffix="json",
        description="the text with everything known about it and its capture",
        make=_json,
    ),
    CaptureFormat(
        name="warc",
        label="WARC",
        media_type="application/warc",
        suffix="warc.gz",
        description="the WARC records of the capture",
        make=_warc,
    ),
    CaptureFormat(
        name="wacz",
        label="WACZ",
        media_type="application/wacz",
        suffix="wacz",
        description="the capture, the page's images, styles and fonts, and the pages it links to, for replay tools",
        make=_wacz,
    ),
)
"""The formats, in the order in which people see them; the first is the default."""


def by_name(name: str) -> TextFormat | CaptureFormat:
    """The format of that name.

    Raises:
        ValueError: There is no such format; the message lists the existing ones.
    """
    for row in FORMATS:
        if row.name == name:
            return row
    raise ValueError(f"{name[:20]}: not a format: use {listed([row.name for row in FORMATS])}")


def text_formats() -> list[TextFormat]:
    """The formats offered in content negotiation (RFC 9110 §12), the default first."""
    return [row for row in FORMATS if isinstance(row, TextFormat)]


def export(reader: Reader, form: TextFormat | CaptureFormat, url: str, at: datetime | None = None) -> Export:
    """A page as it was at an instant, in a format.

    Args:
        reader: Reads the page.
        form: A row of `FORMATS`.
        url: URL of the page; an archived redirect is followed.
        at: The nearest capture is used; None: the newest.

    Raises:
        NotArchivedError: The page has no capture or no text.
        ArchiveError: The page cannot be read.
    """
    if isinstance(form, TextFormat):
        text = reader.text(url, at)
        return Export(body=form.make(reader, text), date=text.row.date)
    capture = reader.find(url, at)
    return Export(body=form.make(reader, capture), date=capture.date)


def listed(names: list[str]) -> str:
    """`a, b or c`."""
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
