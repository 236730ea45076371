"""Bad input: one clear line, the exit code that the help names, nothing claimed that is not kept."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import S3, Home, Ran
from sample.blogs import TIDE
from sample.server import Answer, Site
from sample.services import free_port


def told(done: Ran) -> str:
    """The error line; there is exactly one, and no traceback."""
    lines = [line for line in done.err.splitlines() if line.startswith("pressmark: ")]
    assert "Traceback" not in done.err, done.err
    assert len(lines) == 1, done.err
    return lines[0]


@pytest.mark.parametrize("command", ["scrapy", "add", "crawl"])
def test_a_url_that_is_no_blog(home: Home, site: Site, command: str) -> None:
    site.pages["/"] = Answer(b"<html><body><p>Just a page.</p></body></html>")
    url = f"{site.url}/"
    done = home.crawl(f"url={url}") if command == "scrapy" else home.pressmark(command, url)
    assert done.code == 1
    assert told(done) == f"pressmark: {url}: no feed was found there, and no sitemap or archive page that lists posts"
    assert home.pressmark("feeds", "--json").out == ""


def test_a_host_that_is_down(home: Home) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    done = home.pressmark("crawl", url)
    assert done.code == 1
    assert "connection refused" in told(done)
    assert url in told(done)


def test_a_host_that_does_not_exist(home: Home) -> None:
    done = home.pressmark("crawl", "http://no-such-host.invalid/")
    assert done.code == 1
    assert "host not found" in told(done)


def test_a_feed_that_has_become_html(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    home.crawl(f"url={site.url}/")
    site.pages["/feed/"] = Answer(b"<html><body>Please log in</body></html>")
    done = home.crawl(f"url={site.url}/")
    assert done.code == 1
    assert told(done) == f"pressmark: {site.url}/: is not a feed"
    health = json.loads(home.pressmark("feeds", "--json").out)
    assert (health["state"], health["error"], health["failures"], health["posts_kept"]) == (
        "failing",
        "is not a feed",
        1,
        4,
    )


def test_a_private_address_that_was_not_allowed(home: Home, site: Site) -> None:
    home.settings["PRESSMARK_ALLOW_NETWORKS"] = ""
    site.pages.update(TIDE.pages(site.url))
    for url in (f"{site.url}/", site.url.replace("127.0.0.1", "localhost") + "/"):
        done = home.pressmark("add", url)
        assert done.code == 1
        assert url in told(done)
        assert "private address" in told(done)
        assert "PRESSMARK_ALLOW_NETWORKS" in done.err
    assert site.log == []


def test_a_redirect_to_a_private_address(home: Home, site: Site) -> None:
    site.pages["/"] = Answer(b"", status=302, headers={"Location": f"http://10.255.255.1:{free_port()}/"})
    done = home.pressmark("add", f"{site.url}/")
    assert done.code == 1
    assert "private address" in told(done)


@pytest.mark.parametrize("url", ["blog.example", "ftp://blog.example/", "file:///etc/passwd", "http://"])
def test_what_is_no_web_address(home: Home, url: str) -> None:
    done = home.pressmark("add", url)
    assert done.code in {1, 2}
    assert url in told(done)


def test_an_unknown_argument_of_the_spider(home: Home) -> None:
    done = home.crawl("ulr=http://x/")
    assert done.code == 2
    assert "ulr" in told(done)


def test_an_unwritable_store(home: Home, site: Site, tmp_path: Path) -> None:
    site.pages.update(TIDE.pages(site.url))
    (tmp_path / "file").write_text("in the way")
    home.settings["PRESSMARK_STORE"] = f"file:{tmp_path / 'file' / 'store'}"
    done = home.crawl(f"url={site.url}/")
    assert done.code == 1
    assert str(tmp_path / "file") in told(done)
    assert site.log == [], "nothing is fetched that could not be kept"


def test_wrong_s3_credentials(home: Home, site: Site, s3: S3) -> None:
    site.pages.update(TIDE.pages(site.url))
    home.settings |= {**s3.settings, "AWS_SECRET_ACCESS_KEY": "wrong", "PRESSMARK_STORE": f"s3://{s3.bucket}/x"}
    done = home.crawl(f"url={site.url}/")
    assert done.code == 1
    assert "s3://pressmark/x" in told(done)
    assert "AWS_SECRET_ACCESS_KEY" in done.err
    assert site.log == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("STORE", "ftp://x"), ("DATABASE", "nonsense"), ("DATABASE", "mysql://x/y"), ("HOST_GAP", "-1"), ("ALLOW_NETWORKS", "10.0.0.0/99")],
)  # fmt: skip
def test_settings_that_cannot_be_used(home: Home, name: str, value: str) -> None:
    home.settings[f"PRESSMARK_{name}"] = value
    done = home.crawl("url=http://127.0.0.1:1/")
    assert done.code == 2
    assert f"PRESSMARK_{name}" in told(done)


def test_a_database_that_is_down(home: Home) -> None:
    home.settings["PRESSMARK_DATABASE"] = f"postgresql://postgres:secret@127.0.0.1:{free_port()}/none"
    done = home.pressmark("feeds")
    assert done.code == 1
    assert "secret" not in done.err
    assert "127.0.0.1" in told(done)


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of one megabyte, as root may mount one."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_under_the_store(home: Home, site: Site, small_disk: Path) -> None:
    site.pages.update(TIDE.pages(site.url))
    for post in TIDE.posts:
        site.pages[TIDE.url_of(post)] = Answer(b"<p>" + os.urandom(400_000) + b"</p>")
    home.settings |= {"PRESSMARK_STORE": f"file:{small_disk / 'store'}", "PRESSMARK_OUTAGE_SECONDS": "2"}
    done = home.crawl(f"url={site.url}/")
    assert done.code == 1
    assert "No space left on device" in told(done)
    assert done.out.startswith("kept 0 new posts;")
    assert json.loads(home.pressmark("feeds", "--json").out)["posts_kept"] == 0
    # With room again the spool is committed: everything is kept, and no page is fetched once more.
    home.settings["PRESSMARK_STORE"] = f"file:{home.path / 'store'}"
    site.log.clear()
    assert home.crawl(f"url={site.url}/").code == 0
    assert json.loads(home.pressmark("feeds", "--json").out)["posts_kept"] == 4
    assert site.asked == ["/feed/"]


def test_a_disk_under_the_spool_that_is_too_small_for_a_page(site: Site, small_disk: Path, tmp_path: Path) -> None:
    site.pages.update(TIDE.pages(site.url))
    for post in TIDE.posts:
        site.pages[TIDE.url_of(post)] = Answer(b"<p>" + os.urandom(400_000) + b"</p>")
    large = TIDE.url_of(TIDE.posts[-1])
    site.pages[large] = Answer(b"<p>" + os.urandom(1_500_000) + b"</p>")
    home = Home(
        small_disk / "home",
        PRESSMARK_STORE=f"file:{tmp_path / 'store'}",
        PRESSMARK_DATABASE=f"sqlite:///{tmp_path / 'db'}",
        PRESSMARK_OUTAGE_SECONDS="2",
    )
    done = home.crawl(f"url={site.url}/")
    assert done.code == 1
    assert "No space left on device" in told(done)
    assert not done.out.startswith("kept 4 new posts;")
    assert home.pressmark("verify").code == 0


@pytest.mark.parametrize("url", ["http://[bad/", "http://", "https:///path", "ftp://a.example/"])
def test_an_address_that_is_none_is_wrong_use(home: Home, url: str) -> None:
    for done in (home.pressmark("add", url), home.crawl(f"url={url}")):
        assert done.code == 2
        assert "not an http or https address" in done.err
        assert "Traceback" not in done.err


def test_a_shard_of_nothing_is_wrong_use(home: Home) -> None:
    for shard in ("0/0", "5/4", "²/3", "1/99999999999999999999"):
        done = home.crawl(f"shard={shard}")
        assert (done.code, "Traceback" in done.err) == (2, False)
