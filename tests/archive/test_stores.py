"""One contract, three stores."""

from __future__ import annotations

import hashlib
import os
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import CredentialRetrievalError, UnauthorizedSSOTokenError
from sample.makers import MAKERS, UNCONDITIONAL, FakeS3

from archive.errors import (
    ObjectExistsError,
    ObjectMissingError,
    SettingsError,
    StoreBusyError,
    StoreError,
    StoreRefusedError,
)
from archive.stores import ObjectStore, open_store
from archive.stores.folder import FolderStore
from archive.stores.memory import MemoryStore
from archive.stores.s3_refusal import refusal


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

    def test_cleaning_leaves_objects_and_what_is_being_written(self, store: ObjectStore) -> None:
        store.put("warc/1.gz", b"x")
        assert store.clean(datetime.now(UTC) - timedelta(days=1)) == 0
        assert store.read("warc/1.gz") == b"x"

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


def test_what_a_killed_process_left_in_a_folder_is_removed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("warc/1.gz", b"x")
    old, young = tmp_path / "warc" / ".tmp-old", tmp_path / "warc" / ".tmp-young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert store.clean(datetime.now(UTC) - timedelta(days=1)) == 1
    assert (old.exists(), young.exists()) == (False, True)
    assert list(store.keys()) == ["warc/1.gz"]


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


# -- what other makers do otherwise


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    with FakeS3() as running:
        for name, value in running.s3.settings.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def fake_store(fake: FakeS3) -> ObjectStore:
    return open_store(f"s3://{fake.s3.bucket}/p")


class TestOtherMakers(StoreContract):
    test_keys_that_not_every_store_can_keep_are_refused = None  # the server is not even asked

    @pytest.fixture(params=MAKERS)
    def store(self, request: pytest.FixtureRequest, fake: FakeS3) -> ObjectStore:
        fake.switches = MAKERS[request.param]
        return open_store(f"s3://{fake.s3.bucket}/p")

    @pytest.mark.parametrize(
        "store", [name for name, switches in MAKERS.items() if not switches & UNCONDITIONAL], indirect=True
    )
    def test_one_of_many_writers_wins(self, store: ObjectStore) -> None:
        """Without conditions a server cannot promise that; names are unique by chance."""
        super().test_one_of_many_writers_wins(store)

    def test_lists_many_pages_once_and_in_full(self, store: ObjectStore, fake: FakeS3) -> None:
        for n in range(9):
            store.put(f"warc/{n}.gz", b"x")
        assert list(store.keys("warc/")) == [f"warc/{n}.gz" for n in range(9)]


