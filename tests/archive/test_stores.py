"""One contract, three stores."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from archive.errors import (
    ObjectExistsError,
    ObjectMissingError,
    SettingsError,
    StoreBusyError,
    StoreRefusedError,
)
from archive.stores import ObjectStore, open_store
from archive.stores.folder import FolderStore
from archive.stores.memory import MemoryStore


class StoreContract:
    """What every store promises; subclasses give `store`."""

    def test_gives_back_what_was_put(self, store: ObjectStore) -> None:
        store.put("warc/a.gz", b"first\x00bytes")
        assert store.read("warc/a.gz") == b"first\x00bytes"
        assert store.size("warc/a.gz") == 11

    def test_puts_files(self, store: ObjectStore, tmp_path: Path) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"x" * 70_000)
        store.put("warc/file.gz", source)
        assert store.read("warc/file.gz") == b"x" * 70_000
        assert source.exists()

    def test_puts_files_that_go_up_in_parts(self, store: ObjectStore, tmp_path: Path) -> None:
        source = tmp_path / "large"
        data = os.urandom(1 << 20) * 20
        source.write_bytes(data)
        store.put("warc/large.gz", source)
        assert store.size("warc/large.gz") == len(data)
        assert store.read("warc/large.gz", len(data) - 5) == data[-5:]
        store.put("warc/large.gz", source)
        source.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(ObjectExistsError):
            store.put("warc/large.gz", source)

    def test_reads_ranges(self, store: ObjectStore) -> None:
        store.put("a", b"0123456789")
        assert store.read("a", 3) == b"3456789"
        assert store.read("a", 3, 4) == b"3456"
        assert store.read("a", 8, 10) == b"89"
        assert store.read("a", 10, 5) == b""
        assert store.read("a", 3, 0) == b""

    def test_same_bytes_again_are_fine(self, store: ObjectStore) -> None:
        store.put("a", b"same")
        store.put("a", b"same")
        assert store.read("a") == b"same"

    def test_other_bytes_are_refused_and_the_first_stay(self, store: ObjectStore) -> None:
        store.put("a", b"first")
        with pytest.raises(ObjectExistsError, match="a: holds other bytes"):
            store.put("a", b"other")
        assert store.read("a") == b"first"

    def test_missing_objects_are_named(self, store: ObjectStore) -> None:
        for call in (store.read, store.size):
            with pytest.raises(ObjectMissingError, match="nothing/here"):
                call("nothing/here")

    def test_what_is_deleted_is_gone_and_may_be_deleted_again(self, store: ObjectStore) -> None:
        store.put("warc/1.gz", b"x")
        store.put("warc/2.gz", b"y")
        for _ in range(2):
            store.delete("warc/1.gz")
            with pytest.raises(ObjectMissingError):
                store.read("warc/1.gz")
            assert list(store.keys()) == ["warc/2.gz"]
        store.delete("never/was/here")
        store.delete("warc/2.gz/below")
        assert store.read("warc/2.gz") == b"y"
        store.put("warc/1.gz", b"anew")
        assert store.read("warc/1.gz") == b"anew"

    @pytest.mark.parametrize("key", ["", "../a", "/a"])
    def test_only_keys_can_be_deleted(self, store: ObjectStore, key: str) -> None:
        with pytest.raises(ValueError, match="object key"):
            store.delete(key)

    def test_lists_keys_by_prefix(self, store: ObjectStore) -> None:
        for key in ("warc/2.gz", "text/1.gz", "warc/1.gz", "warc-other/1.gz"):
            store.put(key, key.encode())
        assert sorted(store.keys()) == ["text/1.gz", "warc-other/1.gz", "warc/1.gz", "warc/2.gz"]
        assert sorted(store.keys("warc/")) == ["warc/1.gz", "warc/2.gz"]

    @pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "A", "ä", "a b", "a\n", ".a", "x" * 600])
    def test_keys_that_not_every_store_can_keep_are_refused(self, store: ObjectStore, key: str) -> None:
        with pytest.raises(ValueError, match="object key"):
            store.put(key, b"")

    def test_one_of_many_writers_wins(self, store: ObjectStore) -> None:
        failures: list[Exception] = []

        def write(n: int) -> None:
            try:
                store.put("raced", f"writer {n}".encode())
            except ObjectExistsError as e:
                failures.append(e)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(failures) == 7
        assert store.read("raced").startswith(b"writer ")

    def test_check_leaves_nothing(self, store: ObjectStore) -> None:
        store.check()
        assert list(store.keys()) == []


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return MemoryStore()

    def test_one_name_is_one_store(self) -> None:
        open_store("memory:shared").put("a", b"x")
        assert open_store("memory:shared").read("a") == b"x"


class TestFolder(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        return open_store(f"file:{tmp_path / 'deep' / 'store'}")

    def test_unfinished_files_are_no_objects(self, tmp_path: Path) -> None:
        store = FolderStore(tmp_path)
        store.put("warc/a", b"x")
        (tmp_path / "warc" / ".tmp-left").write_bytes(b"half")
        assert list(store.keys()) == ["warc/a"]

    def test_nothing_is_left_of_a_refused_put(self, tmp_path: Path) -> None:
        store = FolderStore(tmp_path)
        store.put("a", b"x")
        with pytest.raises(ObjectExistsError):
            store.put("a", b"y")
        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    def test_a_file_in_place_of_the_folder_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("no folder")
        with pytest.raises(StoreRefusedError, match=f"{tmp_path}/file") as caught:
            FolderStore(tmp_path / "file").check()
        assert caught.value.hint


_PREFIXES = iter(range(1_000))


class TestS3(StoreContract):
    @pytest.fixture
    def store(self, s3, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
        for name, value in s3.settings.items():
            monkeypatch.setenv(name, value)
        return open_store(f"s3://{s3.bucket}/contract/p{os.getpid()}-{next(_PREFIXES)}")

    def test_wrong_credentials_are_refused_with_a_remedy(self, s3, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in (s3.settings | {"AWS_SECRET_ACCESS_KEY": "wrong"}).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(StoreRefusedError, match="s3://pressmark/x") as caught:
            open_store("s3://pressmark/x").check()
        assert "AWS_SECRET_ACCESS_KEY" in (caught.value.hint or "")

    def test_a_missing_bucket_is_named(self, s3, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in s3.settings.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(StoreRefusedError, match="s3://nosuchbucket"):
            open_store("s3://nosuchbucket/x").check()

    def test_an_endpoint_that_is_down_is_temporary(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        with pytest.raises(StoreBusyError) as caught:
            open_store("s3://bucket/x").check()
        assert caught.value.temporary

    def test_no_credentials_at_all_are_refused(self, s3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        with pytest.raises(StoreRefusedError):
            open_store("s3://pressmark/x").check()


@pytest.mark.parametrize("location", ["", "file:", "ftp://x/y", "s3://", "/just/a/path"])
def test_a_location_of_no_known_kind_is_refused(location: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_store(location)
    assert "file:PATH" in (caught.value.hint or "")
