"""Objects in an S3 bucket of any provider; the home of boto3."""

from __future__ import annotations

import base64
import hashlib
import logging
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
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

log = logging.getLogger(__name__)

PART_BYTES = 16 * 1024 * 1024
"""Larger files are uploaded in parts of this size, which is also how much one upload has in memory."""

_MISSING = {"NoSuchKey", "404", "NotFound"}
_EXISTS = {"PreconditionFailed", "412"}
_SLOW_STATUS = {408, 409, 429, 500, 502, 503, 504}
_AGAIN = {
    # The bytes did not arrive as sent.
    "BadDigest",
    "IncompleteBody",
    "InvalidPart",
    "RequestTimeout",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
    # A response was lost after the upload was completed or aborted: putting the object again finds out.
    "NoSuchUpload",
}
_KEYS_HINT = "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL."
_SHA256 = "sha256"

CONFIG = Config(
    # No call may hang: three attempts in all, each with a limit on the time to connect and between two bytes.
    connect_timeout=5,
    read_timeout=25,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_extra="pressmark",
)


class S3Store:
    """An `ObjectStore` in a bucket; boto3's own chain finds endpoint, region and credentials."""

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self.location = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        with self._errors():
            self._client = boto3.session.Session().client("s3", config=CONFIG)

    def put(self, key: str, source: bytes | Path) -> None:
        """See `ObjectStore`; large files are uploaded in parts, each with its checksum."""
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

    def delete(self, key: str) -> None:
        """See `ObjectStore`; a bucket with versions keeps the bytes as an old version, for as long as its rules say."""
        name = self._name(key)
        with self._errors(key):
            self._client.delete_object(Bucket=self._bucket, Key=name)

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
        checksum = _crc32(data)
        done = self._client.put_object(
            Bucket=self._bucket,
            Key=name,
            Body=data,
            IfNoneMatch="*",
            Metadata={_SHA256: sha256},
            ChecksumCRC32=checksum,
        )
        try:
            self._check_arrived(name, checksum, done.get("ChecksumCRC32"))
        except StoreBusyError:
            self._client.delete_object(Bucket=self._bucket, Key=name)  # nothing refers to it yet
            raise

    def _put_parts(self, name: str, source: Path, sha256: str) -> None:
        """Multipart upload; leaves no parts behind, neither its own nor those of an earlier interrupted attempt."""
        upload = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=name, Metadata={_SHA256: sha256}, ChecksumAlgorithm="CRC32"
        )["UploadId"]
        parts: list[CompletedPartTypeDef] = []
        try:
            with source.open("rb") as data:
                while part := data.read(PART_BYTES):
                    number = len(parts) + 1
                    checksum = _crc32(part)
                    done = self._client.upload_part(
                        Bucket=self._bucket,
                        Key=name,
                        UploadId=upload,
                        PartNumber=number,
                        Body=part,
                        ChecksumCRC32=checksum,
                    )
                    self._check_arrived(name, checksum, done.get("ChecksumCRC32"))
                    parts.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumCRC32": checksum})
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=name, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
            )
        finally:
            self._abort_uploads(name)

    def _check_arrived(self, name: str, sent: str, arrived: str | None) -> None:
        """Compare checksums; a server that stores none returns none."""
        if arrived not in {None, sent}:
            raise StoreBusyError("other bytes arrived than were sent", location=self.location, key=name)

    def _abort_uploads(self, name: str) -> None:
        """Abort every open upload of this name; nobody else writes to it.

        There may be unknown ones: of a process that was killed, or one whose start got no response.
        """
        try:
            found = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=name)
            for upload in found.get("Uploads", ()):
                if upload["Key"] == name:
                    self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload["UploadId"])
        except (ClientError, BotoCoreError) as e:  # whether the object is stored is known anyway
            log.warning("open uploads cannot be ended key=%s error=%s", name, e)

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
        if code in _AGAIN or e.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _SLOW_STATUS:
            return StoreBusyError(f"{code}: {message}", location=self.location, key=key)
        return StoreRefusedError(f"{code}: {message}", location=self.location, key=key, hint=_KEYS_HINT)


def _code(e: ClientError) -> str:
    return e.response.get("Error", {}).get("Code", "")


def _crc32(data: bytes) -> str:
    """A CRC-32 as S3 writes it: Base64 of four bytes, most significant first."""
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode("ascii")


def _sha256(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
