"""An S3 server in memory that differs from Amazon's in the ways that other makers' do, one switch for each."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import struct
import threading
import time
import zlib
from collections.abc import Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from sample.services import S3

MAKERS: dict[str, frozenset[str]] = {
    "Amazon's": frozenset(),
    "no conditions": frozenset({"conditions not implemented"}),
    "invalid conditions": frozenset({"conditions invalid"}),
    "ignored conditions": frozenset({"conditions ignored"}),
    "no checksums": frozenset({"checksums invalid", "no checksums in answers"}),
    "checksums dropped": frozenset({"no checksums in answers"}),
    "neither, encrypted": frozenset({"conditions not implemented", "checksums invalid", "no checksums in answers", "encrypted"}),
    "no ranges": frozenset({"ranges ignored"}),
    "no ranges past the end": frozenset({"ranges within only"}),
    "ranges as a whole": frozenset({"ranges answered with 200", "checksums of the whole"}),
    "listings without tokens": frozenset({"no tokens", "pages of two"}),
    "listings whose tokens repeat": frozenset({"tokens repeat", "pages of two"}),
    "listings that overlap": frozenset({"pages overlap", "pages of two", "counts wrong"}),
    "listings cut off": frozenset({"cut off", "pages of two"}),
    "old listings": frozenset({"old listings", "pages of two"}),
}  # fmt: skip
"""Kinds of servers, as sets of switches."""
UNCONDITIONAL = frozenset({"conditions not implemented", "conditions invalid", "conditions ignored"})


class FakeS3:
    """One bucket in memory; `switches` may be changed while it runs."""

    def __init__(self, switches: frozenset[str] = frozenset()) -> None:
        self.switches = switches
        self.objects: dict[str, bytes] = {}
        self.unlisted: set[str] = set()
        """Keys that listings do not show yet."""
        self.asked: list[tuple[str, str]] = []
        """Method and key of each request."""
        self.sent = 0
        """Bytes of objects sent."""
        self.skew_seconds = 0.0
        """How far its clock is ahead."""
        self._uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def do_any(self) -> None:
                fake._answer(self)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_any  # noqa: N815

            def log_message(self, fmt: str, *args: object) -> None:
                pass

        self._web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._web.daemon_threads = True
        self._web.block_on_close = False
        self.s3 = S3(f"http://127.0.0.1:{self._web.server_address[1]}", "bucket")

    def __enter__(self) -> Self:
        threading.Thread(target=self._web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._web.shutdown()
        self._web.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        key = unquote(url.path).removeprefix("/bucket").lstrip("/")
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        self.asked.append((request.command, key))
        headers = {name.lower(): value for name, value in request.headers.items()}
        if refused := self._refused(headers):
            return self._send(request, *refused)
        with self._lock:
            handle = getattr(self, f"_{request.command.lower()}")
            status, more, answer = handle(key, query, headers, body)
        if status == 200 and request.command == "PUT" and "replies lost" in self.switches:
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.connection.close()
            request.close_connection = True
            return None
        return self._send(request, status, more, answer)

    def _refused(self, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes] | None:
        """The answer to a request that this kind of server does not like."""
        sums = [name for name in headers if name.startswith(("x-amz-checksum", "x-amz-sdk-checksum", "x-amz-trailer"))]
        answers = {
            "clock": (
                True,
                (403, "RequestTimeTooSkewed", "The difference between the request time and now is too large."),
            ),
            "token expired": (True, (400, "ExpiredToken", "The provided token has expired.")),
            "no keys": (True, (403, "InvalidAccessKeyId", "The access key does not exist.")),
            "conditions not implemented": ("if-none-match" in headers, (501, "NotImplemented", "Not implemented.")),
            "conditions invalid": ("if-none-match" in headers, (400, "InvalidArgument", "If-None-Match")),
            "checksums invalid": (
                bool(sums) or "aws-chunked" in headers.get("content-encoding", ""),
                (400, "InvalidRequest", "Unexpected header"),
            ),
        }
        return next((_error(*said) for name, (hit, said) in answers.items() if hit and name in self.switches), None)

    # -- requests by method

    def _put(
        self, key: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if (stated := headers.get("content-md5")) and stated != _base64(hashlib.md5(body).digest()):
            return _error(400, "BadDigest", "MD5")
        if "bodies change" in self.switches:
            body = bytes([body[0] ^ 1]) + body[1:]
        if "uploadId" in query:
            self._uploads[query["uploadId"]][1][int(query["partNumber"])] = body
            return 200, self._proof(body), b""
        if self._exists(key, headers):
            return _error(412, "PreconditionFailed", "At least one of the preconditions did not hold.")
        self.objects[key] = body[: len(body) // 2] if "puts torn" in self.switches else body
        if "puts torn" in self.switches:
            return _error(500, "InternalError", "We failed.")
        return 200, self._proof(body), b""

    def _exists(self, key: str, headers: Mapping[str, str]) -> bool:
        return key in self.objects and "if-none-match" in headers and "conditions ignored" not in self.switches

    def _proof(self, body: bytes) -> dict[str, str]:
        """Headers that tell what arrived."""
        etag = hashlib.sha256(body).hexdigest()[:32] if "encrypted" in self.switches else hashlib.md5(body).hexdigest()
        crc = {"x-amz-checksum-crc32": _base64(zlib.crc32(body).to_bytes(4, "big"))}
        return {"ETag": f'"{etag}"', **({} if "no checksums in answers" in self.switches else crc)}

    def _post(
        self, key: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if "uploads" in query:
            upload = f"u{len(self._uploads)}"
            self._uploads[upload] = (key, {})
            return _xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>")
        if b"ChecksumCRC32" in body and "checksums invalid" in self.switches:
            return _error(400, "MalformedXML", "Unexpected element")
        if self._exists(key, headers):
            return _error(412, "PreconditionFailed", "At least one of the preconditions did not hold.")
        _, parts = self._uploads.pop(query["uploadId"])
        self.objects[key] = b"".join(parts[number] for number in sorted(parts))
        return _xml("CompleteMultipartUploadResult", "<ETag>&quot;x-2&quot;</ETag>")

    def _delete(
        self, key: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if "uploadId" in query:
            self._uploads.pop(query["uploadId"], None)
        else:
            self.objects.pop(key, None)
        return 204, {}, b""

    def _head(
        self, key: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if key not in self.objects:
            return 404, {}, b""
        return 200, {"Content-Length": str(len(self.objects[key]))}, b""

    def _get(
        self, key: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if "uploads" in query:
            found = "".join(
                f"<Upload><Key>{escape(name)}</Key><UploadId>{upload}</UploadId></Upload>"
                for upload, (name, _) in self._uploads.items()
                if name.startswith(query.get("prefix", ""))
            )
            return _xml("ListMultipartUploadsResult", found)
        if not key:
            return self._listing(query)
        if key not in self.objects:
            return _error(404, "NoSuchKey", "The specified key does not exist.")
        return self._part(self.objects[key], headers)

    def _part(self, data: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        """The answer to a request for an object, or a range of it."""
        stated = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        if stated is None or "ranges ignored" in self.switches:
            return 200, {}, data
        if "ranges within only" in self.switches and int(stated[2] or stated[1]) >= len(data):
            return _error(400, "InvalidArgument", "invalid byte range")
        first, last = int(stated[1]), min(int(stated[2] or len(data) - 1), len(data) - 1)
        if first >= len(data):
            return _error(416, "InvalidRange", "The requested range is not satisfiable.")
        status = 200 if "ranges answered with 200" in self.switches else 206
        more = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
        if "checksums of the whole" in self.switches:
            more |= self._proof(data)
        return status, more, data[first : last + 1]

    def _listing(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        names = sorted(
            name for name in self.objects if name.startswith(query.get("prefix", "")) and name not in self.unlisted
        )
        new = query.get("list-type") == "2" and "old listings" not in self.switches
        most = min(2 if "pages of two" in self.switches else 1000, int(query.get("max-keys", 1000)))
        after = query.get("continuation-token" if new else "marker", "")
        left = [name for name in names if name > after]
        if "pages overlap" in self.switches and after in names:
            left = [after, *left]
        page, more = left[:most], len(left) > most
        if "cut off" in self.switches and new:
            more = False
        contents = "".join(f"<Contents><Key>{escape(name)}</Key><Size>1</Size></Contents>" for name in page)
        token = names[1] if more and new and "tokens repeat" in self.switches else page[-1] if page else ""
        count = 7 if "counts wrong" in self.switches else len(page)
        said = f"<MaxKeys>{most}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>"
        if new:
            said += f"<KeyCount>{count}</KeyCount>"
            if more and "no tokens" not in self.switches:
                said += f"<NextContinuationToken>{escape(token)}</NextContinuationToken>"
        return _xml("ListBucketResult", said + contents)

    def _send(self, request: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
        request.send_response_only(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Date", formatdate(time.time() + self.skew_seconds, usegmt=True))
        if "Content-Length" not in headers:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "HEAD":
            return
        for start in range(0, len(body), 1 << 16):
            request.wfile.write(body[start : start + (1 << 16)])
            self.sent += len(body[start : start + (1 << 16)])


def _xml(name: str, inner: str, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/xml"}, f"<?xml version='1.0'?><{name}>{inner}</{name}>".encode()


def _error(status: int, code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    return _xml("Error", f"<Code>{code}</Code><Message>{escape(message)}</Message>", status)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
