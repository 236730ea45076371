"""Objects in an S3 bucket of any maker; the home of boto3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from archive.errors import ObjectExistsError, ObjectMissingError, StoreBusyError, StoreError, StoreRefusedError
from archive.stores.protocol import checked_key

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 16 * 1024 * 1024
"""Larger files go up in parts of this size, which is also what one upload holds in memory."""

_MISSING = {"NoSuchKey", "404", "NotFound"}
_EXISTS = {"PreconditionFailed", "412", "ConditionalRequestConflict"}
_SLOW_STATUS = {408, 429, 500, 502, 503, 504}
_KEYS_HINT = "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL."
_SHA256 = "sha256"

CONFIG = Config(
    # No call may hang: ten seconds to connect, sixty between two bytes, and four tries in all.
    connect_timeout=10,
    read_timeout=60,
    retries={"mode": "standard", "max_attempts": 4},
    user_agent_extra="pressmark",
)


class S3Store:
    """An `ObjectStore` in a bucket; endpoint, region and credentials are found by boto3's own chain."""

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self.location = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        with self._errors():
            self._client = boto3.session.Session().client("s3", config=CONFIG)

    def put(self, key: str, source: bytes | Path) -> None:
        """See `ObjectStore`; large files go up in parts, each with its checksum."""
        name = self._name(key)
        sha256 = _sha256(source)
        with self._errors(key):
            try:
                if isinstance(source, bytes):
                    self._put(name, source, sha256)
                elif source.stat().st_size <= PART_BYTES:
                    self._put(name, source.read_bytes(), sha256)
                else:
                    self._put_parts(name, source, sha256)
            except ClientError as e:
                if _code(e) not in _EXISTS:
                    raise
                held = self._client.head_object(Bucket=self._bucket, Key=name)
                if held["Metadata"].get(_SHA256) != sha256:
                    raise ObjectExistsError("holds other bytes", location=self.location, key=key) from e

    def read(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """See `ObjectStore`."""
        if length == 0:
            return b""
        last = "" if length is None else str(offset + length - 1)
        with self._errors(key):
            try:
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=self._name(key), Range=f"bytes={offset}-{last}"
                )
            except ClientError as e:
                if _code(e) in {"InvalidRange", "416"}:  # past the end: there is nothing to read
                    return b""
                raise
            return answer["Body"].read()

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        with self._errors():
            for page in pages:
                for found in page.get("Contents", ()):
                    yield found["Key"].removeprefix(self._prefix)

    def size(self, key: str) -> int:
        """See `ObjectStore`."""
        with self._errors(key):
            return self._client.head_object(Bucket=self._bucket, Key=self._name(key))["ContentLength"]

    def check(self) -> None:
        """See `ObjectStore`."""
        with self._errors():
            self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)

    def _put(self, name: str, data: bytes, sha256: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=name, Body=data, IfNoneMatch="*", Metadata={_SHA256: sha256})

    def _put_parts(self, name: str, source: Path, sha256: str) -> None:
        """Multipart upload; one that fails leaves no parts behind."""
        upload = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=name, Metadata={_SHA256: sha256}, ChecksumAlgorithm="CRC32"
        )["UploadId"]
        parts: list[CompletedPartTypeDef] = []
        try:
            with source.open("rb") as data:
                while part := data.read(PART_BYTES):
                    number = len(parts) + 1
                    done = self._client.upload_part(
                        Bucket=self._bucket,
                        Key=name,
                        UploadId=upload,
                        PartNumber=number,
                        Body=part,
                        ChecksumAlgorithm="CRC32",
                    )
                    parts.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumCRC32": done["ChecksumCRC32"]})
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=name, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
            )
        except BaseException:
            with suppress(ClientError, BotoCoreError):  # the first failure is the one to tell
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload)
            raise

    def _name(self, key: str) -> str:
        return self._prefix + checked_key(key)

    @contextmanager
    def _errors(self, key: str | None = None) -> Iterator[None]:
        """Turn what boto3 raises into the store's errors."""
        try:
            yield
        except ClientError as e:
            raise self._error(e, key) from e
        except (NoCredentialsError, PartialCredentialsError, NoRegionError, ProfileNotFound, ValueError) as e:
            raise StoreRefusedError(str(e), location=self.location, key=key, hint=_KEYS_HINT) from e
        except BotoCoreError as e:
            raise StoreBusyError(str(e), location=self.location, key=key, hint="Is the endpoint up?") from e

    def _error(self, e: ClientError, key: str | None) -> StoreError:
        code = _code(e)
        message = e.response.get("Error", {}).get("Message") or code
        if code in _MISSING:
            return ObjectMissingError("no such object", location=self.location, key=key)
        if code == "NoSuchBucket":
            return StoreRefusedError("no such bucket", location=self.location, hint="Create the bucket first.")
        if e.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _SLOW_STATUS:
            return StoreBusyError(f"{code}: {message}", location=self.location, key=key)
        return StoreRefusedError(f"{code}: {message}", location=self.location, key=key, hint=_KEYS_HINT)


def _code(e: ClientError) -> str:
    return e.response.get("Error", {}).get("Code", "")


def _sha256(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
