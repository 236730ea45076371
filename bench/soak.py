"""Soak test: do memory, file descriptors and threads stay constant over 20,000 fetches in one process?

Many feeds of many small hosts with an address each (127.0.1.1 and up, Linux), crawled at once. Only the crawl's own
process is sampled; its children are recycled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import ClassVar

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from crawler.frontier.frontier import Frontier

PRESSMARK = Path(sys.executable).with_name("pressmark")
ALLOWED_MEGABYTES = 30
POSTS = 200
WORDS = "bees hives towns roofs honey winter summer keepers flowers wax queens smoke".split()  # noqa: SIM905


class Blogs(ThreadingTCPServer):
    """Every loopback address is a blog of POSTS posts."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024
    answered: ClassVar[int] = 0

    def finish_request(self, request: object, client_address: object) -> None:  # noqa: ARG002  as of socketserver
        """Serve many requests on one connection."""
        connection = request
        host = connection.getsockname()[0]  # type: ignore[attr-defined]
        buffer = b""
        while True:
            try:
                part = connection.recv(65536)  # type: ignore[attr-defined]
            except OSError:
                return
            if not part:
                return
            buffer += part
            while b"\r\n\r\n" in buffer:
                head, buffer = buffer.split(b"\r\n\r\n", 1)
                path = head.split(b" ", 2)[1].decode()
                status, kind, body = self.page(host, path)
                Blogs.answered += 1
                head_out = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                try:
                    connection.sendall(head_out + body)  # type: ignore[attr-defined]
                except OSError:
                    return

    def page(self, host: str, path: str) -> tuple[str, str, bytes]:
        base = f"http://{host}:{self.server_address[1]}"
        if path == "/feed":
            items = "".join(
                f"<item><guid>{n}</guid><link>{base}/{n}</link><title>P {n}</title></item>" for n in range(POSTS)
            )
            document = f"<rss version='2.0'><channel><title>{host}</title>{items}</channel></rss>"
            return "200 OK", "application/rss+xml", document.encode()
        number = path.strip("/")
        if not number.isdigit():
            return "404 Not Found", "text/plain", b"none"
        text = " ".join(WORDS[(int(number) + i * i) % len(WORDS)] for i in range(150))
        page = f"<html><title>P {number}</title><article><h1>P {number} of {host}</h1><p>{text}.</p></article></html>"
        return "200 OK", "text/html", page.encode()


def main() -> None:
    """Run, print; exit 1 if anything grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fetches", type=int, default=20_000)
    given = parser.parse_args()
    hosts = [f"127.0.{1 + n // 250}.{1 + n % 250}" for n in range(-(-given.fetches // POSTS))]
    with tempfile.TemporaryDirectory(prefix="pressmark-soak-") as name, Blogs(("0.0.0.0", 0), None) as server:  # type: ignore[arg-type]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = Path(name)
        frontier = Frontier.open(f"sqlite:///{home / 'pressmark.db'}")
        from datetime import UTC, datetime

        for host in hosts:
            frontier.subscribe(f"http://{host}:{server.server_address[1]}/feed", seed=None, now=datetime.now(UTC))
        environment = {
            **os.environ,
            "PRESSMARK_HOME": name,
            "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
            "PRESSMARK_HOST_GAP": "0",
            "PRESSMARK_BATCH_MEGABYTES": "4",
            "PRESSMARK_CONCURRENCY": "24",  # the blogs are threads of this process
        }
        crawl = subprocess.Popen([str(PRESSMARK), "crawl"], env=environment)
        process = psutil.Process(crawl.pid)
        samples: list[dict[str, float]] = []
        began = time.monotonic()
        while crawl.poll() is None:
            try:
                memory, files, threads = process.memory_info().rss / 1e6, process.num_fds(), process.num_threads()
            except psutil.Error:
                break
            if not samples or Blogs.answered - samples[-1]["fetches"] >= given.fetches / 40:
                samples.append(
                    {"fetches": Blogs.answered, "megabytes": round(memory, 1), "files": files, "threads": threads}
                )
                print(json.dumps(samples[-1]), flush=True)
            time.sleep(0.2)
        code = crawl.wait()
        server.shutdown()
    begin = next(one for one in samples if one["fetches"] >= given.fetches / 4)
    end = max(samples[-3:], key=lambda one: one["megabytes"])
    grown = end["megabytes"] - begin["megabytes"]
    print(
        f"exit {code}, {Blogs.answered} answers in {time.monotonic() - began:.0f} s; from {begin['fetches']:.0f} to "
        f"{end['fetches']:.0f}: memory {grown:+.1f} MB, files {begin['files']:.0f} to {end['files']:.0f}, threads "
        f"{begin['threads']:.0f} to {end['threads']:.0f}"
    )
    sys.exit(bool(code) or grown > ALLOWED_MEGABYTES)


if __name__ == "__main__":
    main()
