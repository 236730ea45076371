"""A small web server for sample blogs: validators, 304, gzip, and a log of what was asked."""

from __future__ import annotations

import gzip
import hashlib
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass
class Answer:
    """What a path answers."""

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    validators: bool = True

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha1(self.body).hexdigest()[:16]}"'


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    status: int
    at: float
    """When it came, on a clock that only goes forward."""


class Site:
    """One server on a free port of 127.0.0.1; its pages can be changed while it runs."""

    def __init__(  # noqa: C901  the handler of requests is a part of it
        self,
        pages: dict[str, Answer | Callable[[dict[str, str]], Answer]] | None = None,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.pages: dict[str, Answer | Callable[[dict[str, str]], Answer]] = dict(pages or {})
        """What each path answers; a function gets the headers of the request, names in lower case."""
        self.log: list[Asked] = []
        self.delay = 0.0
        """Seconds that an answer takes."""
        self.most_at_once = 0
        """Requests that were being answered at the same time."""
        self._at_once = 0
        self._lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with site._lock:
                    site._at_once += 1
                    site.most_at_once = max(site.most_at_once, site._at_once)
                try:
                    time.sleep(site.delay)
                    self.answer()
                finally:
                    with site._lock:
                        site._at_once -= 1

            def answer(self) -> None:
                answer = site.pages.get(self.path) or Answer(b"<h1>Not found</h1>", status=404, validators=False)
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = answer if isinstance(answer, Answer) else answer(headers)
                status, body, extra = answer.status, answer.body, dict(answer.headers)
                if answer.validators and status == 200:
                    extra["ETag"] = answer.etag
                    if headers.get("if-none-match") == answer.etag:
                        status, body = 304, b""
                if body and "gzip" in headers.get("accept-encoding", "") and "Content-Encoding" not in extra:
                    body = gzip.compress(body, 6, mtime=0)
                    extra["Content-Encoding"] = "gzip"
                site.log.append(Asked(self.command, self.path, headers, status, time.monotonic()))
                self.send_response(status)
                if status != 304:
                    self.send_header("Content-Type", answer.content_type)
                    self.send_header("Content-Length", str(len(body)))
                for name, values in extra.items():
                    for value in values.split("\n"):  # a header that is sent several times
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, fmt: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A client that was killed is no error of ours."""

        self._server = Server((host, port), Handler)
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{self._scheme}://{host}:{port}"

    @property
    def asked(self) -> list[str]:
        """Paths asked for, in order."""
        return [entry.path for entry in self.log]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
