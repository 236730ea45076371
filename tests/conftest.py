"""Fixtures: private folders, sample servers, real services; everything that is started is ended by its id."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sample.browsing import browser, watched, world  # noqa: F401  fixtures
from sample.forks import forks
from sample.server import Site
from sample.services import BIN, S3, Postgres, seaweedfs

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"


def missing(what: str) -> None:
    """A service is not on this machine: skip on a laptop, fail in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing; make test installs it")
    pytest.skip(f"{what} is missing")


@pytest.fixture(autouse=True)
def _private_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith(("PRESSMARK_", "AWS_", "SCRAPY_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_loop_of_the_browser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Playwright leaves its event loop running in this thread; other tests may run one of their own."""
    loop = asyncio._get_running_loop()
    if loop is None or {"browser", "watched"} & set(request.fixturenames):
        yield
        return
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str
    raw: bytes


class Home:
    """A private PRESSMARK_HOME and the commands run on it."""

    def __init__(self, path: Path, **settings: str) -> None:
        self.path = path
        self.settings = {
            "PRESSMARK_HOME": str(path),
            "PRESSMARK_ALLOW_NETWORKS": "127.0.0.0/8",
            "PRESSMARK_HOST_GAP": "0",
            "PRESSMARK_HOST_CONCURRENCY": "8",
            "PRESSMARK_EXTRACT_WORKERS": "2",
            **settings,
        }

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return {**kept, **self.settings}

    def start(self, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
        argv = [str(BIN / arguments[0]), *arguments[1:]]
        return subprocess.Popen(
            argv, env=self.environment, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )

    def run(self, *arguments: str, timeout: float = 120) -> Ran:
        environment = self.environment
        if forks().suit(environment):
            argv = [str(BIN / arguments[0]), *arguments[1:]]
            code, out, err = forks().run(argv, environment=environment, folder=PROJECT, timeout=timeout)
            return Ran(code, out.decode("utf-8", "replace"), err.decode(), out)
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        return Ran(process.returncode, out.decode("utf-8", "replace"), err.decode(), out)

    def pressmark(self, *arguments: str, timeout: float = 120) -> Ran:
        return self.run("pressmark", *arguments, timeout=timeout)

    def crawl(self, *arguments: str, timeout: float = 120) -> Ran:
        """`scrapy crawl blog` with spider arguments."""
        given = [part for argument in arguments for part in ("-a", argument)]
        return self.run("scrapy", "crawl", "blog", *given, timeout=timeout)

    def objects(self, kind: str) -> list[Path]:
        return sorted((self.path / "store" / kind).rglob("*.gz"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def open_folder(name: str) -> Path:
    """A new folder that servers of other users may enter; whoever makes it removes it."""
    folder = Path(tempfile.mkdtemp(prefix=f"pressmark-{name}-"))
    folder.chmod(0o755)
    return folder


# -- S3


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    if not (BIN / "weed").exists():
        missing("SeaweedFS")
    with seaweedfs(tmp_path_factory.mktemp("s3")) as server:
        yield server


# -- PostgreSQL


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a private server's database `postgres`."""
    if not Postgres.binaries():
        missing("PostgreSQL")
    with Postgres() as server:
        yield server.url


_DATABASES = iter(range(1, 1_000_000))


@pytest.fixture
def postgres_database(postgres: str) -> Iterator[str]:
    """URL of a fresh database; whatever a test has left connected to it is cut off at its end."""
    import sqlalchemy

    from archive.runtime.database import connect

    name = f"t{os.getpid()}_{next(_DATABASES)}"

    def run(command: str) -> None:
        engine = connect(postgres)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sqlalchemy.text(command))
        engine.dispose()

    run(f"CREATE DATABASE {name}")
    yield postgres.rsplit("/", 1)[0] + f"/{name}"
    run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a fresh database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return str(request.getfixturevalue("postgres_database"))


# -- the shared world of blogs, where it is present


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the shared test material is not beside this project")
    return SHARED
