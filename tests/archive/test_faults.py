"""A store that fails: nothing is lost, nothing hangs, nothing is left open."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.config import Config
from conftest import S3
from sample.faults import FAULTS, FaultyS3, now_and_then

from archive.errors import StoreBusyError
from archive.stores import s3 as s3_module
from archive.stores.s3 import CONFIG, PART_BYTES, S3Store

LARGE = os.urandom(1 << 20) * (PART_BYTES * 2 // (1 << 20) + 1)


@pytest.fixture
def faulty(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    with FaultyS3(s3) as proxy:
        for name, value in proxy.s3.settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(s3_module, "CONFIG", CONFIG.merge(Config(connect_timeout=1, read_timeout=2)))
        yield proxy


def uploads(s3: S3) -> list[object]:
    return list(s3.client().list_multipart_uploads(Bucket=s3.bucket).get("Uploads", ()))


def test_no_call_takes_two_minutes() -> None:
    tries = CONFIG.retries["total_max_attempts"]
    pauses = sum(min(2**n, 20) for n in range(tries - 1))
    assert tries * (CONFIG.connect_timeout + CONFIG.read_timeout) + pauses < 120


@pytest.mark.parametrize("size", ["one request", "parts"])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_fails_now_and_then_is_stored_all_the_same(
    faulty: FaultyS3, s3: S3, tmp_path: Path, fault: str, size: str
) -> None:
    data = LARGE if size == "parts" else LARGE[:300_000]
    source = tmp_path / "object"
    source.write_bytes(data)
    key = f"warc/{fault.replace(' ', '-')}-{size.replace(' ', '-')}-{os.getpid()}.gz"
    store = S3Store(s3.bucket, "faults")
    faulty.fault = now_and_then(fault)
    for _ in range(12):  # as a crawl does: again, until it is stored
        try:
            store.put(key, source)
        except StoreBusyError:
            continue
        break
    else:
        pytest.fail("never stored")
    assert any(found == fault for _, _, found in faulty.seen)
    faulty.fault = lambda method, path: None
    assert store.size(key) == len(data)
    assert store.read(key) == data
    assert uploads(s3) == []


@pytest.mark.parametrize("fault", ["refuse", "hang", "slow down", "reset in the middle"])
def test_a_store_that_is_away_is_busy_and_not_for_long(faulty: FaultyS3, s3: S3, fault: str) -> None:
    store = S3Store(s3.bucket, "faults")
    faulty.fault = lambda method, path: fault
    for call in (lambda: store.put("a", b"bytes"), lambda: store.read("a"), lambda: store.size("a"), store.check):
        began = time.monotonic()
        with pytest.raises(StoreBusyError):
            call()
        assert time.monotonic() - began < 30


def test_parts_that_a_kill_left_are_taken_away_by_the_next_try(faulty: FaultyS3, s3: S3, tmp_path: Path) -> None:
    key = f"warc/left-{os.getpid()}.gz"
    client = s3.client()
    begun = client.create_multipart_upload(Bucket=s3.bucket, Key=f"faults/{key}")
    client.upload_part(
        Bucket=s3.bucket, Key=f"faults/{key}", UploadId=begun["UploadId"], PartNumber=1, Body=LARGE[:PART_BYTES]
    )
    source = tmp_path / "object"
    source.write_bytes(LARGE)
    S3Store(s3.bucket, "faults").put(key, source)
    assert uploads(s3) == []
