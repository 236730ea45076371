"""A proxy that lets a service hang: connections are accepted, and nothing is answered any more."""

from __future__ import annotations

import select
import socket
import threading
from typing import Self


class Stalling:
    """Passes bytes on to a port of this machine until it is told to stall; then it swallows them."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._stalled = threading.Event()
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.swallowed = 0
        """Bytes that came since it stalls."""

    def stall(self) -> None:
        """Answer nothing any more."""
        self._stalled.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listening.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            self._open += [client, server]
            threading.Thread(target=self._pass, args=(client, server), daemon=True).start()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        try:
            while not self._over.is_set():
                for one in select.select(list(other), [], [], 0.2)[0]:
                    if not (data := one.recv(65536)):
                        return
                    if self._stalled.is_set():
                        self.swallowed += len(data)
                    else:
                        other[one].sendall(data)
        except (OSError, ValueError):  # closed
            return
        finally:
            if not self._stalled.is_set():
                client.close()
                server.close()
