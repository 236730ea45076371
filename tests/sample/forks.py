"""Commands in processes that find their libraries imported: one begins in a fraction of the time, and is otherwise whole.

A server imports what our commands are built on, nothing of ours, and forks for each command. The new process runs the
installed script, imports our modules and ends with its interpreter, as it would if it had been started anew.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import FileIO
from pathlib import Path

LIBRARIES = (
    "alembic.command", "babel.dates", "boto3", "click", "feedparser", "gcld3", "langcodes", "lxml.html", "nh3",
    "prometheus_client", "protego", "pydantic_settings", "rapidfuzz.distance", "regex", "rich.progress", "rich.table",
    "scrapy.cmdline", "scrapy.commands.crawl", "scrapy.core.downloader.handlers.http11", "scrapy.crawler",
    "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.sqlite", "tenacity", "tldextract", "trafilatura",
    "urlcanon", "warcio.archiveiterator", "warcio.warcwriter",
)  # fmt: skip
OURS = ("PRESSMARK_", "AWS_", "SCRAPY_", "PYTEST_")
"""Variables that only a command reads; another may have been read by the interpreter or a library when it began."""
LONGEST_BYTES = 200_000


class Forks:
    """The server; it ends when this object's end of the channel closes, with the process that made it at the latest."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        unwritten = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()], env=unwritten, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def suit(self, environment: Mapping[str, str]) -> bool:
        """Whether a command with this environment may be forked: what differs is for the command alone."""
        names = {name for name, _ in environment.items() ^ self._environment.items()}
        return all(
            name.startswith(OURS) or name == "PYTHONDONTWRITEBYTECODE" or name.lower().endswith("_proxy")
            for name in names
        )

    def run(
        self, argv: Sequence[str], *, environment: Mapping[str, str], folder: Path, timeout: float
    ) -> tuple[int, bytes, bytes]:
        """Run a command to its end; gives its exit code (that of subprocess) and what it wrote.

        Raises:
            subprocess.TimeoutExpired: It took too long, and was killed.
        """
        pipes = [os.pipe() for _ in range(3)]
        try:
            message = json.dumps([list(argv), dict(environment), str(folder)]).encode()
            socket.send_fds(self._channel, [message], [write for _, write in pipes])
        finally:
            for _, write in pipes:
                os.close(write)
        out, err, status = files = [os.fdopen(read, "rb", buffering=0) for read, _ in pipes]
        got = {file: bytearray() for file in files}
        try:
            if not _drained(got, time.monotonic() + timeout):
                raise subprocess.TimeoutExpired(list(argv), timeout)
        finally:
            process, *ended = got[status].split()
            if not ended:
                os.kill(int(process), signal.SIGKILL)
            for file in files:
                file.close()
        return int(ended[0]), bytes(got[out]), bytes(got[err])


def _drained(got: dict[FileIO, bytearray], until: float) -> bool:
    """Read pipes to their ends; false if time is up before."""
    with selectors.DefaultSelector() as selector:
        for file in got:
            selector.register(file, selectors.EVENT_READ)
        while selector.get_map():
            left = until - time.monotonic()
            if left <= 0:
                return False
            for key, _ in selector.select(left):
                data = key.fileobj.read(1 << 16)
                got[key.fileobj].extend(data)
                if not data:
                    selector.unregister(key.fileobj)
    return True


@functools.cache
def forks() -> Forks:
    """The one of this process."""
    return Forks()


# -- the server


def serve(channel: socket.socket) -> None:
    """Fork for each command; returns in the command's process, when that is all it is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end of the channel ends it, once no command is asked for
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, LONGEST_BYTES, 3)
        if not message:
            sys.exit()
        if not os.fork():
            channel.close()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            become(*json.loads(message), *descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG):
            """One that saw a command to its end."""


def become(argv: list[str], environment: dict[str, str], folder: str, out: int, err: int, status: int) -> None:
    """Fork once more: the child goes on as the command, its parent writes down its process id and its exit code."""
    child = os.fork()
    if child:
        for descriptor in (out, err):
            os.close(descriptor)
        os.write(status, b"%d " % child)
        _, ended = os.waitpid(child, 0)
        with contextlib.suppress(BrokenPipeError):  # nobody waited so long
            os.write(status, b"%d" % os.waitstatus_to_exitcode(ended))
        os._exit(0)
    os.close(status)
    for descriptor, standard in ((out, 1), (err, 2)):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv[:] = argv
    sys.path[0] = str(Path(argv[0]).parent)


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    sys.path[0] = str(Path(sys.executable).parent)
    for name in LIBRARIES:
        import_module(name)
    assert threading.active_count() == 1, "a fork has one thread"
    assert "twisted.internet.reactor" not in sys.modules, "each command chooses its own"
    gc.collect()
    gc.freeze()  # what is there is never looked through again, nor copied for that
    serve(channel)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
