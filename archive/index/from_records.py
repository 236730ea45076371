"""Rows of the index, made from records alone, so that the index can be rebuilt from the store. No I/O of its own."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from archive.extract.right_words import marks
from archive.extract.text import PAGE, Entry, Text, images_from_json, links_from_json, made_by
from archive.index.edits import plain_digest, stated, text_marks
from archive.index.fulltext import Entered
from archive.index.schema import UNSTATED, CaptureRow, TextRow
from archive.runtime.times import iso
from archive.warc import record as warc
from archive.warc.capture import Capture, digest
from archive.warc.http_message import media_type
from archive.warc.members import Member
from archive.warc.page_identity import page_key, post_key

log = logging.getLogger(__name__)

CAPTURES = frozenset({"response", "revisit", "resource"})
"""Types of the records that begin a capture."""
_ATTENDANTS = frozenset({"request", "metadata"})
_FACTS = (
    "title", "author", "site", "language", "canonical", "license", "image", "comments", "source", "verdict",
    "feed_only",
)  # fmt: skip


def capture_rows(
    found: Iterable[Member], key: str, known: Callable[[str], CaptureRow | None] | None, *, whole: bool = False
) -> Iterator[CaptureRow]:
    """Index rows of the captures among members.

    Args:
        found: Members in the file's order.
        key: Key of the object that the file is or will be.
        known: Returns a capture by its WARC-Record-ID, for revisits that do not state all; None: they are described by
            their own records alone.
        whole: Only captures with request and metadata: in a file that was cut off, others are incomplete.
    """
    by_record: dict[str, CaptureRow] = {}
    for group in _captures(found):
        kinds = {member.record.kind for member in group[1:]}
        if whole and kinds != _ATTENDANTS:
            continue
        row = capture_row(
            group[0].record,
            None if known is None else lambda record: by_record.get(record) or known(record),
            object_key=key,
            offset=group[0].offset,
            length=sum(member.length for member in group),
            beside=[member.record for member in group[1:]],
        )
        if row is not None:
            by_record[row.record] = row
            yield row


def capture_row(
    record: warc.Record,
    known: Callable[[str], CaptureRow | None] | None,
    *,
    object_key: str,
    offset: int,
    length: int,
    beside: Iterable[warc.Record] = (),
) -> CaptureRow | None:
    """The row of the capture that a record begins; None if it is neither an HTTP exchange nor a page.

    Args:
        record: It.
        known: As for `capture_rows`.
        object_key: Key of the object.
        offset: Where the capture begins in it.
        length: Bytes of the record and those beside it.
        beside: The other records of the capture, such as the request.
    """
    if not is_page(record, beside):
        return None
    refers_to = (record.get("WARC-Refers-To") or "")[:64] or None if record.kind == "revisit" else None
    head, body = warc.split_payload(record)
    capture = Capture(url=record.url, date=record.date, request=b"", head=head, body=body)
    mime = media_type(record.get("Content-Type")) if record.kind == "resource" else capture.mime
    stated = record.get("WARC-Payload-Digest") if record.kind == "revisit" else None
    row = CaptureRow(
        record=record.id,
        url=record.url,
        date=record.date,
        status=capture.status if head else _meant(record),
        mime=mime,
        digest=(stated or capture.payload_digest)[:64],
        kind=record.kind,
        refers_to=refers_to,
        truncated=(record.get("WARC-Truncated") or "")[:16] or None if record.kind == "response" else None,
        object=object_key,
        offset=offset,
        length=length,
    )
    if known is None:
        return row
    return referring(row, known(refers_to) if refers_to else None)


def is_page(record: warc.Record, beside: Iterable[warc.Record]) -> bool:
    """Whether a record is a capture of the page of its URL, as far as the request beside it shows."""
    requests = (one for one in beside if one.kind == "request")
    return warc.is_capture(record) and all(warc.asks_for_page(one) for one in requests)


def referring(row: CaptureRow, original: CaptureRow | None) -> CaptureRow:
    """The row of a revisit, with what its own record does not state taken from the response that it refers to.

    A status that nothing states is 0.
    """
    if original is None:
        return replace(row, status=0) if row.status == UNSTATED else row
    return replace(
        row,
        digest=original.digest,
        mime=original.mime if row.mime == "unk" else row.mime,
        status=original.status if row.status == UNSTATED else row.status,
    )


def _meant(record: warc.Record) -> int:
    """Status of a capture whose record has no head."""
    if record.kind == "revisit":
        return 304 if (record.get("WARC-Profile") or "").endswith("server-not-modified") else UNSTATED
    return 200 if record.kind == "resource" else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldText:
    """A text as its records contain it, and its row."""

    row: TextRow
    text: str
    fields: dict[str, object]
    """Title, author, dates, markdown … as `Text.fields` wrote them."""

    @property
    def entry(self) -> Entry | None:
        """What was stated about the post elsewhere when the text was made.

        Texts of earlier versions record only which of their own facts came from a feed.
        """
        if "entry" in self.fields:
            return Entry.from_json(self.fields["entry"])
        sources = self.fields.get("sources")
        by_feed = [name for name, source in sources.items() if source == "feed"] if isinstance(sources, dict) else []
        return Entry.from_json({name: self.fields.get(name) for name in by_feed}) if by_feed else None

    def as_text(self) -> Text:
        """The text with its facts as typed values; a fact that is missing or of another type is omitted."""
        known: dict[str, Any] = {name: value for name in _FACTS if isinstance(value := self.fields.get(name), str)}
        for name in ("published", "modified"):
            known[name] = _stated(self.fields.get(name))
        for name in ("sources", "extractor"):
            if isinstance(value := self.fields.get(name), dict):
                known[name] = {str(key): str(one) for key, one in value.items()}
        if isinstance(says := self.fields.get("page_says"), dict):
            known["page_says"] = {str(name): str(value) for name, value in says.items()}
        if isinstance(rights := self.fields.get("rights"), dict):
            known["rights"] = rights
        if isinstance(judgement := self.fields.get("judgement"), dict):
            known["judgement"] = judgement
        tags, markdown, pages = (self.fields.get(name) for name in ("tags", "markdown", "pages"))
        return Text(
            url=self.row.url,
            text=self.text,
            markdown=markdown if isinstance(markdown, str) else self.text,
            tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
            pages=tuple(map(str, pages)) if isinstance(pages, list) else (),
            links=links_from_json(self.fields.get("links")),
            images=images_from_json(self.fields.get("images")),
            entry=self.entry,
            **known,
        )

    def as_json(self, capture: CaptureRow | None) -> dict[str, object]:
        """The text as programs see it, with the capture that it was made from."""
        return {
            "url": self.row.url,
            "date": iso(self.row.date),
            "source": PAGE,
            **{name: value for name, value in self.fields.items() if name != "entry"},
            "text": self.text,
            "capture": capture.as_json() if capture else None,
        }


def held_texts(found: Iterable[Member], key: str) -> Iterator[HeldText]:
    """The texts among members; only those whose metadata record follows."""
    first: Member | None = None
    for member in found:
        if member.record.kind == "conversion":
            first = member
        elif first is not None and member.record.get("WARC-Refers-To") == first.record.id:
            yield _held(first, member, key)
            first = None


def text_rows(found: Iterable[Member], key: str) -> Iterator[TextRow]:
    """Index rows of the texts among members; only of those whose metadata record follows."""
    return (held.row for held in held_texts(found, key))


def _held(first: Member, metadata: Member, key: str) -> HeldText:
    record = first.record
    said = json.loads(metadata.record.block)
    title = said.get("title")
    words = record.block.decode("utf-8", "replace")
    row = TextRow(
        record=record.id,
        capture=record.get("WARC-Refers-To") or "",
        url=record.url,
        date=record.date,
        digest=digest(record.block),
        title=title if isinstance(title, str) else None,
        made_by=made_by(said.get("extractor")),
        own=said.get("own") is True,
        source="feed" if said.get("source") == "feed" else "page",
        stated=stated(said),
        plain=plain_digest(words),
        marks=text_marks(words),
        object=key,
        offset=first.offset,
        length=first.length + metadata.length,
    )
    return HeldText(row=row, text=words, fields=said)


def _captures(found: Iterable[Member]) -> Iterator[list[Member]]:
    """Runs of adjacent members: the record that begins a capture, then those that name it in WARC-Concurrent-To."""
    group: list[Member] = []
    for member in found:
        record = member.record
        if group and record.kind in _ATTENDANTS and group[0].record.id in record.all("WARC-Concurrent-To"):
            group.append(member)
            continue
        if group:
            yield group
        group = [member] if record.kind in CAPTURES else []
    if group:
        yield group


def entered(held: HeldText) -> Entered:
    """The rows of the full-text index for a text."""
    said, row = held.fields, held.row
    tags = said.get("tags")
    language = said.get("language")
    author = said.get("author")
    return Entered(
        page=post_key(row.url) if row.own else page_key(row.url),
        digest=row.digest,
        url=row.url,
        host=host_of(row.url),
        title=row.title,
        author=author if isinstance(author, str) else None,
        language=language[:16] if isinstance(language, str) else None,
        tags=tuple(map(str, tags[:100])) if isinstance(tags, list) else (),
        rights=marks(said.get("rights"), said.get("license")),
        dated=_moment(said.get("published")) or row.date,
        seen=row.date,
        body=held.text,
    )


def host_of(url: str) -> str:
    """The host of a URL, with its port if that is stated; empty if there is none."""
    try:
        return (urlsplit(url).netloc.rpartition("@")[2].lower())[:255]
    except ValueError:
        return ""


def _moment(written: object) -> datetime | None:
    if not isinstance(written, str):
        return None
    try:
        found = datetime.fromisoformat(written)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _stated(written: object) -> datetime | date | None:
    """A date of a text as `Text.fields` wrote it: an instant, or only a day."""
    if not isinstance(written, str):
        return None
    try:
        return date.fromisoformat(written) if len(written) == len("2026-05-01") else datetime.fromisoformat(written)
    except ValueError:
        return None
