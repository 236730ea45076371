"""`pressmark serve`: it ends in order, and nothing of it stays."""

from __future__ import annotations

import signal
import subprocess
import time
import urllib.request

import psutil
import pytest
from conftest import Home
from sample.services import wait_for


def started(home: Home, *options: str) -> tuple[subprocess.Popen[bytes], str]:
    home.path.mkdir(parents=True, exist_ok=True)
    process = home.start("pressmark", "serve", "--port", "0", *options)
    assert process.stdout
    line = process.stdout.readline().decode()
    assert line.startswith("answering on http://127.0.0.1:"), line
    return process, line.split()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_its_processes_end_when_it_is_told_to(home: Home, number: int) -> None:
    process, base = started(home, "--workers", "3")
    assert urllib.request.urlopen(f"{base}/health").status == 200
    children = psutil.Process(process.pid).children()
    assert len(children) == 2
    process.send_signal(number)
    assert process.wait(20) == 0
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_none_of_its_processes_outlives_it(home: Home) -> None:
    process, _ = started(home, "--workers", "2")
    children = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    wait_for(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children), 10)


def test_a_client_that_is_slow_keeps_nobody(home: Home) -> None:
    import socket

    process, base = started(home)
    host, port = base.removeprefix("http://").split(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(100)]
    for one in idle:
        one.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
    began = time.monotonic()
    assert urllib.request.urlopen(f"{base}/").status == 200
    assert time.monotonic() - began < 5
    for one in idle:
        one.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_a_port_that_is_taken_is_told_in_one_line(home: Home) -> None:
    process, base = started(home)
    try:
        taken = home.pressmark("serve", "--port", base.rpartition(":")[2])
        assert (taken.code, len(taken.err.splitlines())) == (1, 1)
        assert "Address already in use" in taken.err
        lacking = home.run("pressmark", "serve", "--port", "0", "--replay-port", "99999")
        assert lacking.code == 2
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
