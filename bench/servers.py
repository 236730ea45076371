"""Servers for measurements that are not their bottleneck: nginx for a world of blogs, and SeaweedFS, each request counted."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from blog_world import World
from sample.services import S3, free_port, seaweedfs

_NGINX = """
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit; daemon off; worker_rlimit_nofile 65536;
events {{ worker_connections 8192; multi_accept on; }}
http {{
 log_format f '$msec $status $request_method $uri';
 access_log {folder}/access.log f;
 sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_timeout 75; keepalive_requests 1000000;
 types {{ application/rss+xml xml; text/plain txt; }} default_type text/html; charset utf-8;
 charset_types text/html application/rss+xml;
 client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
 uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; client_max_body_size 0;
 server {{ {server} }}
}}
"""
_BLOGS = "listen {port}; root {www}/$server_addr; index index.html; gzip_static on; gzip_vary on; etag on; absolute_redirect off;"
_STORE = """listen 127.0.0.1:{port}; location / {{ proxy_pass {behind}; proxy_set_header Host $http_host;
 proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_request_buffering off; }}"""


class MissingError(Exception):
    """A server that is not installed, and how it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What a server was asked within some time."""

    count: int = 0
    first: float = 0.0
    """When the first response was complete; seconds since 1970."""
    last: float = 0.0


class Nginx:
    """A running nginx and its log."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "access.log"
        self._read = 0

    def requests(self) -> Requests:
        """The requests since the last call."""
        with self._log.open() as log:
            log.seek(self._read)
            lines = log.readlines()
            self._read = log.tell()
        times = [float(line.split()[0]) for line in lines]
        return Requests(count=len(times), first=min(times), last=max(times)) if times else Requests()


@contextmanager
def nginx(folder: Path, server: str, port: int) -> Iterator[Nginx]:
    """nginx with one server until the end of the block.

    Raises:
        MissingError: It is not installed.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise MissingError("nginx is missing: apt-get install nginx-light")
    if _listens(port):
        raise MissingError(f"port {port}, which the pages name, is in use")
    folder.mkdir(parents=True)
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=folder, server=server))
    process = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(configuration)], stderr=subprocess.PIPE, text=True
    )
    try:
        _wait_until_it_listens(port, process)
        yield Nginx(folder)
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(10)


def _listens(port: int) -> bool:
    return re.search(f":{port:04X} 00000000:0000 0A", Path("/proc/net/tcp").read_text()) is not None


def _wait_until_it_listens(port: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 10
    while not _listens(port):
        if process.poll() is not None:
            raise MissingError(f"nginx does not start: {process.stderr.read() if process.stderr else ''}")
        if time.monotonic() > until:
            raise TimeoutError("nginx does not listen")
        time.sleep(0.02)


@contextmanager
def web(folder: Path, world: World) -> Iterator[Nginx]:
    """A world of blogs, each at the address that its pages name."""
    port = urlsplit(world.hosts[0]).port or 80
    www = world.folder / "www"
    with nginx(folder, _BLOGS.format(port=port, www=www), port) as server:
        yield server


@contextmanager
def store(folder: Path) -> Iterator[tuple[S3, Nginx]]:
    """An S3 server, and the nginx before it that counts what it is asked."""
    port = free_port()
    with (
        seaweedfs(folder / "s3") as s3,
        nginx(folder / "before", _STORE.format(port=port, behind=s3.endpoint), port) as before,
    ):
        yield replace(s3, endpoint=f"http://127.0.0.1:{port}"), before
