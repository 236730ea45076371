"""WARC/1.1 records to bytes and back (ISO 28500:2017); the only module that imports warcio. No I/O.

warcio receives complete blocks and never parses them: its HTTP header parser changes what servers sent.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Literal

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser, StatusAndHeadersParserException
from warcio.warcwriter import WARCWriter

from archive.warc.capture import Capture, digest
from archive.warc.codings import dechunked
from archive.warc.http_message import header, split_head

VERSION = "WARC/1.1"
CONFORMS_TO = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
GZIP_LEVEL = 6

_FRACTION = re.compile(r"(\.\d{6})\d+")
_STATUS_LINE = re.compile(rb"[^\s/]*/[^\s/]+ ")
"""Beginning of a response whatever the server calls its protocol: `http/1.1 200 OK`."""
_PART_OF_DATE = re.compile(r"\d{4}(-\d{2})?")

Profile = Literal["identical-payload-digest", "server-not-modified"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One WARC record."""

    headers: tuple[tuple[str, str], ...]
    """Named fields in order, without WARC-Type's siblings that `pack` adds (Content-Length)."""

    block: bytes
    """Everything after the record header."""

    def get(self, name: str) -> str | None:
        """First value of a named field, whatever its case."""
        wanted = name.lower()
        for key, value in self.headers:  # asked very often
            if key == name or key.lower() == wanted:
                return value
        return None

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a named field, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    def having(self, *changed: tuple[str, str]) -> Record:
        """The record with these named fields, each replacing all fields of that name."""
        names = {name.lower() for name, _ in changed}
        kept = (pair for pair in self.headers if pair[0].lower() not in names)
        return Record(headers=(*kept, *changed), block=self.block)

    @property
    def kind(self) -> str:
        """WARC-Type."""
        return (self.get("WARC-Type") or "").lower()

    @property
    def id(self) -> str:
        """WARC-Record-ID with its angle brackets."""
        return self.get("WARC-Record-ID") or ""

    @property
    def url(self) -> str:
        """WARC-Target-URI; empty on warcinfo. WARC/1.0 writers put it in angle brackets."""
        stated = self.get("WARC-Target-URI") or ""
        return stated[1:-1] if stated.startswith("<") and stated.endswith(">") else stated

    @property
    def date(self) -> datetime:
        """WARC-Date, aware, UTC."""
        return read_date(self.get("WARC-Date") or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The earlier response that a revisit refers to."""

    record: str
    """WARC-Record-ID of a `response`, never of a revisit."""
    url: str
    date: datetime


def write_date(moment: datetime) -> str:
    """WARC-Date to the microsecond (WARC/1.1 §5.4)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_date(text: str) -> datetime:
    """Aware UTC datetime of a WARC-Date; digits past the microsecond are dropped.

    Raises:
        ValueError: The text is not a W3C date.
        OverflowError: Its year in UTC is out of range.
    """
    text = _FRACTION.sub(r"\1", text.strip().upper())
    if _PART_OF_DATE.fullmatch(text):  # a year or a month: its beginning
        text = f"{text}-01-01"[:10]
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def record_id(uuid: str) -> str:
    """WARC-Record-ID of a UUID."""
    return f"<urn:uuid:{uuid}>"


def fields(pairs: Mapping[str, str] | Sequence[tuple[str, str]]) -> bytes:
    """An `application/warc-fields` block; line breaks in values become spaces."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return "".join(f"{name}: {' '.join(value.split())}\r\n" for name, value in items).encode()


def warcinfo(
    *, uuid: str, date: datetime, filename: str, info: Mapping[str, str] | Sequence[tuple[str, str]]
) -> Record:
    """First record of every file (§6.2)."""
    block = fields(info)
    return Record(
        headers=(
            ("WARC-Type", "warcinfo"),
            ("WARC-Record-ID", record_id(uuid)),
            ("WARC-Date", write_date(date)),
            ("WARC-Filename", filename),
            ("Content-Type", "application/warc-fields"),
            ("WARC-Block-Digest", digest(block)),
        ),
        block=block,
    )


def response(capture: Capture, *, uuid: str, info: str) -> Record:
    """The response as received (§6.3); `info` is the file's warcinfo id."""
    block = stored_head(capture) + capture.body
    return Record(
        headers=(
            *_exchange("response", capture, uuid, info),
            *_connection(capture),
            ("Content-Type", "application/http; msgtype=response"),
            ("WARC-Payload-Digest", capture.payload_digest),
            ("WARC-Block-Digest", digest(block)),
            *((("WARC-Truncated", capture.truncated),) if capture.truncated else ()),
        ),
        block=block,
    )


def revisit(capture: Capture, *, uuid: str, info: str, profile: Profile, refers_to: Reference) -> Record:
    """A response whose payload is archived already (§6.7); the block has the headers of this visit."""
    block = stored_head(capture)
    same = profile == "identical-payload-digest"
    return Record(
        headers=(
            *_exchange("revisit", capture, uuid, info),
            *_connection(capture),
            ("Content-Type", "application/http; msgtype=response"),
            ("WARC-Profile", IDENTICAL if same else NOT_MODIFIED),
            ("WARC-Refers-To", refers_to.record),
            ("WARC-Refers-To-Target-URI", refers_to.url),
            ("WARC-Refers-To-Date", write_date(refers_to.date)),
            *((("WARC-Payload-Digest", capture.payload_digest), ("WARC-Truncated", "length")) if same else ()),
            ("WARC-Block-Digest", digest(block)),
        ),
        block=block,
    )


def request(capture: Capture, *, uuid: str, info: str, concurrent_to: str) -> Record:
    """The request as sent (§6.5), beside the response `concurrent_to`."""
    return Record(
        headers=(
            *_exchange("request", capture, uuid, info),
            ("WARC-Concurrent-To", concurrent_to),
            ("Content-Type", "application/http; msgtype=request"),
            ("WARC-Block-Digest", digest(capture.request)),
        ),
        block=capture.request,
    )


def metadata(capture: Capture, *, uuid: str, info: str, concurrent_to: str) -> Record:
    """What the crawler knows about the exchange (§6.6): how the URL was reached, how long it took.

    The URL is only in the record that it names; a page that is visited for years has many of these.
    """
    pairs = {"fetchTimeMs": str(round(capture.seconds * 1000))}
    if capture.via:
        pairs["via"] = capture.via
    if capture.hops:
        pairs["hopsFromSeed"] = capture.hops
    if capture.unverified:
        pairs["certificate"] = "not verified"
    block = fields(pairs)
    return Record(
        headers=(
            ("WARC-Type", "metadata"),
            ("WARC-Record-ID", record_id(uuid)),
            ("WARC-Date", write_date(capture.date)),
            ("WARC-Warcinfo-ID", info),
            ("WARC-Concurrent-To", concurrent_to),
            ("Content-Type", "application/warc-fields"),
            ("WARC-Block-Digest", digest(block)),
        ),
        block=block,
    )


def conversion(
    *, uuid: str, info: str, url: str, date: datetime, refers_to: str, text: str, language: str | None
) -> Record:
    """Clean text made from the capture `refers_to`; URL and date are that capture's (§6.8)."""
    block = text.encode("utf-8", "replace")
    return Record(
        headers=(
            ("WARC-Type", "conversion"),
            ("WARC-Record-ID", record_id(uuid)),
            ("WARC-Date", write_date(date)),
            ("WARC-Target-URI", url),
            ("WARC-Warcinfo-ID", info),
            ("WARC-Refers-To", refers_to),
            ("Content-Type", "text/plain; charset=utf-8"),
            *((("WARC-Identified-Content-Language", code),) if (code := _alpha3(language)) else ()),
            ("WARC-Block-Digest", digest(block)),
        ),
        block=block,
    )


def _alpha3(language: str | None) -> str | None:
    """ISO 639-3 code of a language tag, the form that this field always has; None if it is not a language."""
    import langcodes

    try:
        return langcodes.Language.get(language).to_alpha3() if language else None
    except (LookupError, ValueError):
        return None


def attachment(*, uuid: str, info: str, url: str, date: datetime, refers_to: str, json: bytes) -> Record:
    """A metadata record with the data of the conversion `refers_to` that are not its plain text."""
    return Record(
        headers=(
            ("WARC-Type", "metadata"),
            ("WARC-Record-ID", record_id(uuid)),
            ("WARC-Date", write_date(date)),
            ("WARC-Target-URI", url),
            ("WARC-Warcinfo-ID", info),
            ("WARC-Refers-To", refers_to),
            ("Content-Type", "application/json"),
            ("WARC-Block-Digest", digest(json)),
        ),
        block=json,
    )


def stored_head(capture: Capture) -> bytes:
    """The response head as stored.

    Bodies are stored without their transfer coding, so a chunked response's `Transfer-Encoding` is renamed:
    the only change made to what a server sent, and the only form that all checkers agree on.
    """
    first, *lines = capture.head.split(b"\n")
    return b"\n".join(
        (first, *(b"X-Archive-Orig-" + line if _name(line) == b"transfer-encoding" else line for line in lines))
    )


def _name(line: bytes) -> bytes:
    """Name of a header field in lower case; empty for a line that continues the one before (line folding)."""
    return b"" if line[:1] in {b" ", b"\t"} else line.partition(b":")[0].strip().lower()


class _Writer(WARCWriter):  # type: ignore[misc]  # warcio has no types
    """warcio's writer without the digests it would add: the one that it adds to requests is wrong."""

    def ensure_digest(self, record: ArcWarcRecord, block: bool = True, payload: bool = True) -> None:
        """Leave the digests of the record unchanged."""


def pack(record: Record) -> bytes:
    """The record as one gzip member."""
    headers = StatusAndHeaders("", list(record.headers), protocol=VERSION)
    plain = io.BytesIO()
    _Writer(plain, gzip=False, warc_version=VERSION).write_record(
        # Every record is passed as a resource: warcio would write no block for a revisit. The headers state the type.
        ArcWarcRecord("warc", "resource", headers, io.BytesIO(record.block), None, None, len(record.block))
    )
    member = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return member.compress(plain.getbuffer()) + member.flush()


def read(stream: BinaryIO) -> Iterator[Record]:
    """The records of a WARC file, or of any sequence of its members.

    Raises:
        ValueError: The bytes are not a WARC file, or end within a record.
    """
    try:
        for found in ArchiveIterator(stream, no_record_parse=True):
            block = found.raw_stream.read()
            if len(block) != int(found.rec_headers.get_header("Content-Length", -1)):
                raise ValueError("ends within a record")
            yield Record(headers=tuple(found.rec_headers.headers), block=block)
    except (ArchiveLoadFailed, EOFError, zlib.error) as e:
        raise ValueError(str(e) or type(e).__name__) from e


def read_one(plain: bytes) -> Record:
    """The record in the bytes of one member, as `read` gives it.

    A header in the plain form that nearly all writers use is read here, in a tenth of the time; others by warcio.

    Raises:
        ValueError: The bytes are not a record, or end within it.
    """
    head, end, rest = plain.partition(b"\r\n\r\n")
    found = _plain_fields(head) if end else None
    length = next((value for name, value in found or () if name.lower() == "content-length"), "")
    if found is None or not (length.isascii() and length.isdecimal()):
        try:
            return next(read(io.BytesIO(plain)))
        except StopIteration:
            raise ValueError("no record") from None
    block = rest[: int(length)]
    if len(block) != int(length):
        raise ValueError("ends within a record")
    return Record(headers=found, block=block)


_VERSIONS = (b"WARC/1.1\r\n", b"WARC/1.0\r\n")
_FIELD = re.compile(r"([!-9;-~]+):[ \t]*(|[^\s][^\r\n]*)")


def _plain_fields(head: bytes) -> tuple[tuple[str, str], ...] | None:
    """Named fields of a header without folded lines and blanks at odd places; None if it has any."""
    if not head.startswith(_VERSIONS):
        return None
    try:
        lines = head.decode().split("\r\n")[1:]
    except UnicodeDecodeError:
        return None
    found = []
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None or line[-1:].isspace():
            return None
        found.append((field[1], field[2]))
    return tuple(found)


def is_capture(record: Record) -> bool:
    """Whether the record is a server's response over HTTP, or a page that was stored without the exchange."""
    web = record.url.lower().startswith(("http://", "https://"))
    if record.kind == "resource":
        return web
    if record.kind == "revisit":
        return web and (not record.block or _is_http(record))
    return web and record.kind == "response" and _is_http(record)


def asks_for_page(request: Record) -> bool:
    """Whether a request record is a GET: answers to other methods, such as POST, are not the page of their URL."""
    method = request.block.partition(b" ")[0].strip()
    return not method.isalpha() or method.upper() == b"GET"


def _is_http(record: Record) -> bool:
    """Whether the block is an HTTP response, whatever it calls its protocol, as long as the record says so."""
    if record.block.startswith(b"HTTP/"):
        return True
    stated = (record.get("Content-Type") or "").lower().startswith("application/http")
    return stated and _STATUS_LINE.match(record.block) is not None


def split_payload(record: Record) -> tuple[bytes, bytes]:
    """Head and payload of a capture's first record: the entity body, without chunked transfer coding.

    Our own records have no chunks; those of other tools may.
    """
    if record.kind == "resource":
        return b"", record.block
    head, body = split_head(record.block)
    if body and "chunked" in (header(head, "transfer-encoding") or "").lower():
        body = dechunked(body)
    return head, body


def read_head(head: bytes) -> tuple[tuple[str, str], ...]:
    """Named fields of a record header, from its version line through the empty line; folded lines are joined.

    Raises:
        ValueError: It is not a WARC header.
    """
    try:
        version, end, rest = head.partition(b"\n")
        found = StatusAndHeadersParser(ArcWarcRecordLoader.WARC_TYPES).parse(io.BytesIO(version.upper() + end + rest))
    except (StatusAndHeadersParserException, EOFError) as e:
        raise ValueError("no WARC header") from e
    return tuple((name.strip(), " ".join(value.split("\r\n")).strip()) for name, value in found.headers)


def named_fields(head: bytes) -> tuple[tuple[str, str], ...]:
    """Named fields of a record header, given without the empty line at its end.

    Raises:
        ValueError: It is not a WARC header.
    """
    found = _plain_fields(head)
    return read_head(head + b"\r\n\r\n") if found is None else found


_HASHES = {"sha1": hashlib.sha1, "md5": hashlib.md5, "sha256": hashlib.sha256, "sha512": hashlib.sha512}


def digest_agrees(stated: str | None, data: bytes) -> bool | None:
    """Whether bytes have the digest that a record states, in any common form; None if it cannot be checked."""
    name, colon, value = (stated or "").strip().partition(":")
    make = _HASHES.get(name.lower().replace("-", ""))
    if not colon or not value.strip() or make is None:
        return None
    found = make(data).digest()
    forms = (base64.b32encode(found).decode().rstrip("="), found.hex())
    return value.strip().rstrip("=").lower() in {form.lower() for form in forms}


def _connection(capture: Capture) -> tuple[tuple[str, str], ...]:
    """How request and response were transmitted."""
    return (
        *(("WARC-Protocol", name) for name in capture.protocols),
        *((("WARC-Cipher-Suite", capture.cipher),) if capture.cipher else ()),
    )


def _exchange(kind: str, capture: Capture, uuid: str, info: str) -> tuple[tuple[str, str], ...]:
    """Fields that response, revisit and request share."""
    return (
        ("WARC-Type", kind),
        ("WARC-Record-ID", record_id(uuid)),
        ("WARC-Date", write_date(capture.date)),
        ("WARC-Target-URI", capture.url),
        ("WARC-Warcinfo-ID", info),
        *((("WARC-IP-Address", capture.ip),) if capture.ip else ()),
    )
