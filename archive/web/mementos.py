"""Memento (RFC 7089) over HTTP: TimeGate, mementos and TimeMaps under `/web/`; WARC objects under `/warcs/`."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urljoin

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from archive.errors import NotArchivedError, TaskError
from archive.index.lookup import Lookup, Neighbours
from archive.index.schema import CaptureRow
from archive.reader.reader import Exchange, OpenPayload, Reader, StoredBody, Visit
from archive.stores import FolderStore
from archive.warc.codings import beginning
from archive.warc.http_message import header, headers, media_type
from archive.warc.pasted_url import Reading, readings
from archive.web import cdx_query, link_headers
from archive.web.cdx_columns import CDX11
from archive.web.cdx_output import MEDIA_TYPES, written
from archive.web.errors import BadRequestError
from archive.web.limits import PLAIN_CHARACTERS, REPLAYED_HEAD_CHARACTERS, REPLAYED_HEADER_CHARACTERS, REPLAYED_HEADERS
from archive.web.memento_path import Dated, dated, http_date, moment_of, quoted, read_http_date, stamp_of
from archive.web.ranges import MEMORY, in_parts, matches, part_of, stored
from archive.web.request import rest_of
from archive.web.sanitize import as_text, document, looks_like_html, media, plain
from archive.web.security import sandboxed

log = logging.getLogger(__name__)

FOREVER = "public, max-age=31536000, immutable"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_STATUS = re.compile(rb"[2-5][0-9]{2}")
_FORBIDDEN_IN_VALUES = re.compile(r"[^\t -~\xa0-\xff]")
_FIRST_BYTES = 1_000
"""Beginning of a payload that shows whether it is in the coding that is stated."""
_CODINGS = frozenset({"gzip", "x-gzip", "br", "deflate", "zstd"})
_NO_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED})
_RASTER = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/x-icon"})
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXTUAL = re.compile(
    r"text/.*|application/(?:.*\+)?(?:xml|json)|application/(?:javascript|x-javascript|feed\+json)|unk"
)
_PAYLOAD = sandboxed(sources=("frame-ancestors 'self'",))
_SHOWN = sandboxed(
    "allow-top-navigation-by-user-activation",
    sources=("img-src 'self'", "media-src 'self'", "style-src 'self'", "form-action 'none'", "frame-ancestors 'self'"),
)
_PLAIN_BYTES = 4 * PLAIN_CHARACTERS
"""Bytes of a page that its plain view is made of: a character has at most four."""
_SOON = 256 * 1024
"""Records and payloads up to this size are read without starting a thread."""

Frame = Callable[..., str]
"""Makes the page that shows a memento, from `request`, `row`, `url`, `stamp`."""


class MementoApi:
    """TimeGates, mementos, TimeMaps and WARC objects over HTTP."""

    def __init__(self, reader: Reader, lookup: Lookup, *, frame: Frame) -> None:
        self._reader = reader
        self._lookup = lookup
        self._frame = frame
        self._is_near = isinstance(reader.store, FolderStore) and reader.index.engine.dialect.name == "sqlite"
        """Store and database are local files: a small memento is read faster than a thread is started."""

    async def web(self, request: Request) -> Response:
        """`/web/`: TimeMaps, mementos, and the TimeGate of a URL without a timestamp."""
        rest, base = rest_of(request, "/web/"), request.scope["pressmark.base"]
        try:
            for form in ("link", "json", "cdx"):
                if rest.startswith(f"timemap/{form}/"):
                    meant = readings(rest[len(form) + 9 :])
                    return await run_in_threadpool(self._timemap, form, meant, base)
            asked = dated(rest)
            if asked is None:
                return await run_in_threadpool(self._timegate, request, readings(rest), base)
        except ValueError as e:
            raise BadRequestError(str(e)) from e
        if len(asked.readings) > 1:
            asked = replace(asked, url=(await run_in_threadpool(self._reader.meant, asked.readings)).url)
        if request.headers.get("service-worker"):
            raise BadRequestError("archived scripts may not register as service workers", status=HTTPStatus.FORBIDDEN)
        at = moment_of(asked.stamp)
        if not self._is_near:
            found = await run_in_threadpool(self._lookup.memento, asked.url, at)
        else:
            found = self._lookup.memento(asked.url, at)
            if asked.modifier == "id_":
                try:
                    return self._memento(request, asked, base, found, most=_SOON)
                except OverflowError:
                    log.debug("read in a thread url=%s", asked.url)
        return await run_in_threadpool(self._memento, request, asked, base, found)

    def _timegate(self, request: Request, meant: Sequence[Reading], base: str) -> Response:
        """TimeGate (RFC 7089 §4.1): redirects to the memento nearest to Accept-Datetime."""
        found = self._reader.meant(meant)
        url = found.url
        vary = {"Vary": "accept-datetime", "Cache-Control": "no-cache"}
        stated, at = request.headers.get("accept-datetime"), moment_of(found.stamp) if found.stamp else None
        if stated is not None:
            try:
                at = read_http_date(stated)
            except (ValueError, TypeError, IndexError, OverflowError) as e:
                message = f"Accept-Datetime: {stated[:60]!r} is not an HTTP date such as Tue, 01 Oct 2024 12:00:00 GMT"
                raise BadRequestError(message, headers=vary) from e
        row = self._reader.index.nearest(url, at)
        if row is None:
            raise BadRequestError(
                f"{url}: not archived",
                status=HTTPStatus.NOT_FOUND,
                headers={**vary, "Link": link_headers.around(base, url)},
            )
        near = self._lookup.neighbours(url, row.date.replace(microsecond=0))
        headers = {**vary, "Link": link_headers.around(base, url, near)}
        return Response(
            status_code=HTTPStatus.FOUND, headers={"Location": link_headers.memento_url(base, row.date, url), **headers}
        )

    def _timemap(self, form: str, meant: Sequence[Reading], base: str) -> Response:
        url = self._reader.meant(meant).url
        moments = self._lookup.moments(url) if form == "link" else []
        if form == "link" and moments:
            lines = link_headers.timemap(base, url, link_headers.seconds(moments))
            media_type = link_headers.LINK_FORMAT
        else:
            query = cdx_query.parse((("url", url), ("output", "json" if form == "json" else "text")), columns=CDX11)
            rows = self._reader.captures(url)
            if not rows:
                raise BadRequestError(f"{url}: not archived", status=HTTPStatus.NOT_FOUND)
            key = query.keys.low
            lines = written(query, ((key, row) for row in rows), resume=lambda: None)
            media_type = MEDIA_TYPES[query.output]
        return StreamingResponse(in_parts(lines), media_type=media_type, headers={"Cache-Control": "no-cache"})

    def _memento(
        self,
        request: Request,
        asked: Dated,
        base: str,
        found: tuple[CaptureRow, Neighbours] | None,
        most: int | None = None,
    ) -> Response:
        if found is None:
            raise NotArchivedError(asked.url)
        row, near = found
        stamp = stamp_of(row.date)
        if not asked.exact or stamp != asked.stamp:
            headers = {"Cache-Control": "no-cache", "Link": link_headers.around(base, asked.url)}
            to = link_headers.memento_url(base, row.date, asked.url, asked.modifier)
            return Response(status_code=HTTPStatus.FOUND, headers={"Location": to, **headers})
        named = {
            "Memento-Datetime": http_date(row.date),
            "Link": link_headers.around(base, asked.url, near),
            "Cache-Control": FOREVER,
        }
        if asked.modifier == "id_":
            return self._payload(request, row, named, base, most)
        if asked.modifier:
            return self._shown(request, asked, row, named)
        return self._framed(request, asked, row, named, base)

    def _payload(
        self, request: Request, row: CaptureRow, named: dict[str, str], base: str, most: int | None
    ) -> Response:
        """The payload as received; for a 304 revisit, that of the capture it refers to.

        Raises:
            OverflowError: It has more than `most` bytes.
        """
        tag = f'"{row.record.strip("<>").rpartition(":")[2]}"'
        named |= {"ETag": tag, "Content-Security-Policy": _PAYLOAD, "Cross-Origin-Resource-Policy": "cross-origin"}
        visit = self._reader.open_payload(row, most=most)
        status, head, body = _status(visit), visit.shown_head, visit.body
        named |= originals(head)
        named["Content-Type"] = _clean(
            header(head, "content-type") or row.mime.replace("unk", "application/octet-stream")
        )
        coding = (header(head, "content-encoding") or "").strip().lower()
        first = body.beginning(_FIRST_BYTES)
        if coding in _CODINGS and beginning(first, coding, limit=1):  # a browser shows nothing of one that is not in it
            named["Content-Encoding"] = coding
        if _is_redirection(status):
            self._lead(named, row, head, base, "id_")
        if matches(request.headers, tag):
            return _unmodified(named)
        if status in _NO_BODY:
            return Response(status_code=status, headers=named)
        return part_of(body, request, named, status)

    def _lead(self, named: dict[str, str], row: CaptureRow, head: bytes, base: str, modifier: str) -> None:
        """Point the Location of an archived redirect at the archive."""
        location = header(head, "location")
        try:
            target = urljoin(row.url, location) if location else None
        except ValueError:
            target = None
        if target and target.startswith(("http://", "https://")):
            named["Location"] = f"{base}/web/{stamp_of(row.date)}{modifier}/{quoted(target)}"

    def _shown(self, request: Request, asked: Dated, row: CaptureRow, named: dict[str, str]) -> Response:
        """The plain view: sanitized HTML, images, plain text, without any script."""
        visit = self._reader.open_payload(row)
        head, status = visit.shown_head, _shown_status(_status(visit))
        mime = media_type(header(head, "content-type")) if head else row.mime
        named |= {"Content-Security-Policy": _SHOWN, "Cross-Origin-Resource-Policy": "same-site", **originals(head)}
        with MEMORY.held(visit.body.size):
            if mime in _HTML or (mime == "unk" and self._looks_like_html(visit)):
                named["Content-Type"] = "text/html; charset=utf-8"
                shown: bytes | StoredBody | None = self._plain(visit, header(head, "content-type"), asked.stamp)
                if shown is None:
                    return _no_plain_view(row)
            elif _TEXTUAL.fullmatch(mime):
                named["Content-Type"] = "text/plain; charset=utf-8"
                body, stated = visit.body.whole(), header(head, "content-type")
                shown = self._reader.work(as_text, body=body, coding=visit.coding, content_type=stated)
            else:
                named |= _media_headers(mime)
                shown = self._unpacked(visit)
        named["ETag"] = f'"{visit.row.digest.rpartition(":")[2]}"' if isinstance(shown, StoredBody) else _tag(shown)
        if matches(request.headers, named["ETag"]):
            return _unmodified(named)
        return part_of(shown, request, named, status)

    def _looks_like_html(self, visit: OpenPayload) -> bool:
        first = next(visit.body.pieces(), b"")
        return self._reader.work(looks_like_html, body=first, coding=visit.coding)

    def _unpacked(self, visit: OpenPayload) -> bytes | StoredBody:
        """The payload without its content coding."""
        if not visit.coding or not visit.body.size:
            return visit.body
        exchange = Exchange(row=visit.row, head=visit.head, payload_head=visit.payload_head, body=visit.body.whole())
        return exchange.payload(self._reader.work)

    def _plain(self, visit: OpenPayload, content_type: str | None, stamp: str) -> bytes | None:
        """The page's HTML, sanitized within limits; None if it exceeds them."""
        page = {
            "payload": visit.body.whole() if visit.coding else visit.body.beginning(_PLAIN_BYTES),
            "coding": visit.coding,
            "url": visit.row.url,
            "content_type": content_type,
        }
        try:
            found = self._reader.work(media, **page)
            made = self._reader.work(plain, **page, stamp=stamp, kept=self._lookup.held(found))
            return made.encode("utf-8", "replace")
        except TaskError as e:
            log.warning("no plain view url=%s error=%s", visit.row.url, e)
            return None

    def _framed(self, request: Request, asked: Dated, row: CaptureRow, named: dict[str, str], base: str) -> Response:
        """Our page with the plain view in a frame; an archived redirect redirects."""
        visit = self._reader.open_payload(row)
        status = _status(visit)
        named |= originals(visit.shown_head)
        if _is_redirection(status):
            self._lead(named, row, visit.shown_head, base, "")
            if "Location" in named:
                return Response(status_code=HTTPStatus.FOUND, headers=named)
        shown = self._frame(request=request, row=row, url=asked.url, stamp=asked.stamp).encode()
        named |= {"ETag": _tag(shown), "Content-Type": "text/html; charset=utf-8"}
        if matches(request.headers, named["ETag"]):
            return _unmodified(named)
        return Response(shown, _shown_status(status), named)

    async def warcs(self, request: Request) -> Response:
        """`/warcs/KEY`: an object, or a range of its bytes."""
        key = rest_of(request, "/warcs/").partition("?")[0]
        found = await run_in_threadpool(self._lookup.held_object, key) if key.startswith(("warc/", "text/")) else None
        if found is None:
            raise BadRequestError(f"{key[:200]}: not an object of this archive", status=HTTPStatus.NOT_FOUND)
        size, sha256 = found
        headers = {"ETag": f'"{sha256}"', "Cache-Control": FOREVER, "Content-Type": "application/warc"}
        headers["Content-Security-Policy"] = _PAYLOAD
        if matches(request.headers, headers["ETag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return stored(self._reader.store, key, size, request.headers, headers)


def originals(head: bytes) -> dict[str, str]:
    """The original response headers as `X-Archive-Orig-…`."""
    found: dict[str, str] = {}
    left = REPLAYED_HEAD_CHARACTERS
    for name, value in headers(head)[:REPLAYED_HEADERS]:
        left -= len(name) + len(value[:REPLAYED_HEADER_CHARACTERS])
        if left > 0 and _TOKEN.fullmatch(name):
            key = f"X-Archive-Orig-{name}"
            found[key] = f"{found[key]}, {_clean(value)}" if key in found else _clean(value)
    return found


def _clean(value: str) -> str:
    """A header value without characters that are forbidden there."""
    return _FORBIDDEN_IN_VALUES.sub("", value[:REPLAYED_HEADER_CHARACTERS]).strip()


def _tag(shown: bytes) -> str:
    return f'"{hashlib.sha256(shown).hexdigest()[:32]}"'


def _media_headers(mime: str) -> dict[str, str]:
    """Headers of what is shown unchanged, or offered as a file."""
    if mime in _RASTER:
        # A sandboxed page has an opaque origin: its images are cross-origin requests.
        return {"Content-Type": mime, "Cross-Origin-Resource-Policy": "cross-origin"}
    if mime.startswith(("audio/", "video/", "image/", "font/")) and "svg" not in mime:
        return {
            "Content-Type": mime,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Content-Disposition": "attachment",
        }
    return {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}


def _no_plain_view(row: CaptureRow) -> Response:
    message = "The plain view of this page could not be made. Its text and its downloads are available."
    return Response(
        document(f"<p>{message}</p>", title=row.url),
        HTTPStatus.INTERNAL_SERVER_ERROR,
        {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _SHOWN, "Cache-Control": "no-store"},
    )


def _status(visit: Visit) -> int:
    """The archived status, or 200 if it is one that cannot be sent."""
    words = visit.shown_head.split(b"\n", 1)[0].split(None, 2)
    return int(words[1]) if len(words) > 1 and _STATUS.fullmatch(words[1]) else HTTPStatus.OK


def _is_redirection(status: int) -> bool:
    """Whether a status is a redirect, known or not (RFC 9110 §15.4)."""
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


def _shown_status(status: int) -> int:
    """The status of a plain view: 200 instead of a redirect or a status without a body."""
    return HTTPStatus.OK if status in _NO_BODY or _is_redirection(status) else status


def _unmodified(named: dict[str, str]) -> Response:
    """304, without the headers that describe a body."""
    return Response(
        status_code=HTTPStatus.NOT_MODIFIED, headers={k: v for k, v in named.items() if not k.startswith("Content-T")}
    )
