"""Real servers on private folders and free ports, ended by their process id."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

BIN = Path(sys.executable).parent
S3_KEYS = {"AWS_ACCESS_KEY_ID": "testaccesskey", "AWS_SECRET_ACCESS_KEY": "testsecretkey1234"}


@dataclass(frozen=True)
class S3:
    """An S3 endpoint and a bucket in it."""

    endpoint: str
    bucket: str

    @property
    def settings(self) -> dict[str, str]:
        """The environment in which boto3 finds it."""
        return {"AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": "us-east-1", **S3_KEYS}

    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=S3_KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=S3_KEYS["AWS_SECRET_ACCESS_KEY"],
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_ports(count: int) -> int:
    """First of `count` free ports in a row, each with its twin 10,000 higher free as well."""
    for _ in range(200):
        first = free_port()
        if first + count + 10_000 > 65_000:
            continue
        try:
            for port in range(first, first + count):
                for one in (port, port + 10_000):
                    with socket.socket() as probe:
                        probe.bind(("127.0.0.1", one))
        except OSError:
            continue
        return first
    raise RuntimeError("no free ports")


def wait_for(ready: Callable[[], bool], seconds: float = 30, process: subprocess.Popen[bytes] | None = None) -> None:
    until = time.monotonic() + seconds
    while not ready():
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"ended with {process.returncode}")
        if time.monotonic() > until:
            raise TimeoutError("not ready in time")
        time.sleep(0.05)


def end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def seaweedfs(folder: Path) -> Iterator[S3]:
    """SeaweedFS, a real S3 server in one process, with the bucket `pressmark`."""
    data = folder / "data"
    data.mkdir(parents=True)
    port = free_ports(5)
    names = ("s3", "master", "volume", "filer", "admin")
    argv = [str(BIN / "weed"), "mini", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    argv += [f"-{name}.port={port + n}" for n, name in enumerate(names)]
    argv += ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    argv += ["-s3.allowDeleteBucketNotEmpty=false", "-s3.autoCreateBucket=false"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            argv, cwd=folder, env={**os.environ, **S3_KEYS}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    server = S3(f"http://127.0.0.1:{port}", "pressmark")

    def ready() -> bool:
        try:
            urllib.request.urlopen(server.endpoint, timeout=2)
        except urllib.error.HTTPError as e:
            return e.code == 403
        except OSError:
            return False
        return False

    try:
        wait_for(ready, 60, process)
        server.client().create_bucket(Bucket=server.bucket)
        yield server
    finally:
        end(process)


class Postgres:
    """A real PostgreSQL server on a folder of its own, that can be stopped and started again."""

    def __init__(self, *, durable: bool = False) -> None:
        """`durable`: it syncs what it writes, as it would in earnest."""
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="pressmark-postgresql-"))
        self._folder.chmod(0o755)
        self._as_user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
            shutil.chown(self._folder, "postgres", "postgres")
        self._quick = [] if durable else ["-F"]
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def binaries() -> Path | None:
        """Where the newest installed server's commands are."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        return found[-1].parent if found else None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _command(self, name: str) -> str:
        folder = self.binaries()
        assert folder, "PostgreSQL is installed"
        return str(folder / name)

    def start(self) -> None:
        options = ["-D", str(self._folder / "data"), "-p", str(self.port), "-k", str(self._folder)]
        options += ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300", *self._quick]
        self._process = subprocess.Popen(
            [*self._as_user, self._command("postgres"), *options],
            cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        asked = [self._command("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)]
        wait_for(
            lambda: subprocess.run(asked, stdout=subprocess.DEVNULL, check=False).returncode == 0, 60, self._process
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # a fast shutdown
            self._process.wait(30)
            self._process = None

    def __enter__(self) -> Self:
        made = [self._command("initdb"), "-D", str(self._folder / "data"), "-U", "postgres", "-A", "trust"]
        made += ["-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([*self._as_user, *made], cwd="/", check=True, stdout=subprocess.DEVNULL)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)


PYWB = Path(__file__).resolve().parents[2] / ".venv-pywb" / "bin"


@contextmanager
def pywb(folder: Path, collection: dict[str, str]) -> Iterator[int]:
    """pywb with the collection `ours` in a folder of its own; gives its port."""
    (folder / "config.yaml").write_text(json.dumps({"collections": {"ours": collection}, "framed_replay": False}))
    port = free_port()
    with (folder / "log").open("wb") as log:
        argv = [str(PYWB / "wayback"), "-p", str(port), "-b", "127.0.0.1"]
        process = subprocess.Popen(argv, cwd=folder, stdout=log, stderr=log)

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        wait_for(ready, 60, process)
        yield port
    finally:
        end(process)
