"""Profiles: what recurs across a site's posts is not the post, and nothing else goes."""

from __future__ import annotations

import json

import pytest
from conftest import Home
from sample.server import Answer, Site

from archive.archive import Archive
from archive.extract.pipeline import extract, extractor
from archive.extract.site_profile import Profile, block_hash, learned
from archive.index.from_records import HeldText
from archive.index.schema import TextRow
from archive.maintenance.learn_sites import Sites, site_of
from archive.settings import ArchiveSettings

PLEA = "We write about harbours twice a month and would like you to tell your friends about it."
URL = "http://blog.example/post"


def post(n: int, *more: str) -> list[str]:
    return [f"The lighthouse number {chr(97 + n) * 3} was painted again this spring by two men.", *more]


def test_blocks_that_recur_are_learned() -> None:
    profile = learned("blog.example", None, [post(n, "Ingredients", PLEA) for n in range(6)])
    assert profile is not None
    assert (profile.site, profile.version, profile.name) == ("blog.example", 1, "blog.example/1")
    assert profile.knows(PLEA)
    assert profile.knows(f"  {PLEA.upper()}"), "case and spaces do not tell blocks apart"
    assert not profile.knows("Ingredients"), "short headings recur in posts"
    assert not profile.knows(post(1)[0])


def test_nothing_is_learned_from_few_posts() -> None:
    assert learned("blog.example", None, [post(n, PLEA) for n in range(4)]) is None


def test_blocks_of_some_posts_are_not_learned() -> None:
    posts = [post(n, *([PLEA] if n < 3 else [])) for n in range(12)]
    assert learned("blog.example", None, posts) is None


def test_numbers_do_not_distinguish_blocks() -> None:
    posts = [post(n, f"{n} people have read this and {n * 7} have written to us about it") for n in range(6)]
    profile = learned("blog.example", None, posts)
    assert profile is not None
    assert profile.knows("99 people have read this and 12 have written to us about it")


def test_known_blocks_stay_and_the_version_increases() -> None:
    first = learned("blog.example", None, [post(n, PLEA) for n in range(6)])
    assert first is not None
    assert learned("blog.example", first, [post(n) for n in range(6)]) is first
    second = learned(
        "blog.example", first, [post(n, "Another line that is on every page of this blog.") for n in range(6)]
    )
    assert second is not None
    assert second.version == 2
    assert second.knows(PLEA)


def test_a_profile_is_recorded_with_the_text_and_removes_its_blocks() -> None:
    body = "".join(f"<p>{said} {'More words follow here. ' * 5}</p>" for said in post(1) + post(2))
    page = f"<html><body><article>{body}<p>{PLEA}</p></article></body></html>".encode()
    found = block_hash(PLEA)
    assert found
    profile = Profile(site="blog.example", version=3, blocks=frozenset({found}))
    plain, cleared = extract(page, url=URL), extract(page, url=URL, site=profile)
    assert PLEA in plain.text
    assert PLEA not in cleared.text + cleared.markdown
    assert cleared.text == plain.text.replace("\n" + PLEA, "")
    assert "profile" not in plain.extractor
    assert cleared.extractor == extractor(profile)
    assert cleared.extractor["profile"] == "blog.example/3"


def test_a_post_of_recurring_blocks_only_keeps_them() -> None:
    words = "There is nothing new this month, and we are sorry to say so. " * 4
    found = block_hash(words)
    assert found
    profile = Profile(site="blog.example", version=1, blocks=frozenset({found}))
    page = f"<html><body><article><p>{words}</p></article></body></html>".encode()
    assert extract(page, url=URL, site=profile).text.strip() == words.strip()


@pytest.mark.parametrize(
    ("url", "wanted"),
    [("https://Blog.Example/a", "blog.example"), ("http://127.0.0.1:8080/", "127.0.0.1-8080"), ("http://[::1]/", "-1"), ("nonsense", "unknown"), ("http://a:b/", "unknown")],
)  # fmt: skip
def test_sites_are_identified_by_host(url: str, wanted: str) -> None:
    assert site_of(url) == wanted


