"""A server of scripted bytes: each path answers exactly what it is given, and what was received is kept."""

from __future__ import annotations

import socket
import threading
from typing import Self


class RawSite:
    """Answers each path with the bytes of `answers`; closes the connection after those in `closing`."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.closing: set[str] = set()
        self.received: dict[str, list[bytes]] = {}
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._stopped = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        with socket.create_connection(self._socket.getsockname()):
            pass
        self._socket.close()

    def _start(self, target, *arguments) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped:
            connection, _ = self._socket.accept()
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            data = b""
            while not self._stopped:
                while b"\r\n\r\n" not in data:
                    try:
                        part = connection.recv(65536)
                    except ConnectionResetError:
                        return
                    if not part:
                        return
                    data += part
                head, _, data = data.partition(b"\r\n\r\n")
                path = head.split(b" ")[1].decode("latin-1")
                self.received.setdefault(path, []).append(head + b"\r\n\r\n")
                try:
                    connection.sendall(self.answers.get(path, b"HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n"))
                except ConnectionError:  # the client has heard enough
                    return
                if path in self.closing:
                    return