class TestFaults:
    """A server that fails in the middle, or says what is not the case."""

    def test_what_a_server_lacks_is_found_out_once(self, fake: FakeS3, fake_store: ObjectStore) -> None:
        fake.switches = MAKERS["neither, encrypted"]
        fake_store.put("a", b"1")
        fake.asked.clear()
        fake_store.put("b", b"2")
        assert fake.asked == [("HEAD", "p/b"), ("PUT", "p/b"), ("GET", "p/b")], "one try, and read to verify"

    def test_a_refusal_for_another_reason_is_reported_as_it_was_first(
        self, fake: FakeS3, fake_store: ObjectStore
    ) -> None:
        fake.switches = frozenset({"no keys"})
        with pytest.raises(StoreRefusedError, match="InvalidAccessKeyId") as caught:
            fake_store.put("a", b"1")
        assert "AWS_ACCESS_KEY_ID" in (caught.value.hint or "")

    @pytest.mark.parametrize("maker", ["Amazon's", "checksums dropped", "no checksums", "neither, encrypted"])
    def test_bytes_that_change_on_the_way_are_noticed(
        self, fake: FakeS3, fake_store: ObjectStore, maker: str, tmp_path: Path
    ) -> None:
        fake.switches = MAKERS[maker] | {"bodies change"}
        large = tmp_path / "large"
        large.write_bytes(os.urandom(17 << 20))
        for source in (b"some bytes", large):
            with pytest.raises(StoreBusyError, match="other bytes arrived"):
                fake_store.put("a" if isinstance(source, bytes) else "b", source)

    def test_a_put_whose_reply_is_lost_is_verified_by_reading(self, fake: FakeS3, fake_store: ObjectStore) -> None:
        fake.switches = frozenset({"replies lost"})
        fake_store.put("a", b"the bytes")
        assert ("GET", "p/a") in fake.asked
        assert fake.objects["p/a"] == b"the bytes"

    def test_a_torn_object_under_our_key_is_named_with_both_digests_and_the_remedy(
        self, fake: FakeS3, fake_store: ObjectStore
    ) -> None:
        fake.switches = frozenset({"puts torn"})
        with pytest.raises(ObjectExistsError, match="holds other bytes") as caught:
            fake_store.put("a", b"all the bytes")
        for data in (b"all the bytes", b"all the bytes"[:6]):
            assert hashlib.sha256(data).hexdigest() in str(caught.value)
        assert "pressmark seal --again" in (caught.value.hint or "")

    def test_a_range_that_is_ignored_is_cut_out_and_no_more_is_read(
        self, fake: FakeS3, fake_store: ObjectStore
    ) -> None:
        fake.objects["p/a"] = bytes(1000) + b"here" + bytes(300_000_000)
        fake.switches = frozenset({"ranges ignored"})
        tracemalloc.start()
        assert fake_store.read("a", 1000, 4) == b"here"
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20_000_000
        assert fake.sent < 100_000_000
        assert fake_store.read("a", 300_001_000, 50) == bytes(4)
        assert fake_store.read("a", 300_002_000, 50) == b""

    def test_a_listing_that_never_ends_is_an_error(
        self, fake: FakeS3, fake_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake.objects |= {"p/a": b"", "p/b": b"", "p/c": b""}
        page = {"IsTruncated": True, "Contents": [{"Key": "p/a"}, {"Key": "p/b"}]}
        monkeypatch.setattr(fake_store, "_page", lambda *_: page)
        with pytest.raises(StoreError, match="the listing repeats itself"):
            list(fake_store.keys())

    def test_an_object_that_no_listing_shows_yet_is_there(self, fake: FakeS3, fake_store: ObjectStore) -> None:
        fake_store.put("a", b"x")
        fake.unlisted.add("p/a")
        assert list(fake_store.keys()) == []
        assert (fake_store.size("a"), fake_store.read("a")) == (1, b"x")
        fake_store.put("a", b"x")

    @pytest.mark.parametrize("ahead", [7_200, -7_200])
    def test_a_wrong_clock_is_called_that(self, fake: FakeS3, fake_store: ObjectStore, ahead: int) -> None:
        fake.switches, fake.skew_seconds = frozenset({"clock"}), ahead
        for call in (fake_store.check, lambda: fake_store.put("a", b"x"), lambda: fake_store.size("a")):
            with pytest.raises(StoreBusyError) as caught:
                call()
            where = "behind" if ahead > 0 else "ahead of"
            assert caught.value.hint == f"Set this machine's clock. It is 120 minutes {where} the store's."

    def test_an_expired_token_waits_and_one_that_is_renewed_meanwhile_is_used(
        self, fake: FakeS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        path = tmp_path / "credentials"
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
        form = "[default]\naws_access_key_id={0}\naws_secret_access_key={0}\naws_session_token={0}\n"
        path.write_text(form.format("first"))
        store = open_store("s3://bucket/p")
        fake.switches = frozenset({"token expired"})
        for call in (store.check, lambda: store.put("a", b"x")):
            with pytest.raises(StoreBusyError, match="ExpiredToken") as caught:
                call()
            assert caught.value.temporary
            assert "Renew the session's token" in (caught.value.hint or "")
        path.write_text(form.format("second"))
        fake.switches = frozenset()
        store.put("a", b"x")
        assert store._client._request_signer._credentials.access_key == "second"

    def test_a_provider_of_credentials_that_fails_is_waited_for(
        self, fake_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for error in (
            CredentialRetrievalError(provider="process", error_msg="it ended with 1"),
            UnauthorizedSSOTokenError(),
            RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired."),
        ):

            def fail(*_: object, error: Exception = error, **__: object) -> None:
                raise error

            monkeypatch.setattr(fake_store, "_head", fail)
            with pytest.raises(StoreBusyError) as caught:
                fake_store.size("a")
            assert "Renew the session's token" in (caught.value.hint or "")


def test_the_hint_about_the_clock_needs_a_date_that_is_far_off() -> None:
    now = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

    def answer(date: str) -> dict[str, object]:
        return {
            "Error": {"Code": "403"},
            "ResponseMetadata": {"HTTPStatusCode": 403, "HTTPHeaders": {"date": date}},
        }

    assert refusal(answer("Fri, 01 May 2026 12:01:00 GMT"), now=now).meaning == "refused"
    assert refusal(answer("Fri, 01 May 2026 13:00:00 GMT"), now=now).meaning == "clock"
    assert refusal(answer("no date"), now=now).meaning == "refused"


@pytest.mark.parametrize("location", ["", "file:", "ftp://x/y", "s3://", "/just/a/path"])
def test_a_location_of_no_known_kind_is_refused(location: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_store(location)
    assert "file:PATH" in (caught.value.hint or "")
