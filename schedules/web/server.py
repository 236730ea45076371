"""Serves applications on sockets with uvicorn: in threads of the daemon, or in several processes (prefork)."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from schedules.web.uvicorn_protocol import BoundedProtocol


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket listening on an address; `shared`: with SO_REUSEPORT, so that the kernel balances the processes' load.

    Raises:
        OSError: The address cannot be used, such as a port in use; the message contains it.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, reuse_port=shared)
    except (OSError, OverflowError) as e:
        number = getattr(e, "errno", None) or 0
        raise OSError(number, os.strerror(number) if number > 0 else str(e), f"{host}:{port}") from e


def address(listening: socket.socket) -> str:
    """The URL of a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_local(listening: socket.socket) -> bool:
    """Whether a socket listens on the loopback interface only."""
    return ip_address(listening.getsockname()[0]).is_loopback


def _server(application: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # they can be forged; PRESSMARK_PUBLIC_URL sets the origin of links
        lifespan="off",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=5,
        limit_concurrency=500,
        backlog=256,
        http=BoundedProtocol,
    )
    return uvicorn.Server(config)


def serve(
    application: ASGIApp,
    listening: socket.socket,
    *,
    stop: threading.Event,
    beside: Sequence[tuple[ASGIApp, socket.socket]] = (),
) -> None:
    """Serve on a socket, and other applications on theirs, until the event is set."""
    running = []
    for made, on in ((application, listening), *beside):
        server = _server(made)
        # In the main thread uvicorn would take over our signal handlers.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [on]}, daemon=True)
        thread.start()
        running.append((server, thread))
    stop.wait()
    for server, _ in running:
        server.should_exit = True
    for _, thread in running:
        thread.join(5.0)


def serve_alone(
    make: Callable[[], ASGIApp],
    listening: socket.socket,
    *,
    workers: int,
    beside: Sequence[tuple[Callable[[], ASGIApp], socket.socket]] = (),
) -> int:
    """Serve on a socket until SIGTERM or SIGINT; returns an exit code.

    Args:
        make: Creates the application, once in each process.
        listening: Where to serve; shared, if there are several processes.
        workers: Number of processes.
        beside: Other applications and their sockets, each served by its own process.
    """
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn handles them, shuts down, and re-raises them
        signal.signal(number, _interrupted)
    host, port = listening.getsockname()[:2]
    others = [listen(host, port, shared=True) for _ in range(workers - 1)]
    children = [_fork(make, other) for other in others]
    for other in others:
        other.close()
    children += [_fork(other, on) for other, on in beside]
    try:
        _server(make()).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)
    return 0


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fork(make: Callable[[], ASGIApp], listening: socket.socket) -> int:
    """Fork a process that serves; call it before anything is opened."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child

    def watch() -> None:
        # End when the parent has ended, for whatever reason.
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    try:
        threading.Thread(target=watch, daemon=True).start()
        _server(make()).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        os._exit(0)
