"""What a command loads before it does anything: small commands, and the process that crawls, start without parsers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import PROJECT, Home
from sample.blogs import TIDE
from sample.server import Site

_LOADED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s*(\S+)$", re.MULTILINE)

EXTRACTOR = ("trafilatura", "justext", "htmldate", "langcodes", "gcld3", "archive.extract.pipeline")
FEEDS = ("feedparser", "babel", "crawler.feeds.reading")
SCHEDULER = ("apscheduler", "fastapi", "uvicorn", "schedules.daemon")
STORES = ("boto3", "botocore", "pg8000", "psycopg")
DIALECTS = ("sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.mysql", "sqlalchemy.dialects.oracle")
NEVER = (*EXTRACTOR, *FEEDS, *SCHEDULER, *STORES, *DIALECTS, "alembic")


def loaded(home: Home, *arguments: str) -> tuple[frozenset[str], str]:
    """The modules that `python -m …` has loaded by its end, and what it wrote."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", *arguments],
        env=home.environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return frozenset(_LOADED.findall(done.stderr)), done.stdout


def among(modules: frozenset[str], packages: tuple[str, ...]) -> set[str]:
    return {name for name in modules if any(name == one or name.startswith(f"{one}.") for one in packages)}


@pytest.fixture
def blog() -> Iterator[Site]:
    with Site() as site:
        site.pages.update(TIDE.pages(site.url))
        yield site


def test_the_help_loads_the_command_line_alone(home: Home) -> None:
    modules, out = loaded(home, "schedules", "--help")
    assert "Commands:" in out
    assert "schedules.cli" in modules
    assert among(modules, (*NEVER, "sqlalchemy", "pydantic", "scrapy", "twisted", "lxml", "requests")) == set()


def test_reading_a_post_loads_no_parser_and_crawling_nothing_no_extractor(home: Home, blog: Site) -> None:
    assert home.crawl(f"url={blog.url}/").code == 0
    modules, out = loaded(home, "schedules", "get", blog.url + TIDE.url_of(TIDE.posts[0]))
    assert all(words in " ".join(out.split()) for words in TIDE.posts[0].words)
    assert "archive.reader.reader" in modules
    assert among(modules, (*NEVER, "scrapy", "twisted", "lxml")) == set()
    modules, out = loaded(home, "scrapy", "crawl", "blog")
    assert out.startswith("kept 0 new posts; 0 feeds visited;")
    assert "crawler.session.run" in modules
    assert among(modules, NEVER) == set()


# Workers inherit `-X importtime` and write to the same place, so that the process says itself what it has loaded.
CRAWL = """
import sys
from scrapy.cmdline import execute
try:
    execute(["scrapy", "crawl", "blog", "-a", "url=" + sys.argv[1]])
finally:
    print("loaded", *sys.modules)
"""


def test_the_process_that_crawls_leaves_parsing_to_its_workers(home: Home, blog: Site) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRAWL, f"{blog.url}/"],
        env=home.environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    kept, _, modules = done.stdout.partition("\nloaded ")
    assert kept.startswith("kept 4 new posts;"), done.stderr
    assert "crawler.session.run" in modules.split()
    parsers = {*EXTRACTOR, *FEEDS} - {"langcodes"}  # records state the language of a text
    assert among(frozenset(modules.split()), tuple(parsers)) == set()
