"""The names that `import archive` offers, and an archive opened by them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sample.archives import HTML, POST, T0, at, capture, keep

import archive as package
from archive import NotArchivedError, StoreError, decoded_payload, is_capture, open_archive, parse_warc
from archive.archive import Archive
from archive.extract.text import Entry, Text
from archive.settings import ArchiveSettings

OTHER = "http://other.example/piece"


def text(url: str, words: str, **more: object) -> Text:
    return Text(url=url, text=words, markdown=f"# {words}", title="Tides", language="en", **more)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    facts = {"published": date(2026, 4, 30), "tags": ("sea",), "author": "Ann", "entry": Entry(title="T")}
    keep(
        archive,
        (capture(0), text(POST, "low tide", **facts)),
        (capture(6, b"<p>two</p>"), text(POST, "high tide", published=datetime(2026, 5, 1, 9, tzinfo=UTC))),
        (capture(1, b"<p>three</p>", url=OTHER), Text(url=OTHER, text="ebbe", markdown="ebbe", language="de")),
    )
    archive.index.engine.dispose()
    return tmp_path


def test_exported_members() -> None:
    assert package.__all__ == sorted(package.__all__, key=lambda name: (name[0].islower(), name))
    assert set(package.__all__) == set(package._HOMES) <= set(dir(package))
    for name in package.__all__:
        exported = getattr(package, name)
        assert exported.__name__ == name
        assert exported.__doc__
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = package.no_such_name


def test_the_import_alone_loads_nothing() -> None:
    code = "import archive, sys; print(*sorted(name for name in sys.modules if name.startswith(('archive.', 'sql'))))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "\n"


def test_the_packages_are_typed() -> None:
    assert (Path(package.__file__).parent / "py.typed").is_file()


def test_texts_have_typed_facts(home: Path) -> None:
    with open_archive(f"file:{home}/store") as archive:
        first = archive.text(POST, at="2026-05-01T12:00:00Z")
        assert (first.text, first.title, first.author, first.published) == (
            "low tide",
            "Tides",
            "Ann",
            date(2026, 4, 30),
        )
        assert (first.tags, first.entry, first.markdown) == (("sea",), Entry(title="T"), "# low tide")
        newest = archive.text(POST)
        assert (newest.text, newest.published) == ("high tide", datetime(2026, 5, 1, 9, tzinfo=UTC))
        assert archive.text(POST, at=at(1)).text == "low tide"
        assert archive.text(POST, at="20260501120000").text == "low tide"


def test_a_time_must_be_clear(home: Path) -> None:
    with open_archive(f"file:{home}/store") as archive:
        with pytest.raises(ValueError, match="no time zone"):
            archive.text(POST, at=datetime(2026, 5, 1))  # noqa: DTZ001
        with pytest.raises(ValueError, match="soon"):
            archive.text(POST, at="soon")


def test_captures_versions_and_differences(home: Path) -> None:
    with open_archive(f"file:{home}/store") as archive:
        assert [row.date for row in archive.captures(POST.replace("http", "https"))] == [at(0), at(6)]
        assert [version.first for version in archive.versions(POST)] == [at(0), at(6)]
        assert [change.kind for change in archive.diff(POST).changes] == ["edited"]
        assert archive.captures("http://blog.example/never") == []
        with pytest.raises(NotArchivedError):
            archive.versions("http://blog.example/never")


@pytest.mark.parametrize(
    ("filters", "urls"),
    [
        ({}, {POST, OTHER}),
        ({"blog": "blog.example"}, {POST}),
        ({"language": "de"}, {OTHER}),
        ({"since": "2026-05-01T09:30:00Z"}, {OTHER}),
        ({"until": "2026-05-01T09:30:00Z"}, {POST}),
        ({"blog": "blog.example", "language": "de"}, set()),
    ],
)
def test_posts_and_their_filters(home: Path, filters: dict[str, str], urls: set[str]) -> None:
    with open_archive(f"file:{home}/store") as archive:
        assert {post.url for post in archive.posts(**filters)} == urls


def test_what_is_known_of_a_post(home: Path) -> None:
    with open_archive(f"file:{home}/store") as archive:
        (post,) = archive.posts(blog="blog.example")
    assert post.as_json() == {
        "url": POST, "blog": "blog.example", "title": "Tides", "author": None, "language": "en",
        "dated": "2026-05-01T09:00:00Z", "first_seen": "2026-05-01T12:00:00Z", "last_seen": "2026-05-01T18:00:00Z",
        "versions": 2, "captures": 2,
    }  # fmt: skip


def test_search(home: Path) -> None:
    with open_archive(f"file:{home}/store") as archive:
        assert [hit.url for hit in archive.search('"low tide"')] == [POST]
        assert archive.search("nowhere") == []


def test_without_a_database_the_index_is_built_from_the_store_and_goes_with_the_block(home: Path) -> None:
    (home / "pressmark.db").rename(home / "elsewhere.db")
    before = sorted(home.iterdir())
    with open_archive(f"file:{home}/store") as archive:
        assert archive.text(POST).text == "high tide"
        assert len(archive.search("tide")) == 2
        (temporary,) = {Path(archive.reader.index.engine.url.database).parent}
        assert temporary.is_dir()
    assert not temporary.exists()
    assert sorted(home.iterdir()) == before
    with open_archive(f"file:{home}/store", f"sqlite:///{home}/elsewhere.db") as archive:
        assert archive.text(POST).text == "high tide"


def test_a_store_that_does_not_exist_is_an_error_and_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere"):
        open_archive(f"file:{tmp_path}/nowhere")
    assert list(tmp_path.iterdir()) == []


def test_captures_of_another_crawler(tmp_path: Path) -> None:
    with open_archive(f"file:{tmp_path}/store", f"sqlite:///{tmp_path}/own.db", home=tmp_path) as archive:
        batch = archive.writer.batch(now=T0)
        batch.add_text(batch.add(capture(0, headers=HTML)), text(POST, "mine"))
        sealed = batch.seal()
        archive.writer.commit(sealed)
        archive.writer.release(sealed)
    with open_archive(f"file:{tmp_path}/store") as archive:
        assert archive.text(POST).text == "mine"


def test_records_of_a_file(home: Path) -> None:
    (path,) = (home / "store/warc").rglob("*.warc.gz")
    pages = [record for record in parse_warc(path) if is_capture(record)]
    assert decoded_payload(pages[0]) == (b"<p>one</p>", "text/html; charset=utf-8")
    assert len(pages) == 3
