"""Nothing is read twice: neither from the store for a text, nor from the spool by a commit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sample.archives import POST, T0, at, capture, keep

from archive.archive import Archive
from archive.extract.method import DEFAULT
from archive.extract.text import Text
from archive.index.writing import IndexWriter
from archive.maintenance.re_extract import arguments
from archive.maintenance.reindex import keys, reindex
from archive.settings import ArchiveSettings
from archive.stores import FolderStore
from archive.writer import batch as batches
from archive.writer.batch import Sealed

OTHER = "http://blog.example/other"


class SpyingStore(FolderStore):
    """Counts reads by the first word of the key."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads: Counter[str] = Counter()

    def read(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        self.reads[key.partition("/")[0]] += 1
        return super().read(key, offset, length)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    opened = Archive.open(ArchiveSettings(home=tmp_path))
    return Archive(opened.settings, SpyingStore(tmp_path / "store"), opened.index)


def words(archive: Archive, rows: str = "url, title, author, language, tags, dated, seen, digest") -> list[tuple]:
    with archive.index.engine.connect() as connection:
        return sorted(map(tuple, connection.exec_driver_sql(f"SELECT {rows} FROM searchable")))


def test_a_text_of_a_re_extraction_reads_a_response_once_and_a_revisit_twice(archive: Archive) -> None:
    response, revisit = keep(archive, capture(0), capture(6))
    assert (response.kind, revisit.kind) == ("response", "revisit")
    for row, reads in ((response, 1), (revisit, 2)):
        archive.store.reads.clear()
        assert arguments(archive, row, None, DEFAULT)["payload"] == b"<p>one</p>"
        assert archive.store.reads == {"warc": reads}


def test_a_text_is_one_read_of_its_own_records(archive: Archive) -> None:
    keep(archive, (capture(0), "one"), capture(6))
    for hours in (0, 6):
        archive.store.reads.clear()
        assert archive.text(POST, at(hours)).text == "one"
        assert archive.store.reads == {"text": 1}


def sealed(archive: Archive) -> Sealed:
    batch = archive.writer.batch(now=T0)
    odd = Text(
        url=POST, text="nul \0 and \ud800 end", markdown="\ud800", title="\0T\udfff", tags=("a", "b"), author="Ann"
    )
    batch.add_text(batch.add(capture(0)), odd)
    batch.add_text(batch.add(capture(1, b"<p>x</p>", url=OTHER)), Text(url=OTHER, text="other", markdown="other"))
    return batch.seal()


def test_a_commit_does_not_read_back_what_it_writes(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store copies the files; nothing else opens them."""
    written, opened, original = sealed(archive), [], Path.open

    def spied(path: Path, *arguments: object, **named: object) -> object:
        if path.parent == archive.writer.spool:
            opened.append(path.name)
        return original(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", spied)
    monkeypatch.setattr(archive.store, "put", lambda key, source: None)
    archive.writer.commit(written)
    assert opened == []
    assert len(words(archive)) == 2


def test_the_search_rows_of_a_commit_are_those_of_reindexing(archive: Archive) -> None:
    archive.writer.commit(sealed(archive))
    committed = words(archive)
    with archive.index.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM searchable")
    for key in keys(archive.store):
        assert reindex(archive.store, IndexWriter(archive.index), key) is None
    assert words(archive) == committed


@pytest.mark.parametrize("killed", [False, True])
def test_texts_that_a_batch_does_not_carry_are_read_from_its_file(
    archive: Archive, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if killed:
        sealed(archive)
        (left,) = archive.writer.leftovers()
    else:
        monkeypatch.setattr(batches, "CARRIED_CHARACTERS", 10)
        left = sealed(archive)
    assert left.words is None
    archive.writer.commit(left)
    assert len(words(archive)) == 2