@pytest.fixture
def blog(site: Site) -> Site:
    """Six posts, each with the same two paragraphs about the blog."""
    items = ""
    for n in range(6):
        paragraphs = "".join(
            f"<p>{said} {'Words of this very post. ' * 4}{n} {k}</p>" for k, said in enumerate(post(n) * 3)
        )
        site.pages[f"/post-{n}"] = Answer(
            f"<html><body><article>{paragraphs}<p>{PLEA}</p></article></body></html>".encode()
        )
        items += f"<item><guid>{n}</guid><title>Post {n}</title><link>{site.url}/post-{n}</link></item>"
    site.pages["/feed"] = Answer(
        f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode(), "application/rss+xml"
    )
    return site


def test_learning_is_limited(home: Home, blog: Site) -> None:
    assert home.crawl(f"url={blog.url}/feed").code == 0
    archive = Archive.open(ArchiveSettings(home=home.path, allow_networks="127.0.0.0/8"))
    (key,) = archive.store.keys("sites/")
    (home.path / "store" / key).unlink()
    sites = Sites(archive)
    texts = [archive.text(f"{blog.url}/post-{n}").as_text() for n in range(6)]
    for text in texts:
        sites.made(text.url, text)
    assert sites.learn(seconds=-1) == 0
    for text in texts:
        sites.made(text.url, text)
    assert sites.learn() == 1


class Counted:
    """An archive that counts what its store is asked."""

    def __init__(self, archive: Archive) -> None:
        self.store, self.index = self, archive.index
        self._archive = archive
        self.asked: list[str] = []

    def keys(self, prefix: str) -> list[str]:
        self.asked.append(f"keys {prefix}")
        return list(self._archive.store.keys(prefix))

    def read(self, key: str) -> bytes:
        self.asked.append(f"read {key}")
        return self._archive.store.read(key)

    def put(self, key: str, data: bytes) -> None:
        self.asked.append(f"put {key}")
        self._archive.store.put(key, data)

    def read_text(self, row: TextRow) -> HeldText:
        self.asked.append(f"text {row.url}")
        return self._archive.read_text(row)


def test_a_crawl_learns_from_what_it_has_in_memory(home: Home, blog: Site) -> None:
    archive = Archive.open(ArchiveSettings(home=home.path, allow_networks="127.0.0.0/8"))
    counted = Counted(archive)
    sites = Sites(counted)  # type: ignore[arg-type]
    assert sites.of(blog.url) is None
    assert counted.asked == [], "there are no texts of a new site, so that there is no profile"
    assert home.crawl(f"url={blog.url}/feed").code == 0
    (key,) = archive.store.keys("sites/")
    (home.path / "store" / key).unlink()
    for n in range(6):
        text = archive.text(f"{blog.url}/post-{n}").as_text()
        sites.made(text.url, text)
    assert sites.learn() == 1
    assert counted.asked == [f"put {key}"]


def test_a_crawl_learns_and_re_extraction_removes_it(home: Home, blog: Site) -> None:
    assert home.crawl(f"url={blog.url}/feed").code == 0
    first = json.loads(home.pressmark("get", f"{blog.url}/post-0", "--as", "json").out)
    assert PLEA in first["text"]
    archive = Archive.open(ArchiveSettings(home=home.path, allow_networks="127.0.0.0/8"))
    profile = Sites(archive).of(blog.url)
    assert profile is not None
    assert profile.version == 1
    assert list(archive.store.keys("sites/")) == [f"sites/{site_of(blog.url)}/000001.json"]
    assert home.pressmark("extract", "--again").out == "6 texts re-extracted, 0 unchanged\n"
    again = json.loads(home.pressmark("get", f"{blog.url}/post-0", "--as", "json").out)
    assert PLEA not in again["text"]
    assert again["extractor"]["profile"] == profile.name
    assert home.pressmark("verify").code == 0
    assert home.pressmark("extract", "--again").out == "0 texts re-extracted, 6 unchanged\n"
