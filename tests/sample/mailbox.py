"""A webhook and a mail server on loopback, which keep what they are sent."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Hook:
    """A web server on a free port that takes what is sent and answers as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        """Path, headers with names in lower case, body of each request."""
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(hook.status)
                for name, value in hook.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_GET(self) -> None:
                hook.got.append((self.path, {}, b""))
                self.send_response(200)
                self.end_headers()

            def log_message(self, fmt: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"

    @property
    def alarms(self) -> list[dict[str, str | None]]:
        return [alarm for _, _, body in self.got for alarm in json.loads(body)["alarms"]]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Mails(socketserver.ThreadingTCPServer):
    """A mail server on a free port; as much of SMTP (RFC 5321) as a sender needs."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.refuses = False
        self.said: list[str] = []
        """Commands, in order."""
        self.taken: list[bytes] = []
        """Messages, with the ends of lines as Python has them."""

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Session(socketserver.StreamRequestHandler):
    server: Mails

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            self.server.said.append(command)
            if command.upper() == "DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                message = b"".join(part[part.startswith(b".") :] for part in lines)
                self.server.taken.append(message.replace(b"\r\n", b"\n"))
            if self.server.refuses and command.upper().startswith("MAIL"):
                self.wfile.write(b"550 not from you\r\n")
                continue
            self.wfile.write(b"221 bye\r\n" if command.upper() == "QUIT" else b"250 fine\r\n")


@contextmanager
def mail_server() -> Iterator[Mails]:
    """A mail server that runs until the end of the block."""
    with Mails() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()
