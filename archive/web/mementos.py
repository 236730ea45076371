"""RFC 7089 over HTTP: TimeGates, mementos and TimeMaps under `/web/`, and the bytes of WARC objects under `/warcs/`."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from threading import Lock
from typing import Any
from urllib.parse import urljoin

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from archive.errors import NotArchivedError, TaskError
from archive.index.lookup import Lookup, Neighbours
from archive.index.schema import CaptureRow
from archive.reader.reader import Exchange, Reader
from archive.runtime.worker_pool import Limits, WorkerPool
from archive.stores import FolderStore
from archive.warc.codings import unicode_html
from archive.warc.http_message import header, headers, media_type
from archive.web import cdx_query, link_headers
from archive.web.errors import WrongError
from archive.web.limits import PLAIN_SECONDS, REPLAYED_HEAD_CHARACTERS, REPLAYED_HEADER_CHARACTERS, REPLAYED_HEADERS
from archive.web.memento_path import Dated, asked_url, dated, http_date, moment_of, quoted, read_http_date, stamp_of
from archive.web.ranges import matches, part_of, stored
from archive.web.sanitize import document, media, plain
from archive.web.security import sandboxed

log = logging.getLogger(__name__)

FOREVER = "public, max-age=31536000, immutable"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_NEVER = re.compile(r"[^\t -~\xa0-\xff]")
_CODINGS = frozenset({"gzip", "x-gzip", "br", "deflate", "zstd"})
_NO_BODY = frozenset({204, 205, 304})
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
_SOON = 64 * 1024
"""Bytes of records that are read at once, without another thread."""
_PLAIN = Limits(seconds=PLAIN_SECONDS, megabytes=512)
_LINES = 1_000
"""Lines of a TimeMap in one part of the answer."""

Frame = Callable[..., str]
"""Makes the page that shows a memento, from `row`, `url`, `stamp`, `base`."""


class Mementos:
    """What is under `/web/` and `/warcs/`."""

    def __init__(self, archive: Reader, lookup: Lookup, *, frame: Frame) -> None:
        self._archive = archive
        self._lookup = lookup
        self._frame = frame
        self._is_near = isinstance(archive.store, FolderStore) and archive.index.engine.dialect.name == "sqlite"
        """Both are on this machine, so that a small memento is there sooner than another thread would be."""
        self._pool: WorkerPool | None = None
        self._lock = Lock()

    async def web(self, request: Request) -> Response:
        """Whatever is under `/web/`."""
        rest, base = rest_of(request, "/web/"), request.scope["pressmark.base"]
        try:
            for form in ("link", "json", "cdx"):
                if rest.startswith(f"timemap/{form}/"):
                    return await run_in_threadpool(self._timemap, form, asked_url(rest[len(form) + 9 :]), base)
            asked = dated(rest)
            if asked is None:
                return await run_in_threadpool(self._timegate, request, asked_url(rest), base)
        except ValueError as e:
            raise WrongError(str(e)) from e
        if request.headers.get("service-worker"):
            raise WrongError("nothing archived may become a service worker", status=403)
        at = moment_of(asked.stamp)
        if not self._is_near:
            found = await run_in_threadpool(self._lookup.memento, asked.url, at)
        else:
            found = self._lookup.memento(asked.url, at)
            if asked.modifier == "id_" and (found is None or found[0].length <= _SOON):
                return self._memento(request, asked, base, found)
        return await run_in_threadpool(self._memento, request, asked, base, found)

    def _timegate(self, request: Request, url: str, base: str) -> Response:
        """RFC 7089 §4.1: the memento nearest to the instant that is asked for."""
        vary = {"Vary": "accept-datetime", "Cache-Control": "no-cache"}
        stated, at = request.headers.get("accept-datetime"), None
        if stated is not None:
            try:
                at = read_http_date(stated)
            except (ValueError, TypeError, IndexError, OverflowError) as e:
                said = f"Accept-Datetime: {stated[:60]!r} is no HTTP date, such as Tue, 01 Oct 2024 12:00:00 GMT"
                raise WrongError(said, headers=vary) from e
        row = self._archive.index.nearest(url, at)
        if row is None:
            raise WrongError(
                f"{url}: not archived", status=404, headers={**vary, "Link": link_headers.around(base, url)}
            )
        near = self._lookup.neighbours(url, row.date.replace(microsecond=0))
        headers = {**vary, "Link": link_headers.around(base, url, near)}
        return Response(status_code=302, headers={"Location": link_headers.memento_url(base, row.date, url), **headers})

    def _timemap(self, form: str, url: str, base: str) -> Response:
        moments = self._lookup.moments(url) if form == "link" else []
        if form == "link" and moments:
            lines = link_headers.timemap(base, url, link_headers.seconds(moments))
            media_type = link_headers.LINK_FORMAT
        else:
            query = cdx_query.parse(
                (("url", url), ("output", "json" if form == "json" else "text")), columns=cdx_query.CDX11
            )
            rows = self._archive.captures(url)
            if not rows:
                raise WrongError(f"{url}: not archived", status=404)
            key = query.keys.low
            lines = cdx_query.written(query, ((key, row) for row in rows), resume=lambda: None)
            media_type = cdx_query.MEDIA_TYPES[query.output]
        return StreamingResponse(in_parts(lines), media_type=media_type, headers={"Cache-Control": "no-cache"})

    def _memento(
        self, request: Request, asked: Dated, base: str, found: tuple[CaptureRow, Neighbours] | None
    ) -> Response:
        if found is None:
            raise NotArchivedError(asked.url)
        row, near = found
        stamp = stamp_of(row.date)
        if not asked.exact or stamp != asked.stamp:
            headers = {"Cache-Control": "no-cache", "Link": link_headers.around(base, asked.url)}
            to = link_headers.memento_url(base, row.date, asked.url, asked.modifier)
            return Response(status_code=302, headers={"Location": to, **headers})
        named = {
            "Memento-Datetime": http_date(row.date),
            "Link": link_headers.around(base, asked.url, near),
            "Cache-Control": FOREVER,
        }
        if asked.modifier == "id_":
            return self._payload(request, row, named, base)
        if asked.modifier:
            return self._shown(request, asked, row, named)
        return self._framed(request, asked, row, named, base)

    def _payload(self, request: Request, row: CaptureRow, named: dict[str, str], base: str) -> Response:
        """As it was received; of a revisit that the server called unmodified, what it refers to."""
        tag = f'"{row.record.strip("<>").rpartition(":")[2]}"'
        named |= {"ETag": tag, "Content-Security-Policy": _PAYLOAD, "Cross-Origin-Resource-Policy": "cross-origin"}
        exchange = self._archive.read(row)
        status, head, body = _status(exchange), _head(exchange), exchange.body
        named |= originals(head)
        named["Content-Type"] = _clean(
            header(head, "content-type") or row.mime.replace("unk", "application/octet-stream")
        )
        coding = (header(head, "content-encoding") or "").strip().lower()
        if coding in _CODINGS and body:
            named["Content-Encoding"] = coding
        if 300 <= status < 400:  # noqa: PLR2004  RFC 9110 §15.4
            self._lead(named, row, head, base, "id_")
        if matches(request.headers, tag):
            return _unmodified(named)
        if status in _NO_BODY:
            return Response(status_code=status, headers=named)
        return part_of(body, request.headers, named, status)

    def _lead(self, named: dict[str, str], row: CaptureRow, head: bytes, base: str, modifier: str) -> None:
        """A redirect stays in the archive."""
        location = header(head, "location")
        try:
            target = urljoin(row.url, location) if location else None
        except ValueError:
            target = None
        if target and target.startswith(("http://", "https://")):
            named["Location"] = f"{base}/web/{stamp_of(row.date)}{modifier}/{quoted(target)}"

    def _shown(self, request: Request, asked: Dated, row: CaptureRow, named: dict[str, str]) -> Response:
        """What can be shown of it without any script: markup that is sanitised, images, plain text."""
        exchange = self._archive.read(row)
        head, status = _head(exchange), _status(exchange)
        mime = media_type(header(head, "content-type")) if head else row.mime
        body = exchange.payload()
        named |= {"Content-Security-Policy": _SHOWN, "Cross-Origin-Resource-Policy": "same-site", **originals(head)}
        if mime in _RASTER:
            shown, named["Content-Type"] = body, mime
            # An image of a sandboxed page is asked for by no origin at all.
            named["Cross-Origin-Resource-Policy"] = "cross-origin"
        elif mime in _HTML or (mime == "unk" and b"<html" in body[:2_000].lower()):
            shown = self._plain(body, row, header(head, "content-type"), asked.stamp).encode("utf-8", "replace")
            named["Content-Type"] = "text/html; charset=utf-8"
        elif _TEXTUAL.fullmatch(mime):
            shown = unicode_html(body, header(head, "content-type")).encode("utf-8", "replace")
            named["Content-Type"] = "text/plain; charset=utf-8"
        else:
            shown, named["Content-Type"] = body, "application/octet-stream"
            named["Content-Disposition"] = "attachment"
            if mime.startswith(("audio/", "video/", "image/", "font/")) and "svg" not in mime:
                named["Content-Type"] = mime
                named["Cross-Origin-Resource-Policy"] = "cross-origin"
        named["ETag"] = f'"{hashlib.sha256(shown).hexdigest()[:32]}"'
        if matches(request.headers, named["ETag"]):
            return _unmodified(named)
        return part_of(shown, request.headers, named, _shown_status(status))

    def _plain(self, body: bytes, row: CaptureRow, content_type: str | None, stamp: str) -> str:
        """The page's markup, made harmless in a process with limits; its words where it passes them."""
        page = {"payload": body, "url": row.url, "content_type": content_type}
        try:
            found: list[str] = self._work(media, **page)
            return str(self._work(plain, **page, stamp=stamp, kept=self._lookup.held(found)))
        except TaskError as e:
            log.warning("no plain view url=%s error=%s", row.url, e)
            said = "This page cannot be shown without its scripts; the text and the download are there all the same."
            return document(f"<p>{said}</p>", title=row.url)

    def _work(self, function: Callable[..., Any], **arguments: Any) -> Any:  # noqa: ANN401  any pure function
        with self._lock:
            if self._pool is None:
                self._pool = WorkerPool(workers=2, limits=_PLAIN, preload=["archive.web.sanitize"])
            future = self._pool.submit(function, **arguments)
        return future.result()

    def _framed(self, request: Request, asked: Dated, row: CaptureRow, named: dict[str, str], base: str) -> Response:
        """Our page around what is shown; a redirect redirects."""
        exchange = self._archive.read(row)
        status = _status(exchange)
        named |= originals(_head(exchange))
        if 300 <= status < 400:  # noqa: PLR2004  RFC 9110 §15.4
            self._lead(named, row, exchange.head, base, "")
            if "Location" in named:
                return Response(status_code=302, headers=named)
        shown = self._frame(request=request, row=row, url=asked.url, stamp=asked.stamp).encode()
        named |= {"ETag": f'"{hashlib.sha256(shown).hexdigest()[:32]}"', "Content-Type": "text/html; charset=utf-8"}
        if matches(request.headers, named["ETag"]):
            return _unmodified(named)
        return Response(shown, _shown_status(status), named)

    async def warcs(self, request: Request) -> Response:
        """The bytes of an object, or a part of them."""
        key = rest_of(request, "/warcs/").partition("?")[0]
        found = await run_in_threadpool(self._lookup.held_object, key) if key.startswith(("warc/", "text/")) else None
        if found is None:
            raise WrongError(f"{key[:200]}: no such object", status=404)
        size, sha256 = found
        headers = {"ETag": f'"{sha256}"', "Cache-Control": FOREVER, "Content-Type": "application/warc"}
        headers["Content-Security-Policy"] = _PAYLOAD
        if matches(request.headers, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return stored(self._archive.store, key, size, request.headers, headers)


def rest_of(request: Request, prefix: str) -> str:
    """What follows a prefix of the path, with the query, exactly as it was asked for."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("latin-1").partition("?")[0]
    query = request.scope["query_string"].decode("latin-1")
    rest = path[len(prefix) :] + (f"?{query}" if query else "")
    if not rest:
        raise WrongError("the URL is missing", hint=f"Ask for {prefix}URL.", status=404)
    return rest


def in_parts(lines: Iterator[str]) -> AsyncIterator[bytes]:
    """An answer in parts of many lines, made beside the event loop."""

    def parts() -> Iterator[bytes]:
        while part := list(islice(lines, _LINES)):
            yield "".join(part).encode()

    return iterate_in_threadpool(parts())


def originals(head: bytes) -> dict[str, str]:
    """The headers that came with it, under other names."""
    found: dict[str, str] = {}
    left = REPLAYED_HEAD_CHARACTERS
    for name, value in headers(head)[:REPLAYED_HEADERS]:
        left -= len(name) + len(value[:REPLAYED_HEADER_CHARACTERS])
        if left > 0 and _TOKEN.fullmatch(name):
            key = f"X-Archive-Orig-{name}"
            found[key] = f"{found[key]}, {_clean(value)}" if key in found else _clean(value)
    return found


def _clean(value: str) -> str:
    """A value that may stand in a header."""
    return _NEVER.sub("", value[:REPLAYED_HEADER_CHARACTERS]).strip()


def _head(exchange: Exchange) -> bytes:
    """Of a visit that told only that nothing changed, the head that came with the payload."""
    return exchange.payload_head if exchange.row.status == 304 else exchange.head or exchange.payload_head  # noqa: PLR2004


def _status(exchange: Exchange) -> int:
    """A status with which HTTP can answer."""
    words = _head(exchange).split(b"\n", 1)[0].split(None, 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() and len(words[1]) == 3 else 200  # noqa: PLR2004
    return status if 200 <= status < 600 else 200  # noqa: PLR2004


def _shown_status(status: int) -> int:
    """The status with which something is shown: one that has no body, or leads elsewhere, shows all the same."""
    return 200 if status in _NO_BODY or 300 <= status < 400 else status  # noqa: PLR2004  RFC 9110 §15.4


def _unmodified(named: dict[str, str]) -> Response:
    """Whoever asks holds it already."""
    return Response(status_code=304, headers={k: v for k, v in named.items() if not k.startswith("Content-T")})
