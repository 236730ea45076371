"""An S3 endpoint that fails in the ways real ones do: a proxy before a real server."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

from sample.services import S3

FAULTS = ("refuse", "hang", "slow down", "fail after the body", "reset in the middle", "wrong checksum", "wrong answer")
SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
INTERNAL = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>We failed.</Message></Error>"
_OWN = {"connection", "transfer-encoding", "content-length"}


class FaultyS3:
    """Hands requests on to `server`, except where `fault` names one of FAULTS for a method and path."""

    def __init__(self, server: S3) -> None:
        self.fault: Callable[[str, str], str | None] = lambda method, path: None
        self.seen: list[tuple[str, str, str | None]] = []
        """Method, path and fault of each request."""
        self._upstream = urlsplit(server.endpoint).netloc
        self._released = threading.Event()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def do_any(self) -> None:
                proxy._answer(self)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_any  # noqa: N815

            def log_message(self, fmt: str, *args: object) -> None:
                pass

        self._web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._web.daemon_threads = True
        self._web.block_on_close = False
        self.s3 = S3(f"http://127.0.0.1:{self._web.server_address[1]}", server.bucket)

    def __enter__(self) -> Self:
        threading.Thread(target=self._web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._web.shutdown()
        self._web.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        fault = self.fault(request.command, request.path)
        self.seen.append((request.command, request.path, fault))
        length = int(request.headers.get("Content-Length", 0))
        if fault == "refuse":
            return _reset(request)
        if fault == "reset in the middle":
            request.rfile.read(length // 2)
            return _reset(request)
        if fault == "hang":
            self._released.wait(600)
            return _reset(request)
        body = request.rfile.read(length)
        if fault == "slow down":
            return _send(request, 503, {"Content-Type": "application/xml"}, SLOW_DOWN)
        if fault == "wrong checksum" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        status, headers, answer = self._ask(request, body)
        if fault == "fail after the body":
            return _send(request, 500, {"Content-Type": "application/xml"}, INTERNAL)
        if fault == "wrong answer" and "x-amz-checksum-crc32" in headers:
            headers["x-amz-checksum-crc32"] = "AAAAAA=="
        return _send(request, status, headers, answer)

    def _ask(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self._upstream, timeout=60)
        try:
            connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            data = answer.read()
            headers = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in _OWN}
            if request.command == "HEAD":
                headers["content-length"] = answer.getheader("Content-Length", "0")
            return answer.status, headers, data
        finally:
            connection.close()


def _send(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response_only(status)
    if "content-length" not in headers:
        headers = {**headers, "Content-Length": str(len(body))}
    for name, value in headers.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def _reset(request: BaseHTTPRequestHandler) -> None:
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()
    request.close_connection = True


def now_and_then(fault: str, *, share: float = 0.2, seed: int = 1) -> Callable[[str, str], str | None]:
    """The fault on the first request that writes with a body, and on a share of those that follow."""
    chance = random.Random(seed)
    began = False

    def choose(method: str, path: str) -> str | None:
        nonlocal began
        if method not in {"PUT", "POST"}:
            return None
        if not began and method == "PUT":
            began = True
            return fault
        return fault if chance.random() < share else None

    return choose


def for_seconds(fault: str, seconds: float) -> Callable[[str, str], str | None]:
    """The fault on every request that writes, for a while from the first of them on."""
    began: list[float] = []

    def choose(method: str, path: str) -> str | None:
        if method not in {"PUT", "POST"}:
            return None
        began.append(time.monotonic())
        return fault if time.monotonic() - began[0] < seconds else None

    return choose
