"""Objects in an S3 bucket of any provider; the home of boto3.

Only what all providers have is relied on. Conditional writes and checksums are used where the server takes them;
ranges that it ignores are cut from what it sends; an object that is there already is compared byte by byte.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore import exceptions as boto_errors
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from archive.errors import ObjectMissingError, StoreBusyError, StoreError, StoreRefusedError
from archive.stores.protocol import checked_key, other_bytes
from archive.stores.s3_refusal import KEYS_HINT, TOKEN_HINT, Refusal, refusal

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef, GetObjectOutputTypeDef

log = logging.getLogger(__name__)

PART_BYTES = 16 * 1024 * 1024
"""Larger files are uploaded in parts of this size, which is also how much one upload has in memory."""

_CHUNK = 1 << 20
_PARTIAL = 206
_VAGUE = frozenset({400, 403})
"""Status of a HEAD request whose reason only the body of another answer can tell."""
_PAGE_KEYS = 1_000
"""Keys on a page of a listing, where the server does not say."""
_SHA256 = "sha256"
_RANGE = re.compile(r"bytes (\d+)-")
_NO_TOKEN = (
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoAuthTokenError,
    SSOError,
    TokenRetrievalError,
    getattr(boto_errors, "LoginError", SSOError),  # not in every version of botocore
)
_NO_KEYS = (NoCredentialsError, PartialCredentialsError, NoRegionError, ProfileNotFound, ValueError)

CONFIG = Config(
    # No call may hang: three attempts in all, each with a limit on the time to connect and between two bytes.
    connect_timeout=5,
    read_timeout=25,
    retries={"mode": "standard", "total_max_attempts": 3},
    # Its own checksums come in forms that many servers refuse; ours are stated by `_Dialect`.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    user_agent_extra="pressmark",
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """Which extensions of the first S3 a server takes."""

    conditions: bool = True
    """`If-None-Match: *` on writes."""
    checksums: bool = True
    """CRC-32 of what is written; otherwise MD5, which is as old as S3."""

    def condition(self) -> dict[str, Any]:
        """Parameters that let a write fail if the object exists."""
        return {"IfNoneMatch": "*"} if self.conditions else {}

    def checksum(self, data: bytes) -> dict[str, Any]:
        """Parameters by which the server can tell whether the bytes arrived."""
        return {"ChecksumCRC32": _crc32(data)} if self.checksums else {"ContentMD5": _base64(_md5(data))}


_DIALECTS = (
    _Dialect(),
    _Dialect(conditions=False),
    _Dialect(checksums=False),
    _Dialect(conditions=False, checksums=False),
)


class S3Store:
    """An `ObjectStore` in a bucket; boto3's own chain finds endpoint, region and credentials."""

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self.location = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._dialect = _DIALECTS[0]
        self._stale = False
        with self._errors():
            self._client = _new_client()

    def put(self, key: str, source: bytes | Path) -> None:
        """See `ObjectStore`; large files are uploaded in parts, each with its checksum.

        A server may take a condition and not heed it, so the name is looked up first. Names are unique by chance, so
        that nobody writes the same one in between.
        """
        name = self._name(key)
        sha256 = _sha256(source)
        with self._errors(key):
            if self._head(name) is None:
                try:
                    return self._in_its_dialect(lambda dialect: self._upload(name, source, sha256, dialect))
                except ClientError as e:
                    if _refusal(e).meaning != "exists":
                        raise
            # An earlier attempt whose response was lost, or that the server tore.
            return self._check_same(key, name, sha256)

    def delete(self, key: str) -> None:
        """See `ObjectStore`; a bucket with versions keeps the bytes as an old version, for as long as its rules say."""
        name = self._name(key)
        with self._errors(key):
            self._client.delete_object(Bucket=self._bucket, Key=name)

    def clean(self, before: datetime) -> int:
        """See `ObjectStore`: uploads in parts that were neither completed nor aborted."""
        removed = 0
        try:
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for upload in (upload for page in pages for upload in page.get("Uploads", ())):
                if upload["Initiated"] < before:
                    name, number = upload["Key"], upload["UploadId"]
                    self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=number)
                    removed += 1
        except (ClientError, BotoCoreError) as e:  # not every maker lists them
            log.warning("open uploads cannot be ended location=%s error=%s", self.location, e)
        return removed

    def read(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """See `ObjectStore`."""
        if length == 0:
            return b""
        last = "" if length is None else str(offset + length - 1)
        with self._errors(key):
            try:
                answer = self._get(self._name(key), Range=f"bytes={offset}-{last}")
            except ClientError as e:
                meaning = _refusal(e).meaning
                if meaning == "past the end":  # there is nothing to read
                    return b""
                if meaning != "extension":
                    raise
                answer = self._get(self._name(key))  # some want no range that goes past the end
            with closing(answer["Body"]) as body:
                if not self._skip(body, offset - _begins(answer, offset), key):
                    return b""
                return _read(body, length)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `ObjectStore`; each page is asked for by the token of the one before, or else by its last key."""
        token = after = ""
        tokens: set[str] = set()
        before: set[str] = set()
        while True:
            with self._errors():
                page = self._page(self._prefix + prefix, token, after)
            found = [item["Key"] for item in page.get("Contents", ())]
            fresh = [name for name in found if name not in before]
            yield from (name.removeprefix(self._prefix) for name in fresh)
            # Some servers cut a listing at their limit, and say that it is complete.
            if not page.get("IsTruncated") and len(found) < (page.get("MaxKeys") or _PAGE_KEYS):
                return
            token = page.get("NextContinuationToken", "")
            if not fresh:
                if page.get("IsTruncated"):
                    raise StoreError("the listing repeats itself", location=self.location, key=prefix or None)
                return
            after, before = max(found), set(found)
            if token in tokens:
                token = ""
            tokens.add(token)

    def size(self, key: str) -> int:
        """See `ObjectStore`."""
        with self._errors(key):
            found = self._head(self._name(key))
        if found is None:
            raise ObjectMissingError("no such object", location=self.location, key=key)
        return found

    def check(self) -> None:
        """See `ObjectStore`."""
        with self._errors():
            self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)

    # -- reading

    def _get(self, name: str, **more: Any) -> GetObjectOutputTypeDef:  # noqa: ANN401  parameters of boto3
        return self._client.get_object(Bucket=self._bucket, Key=name, **more)

    def _page(self, prefix: str, token: str, after: str) -> dict[str, Any]:
        if token:
            return dict(self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, ContinuationToken=token))
        if after:  # the first version of listing has no tokens, and every server has it
            return dict(self._client.list_objects(Bucket=self._bucket, Prefix=prefix, Marker=after))
        return dict(self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix))

    def _head(self, name: str) -> int | None:
        """Length of an object; None if there is none."""
        try:
            return self._client.head_object(Bucket=self._bucket, Key=name)["ContentLength"]
        except ClientError as e:
            found = _refusal(e)
            if found.meaning == "missing":
                return None
            if found.status not in _VAGUE:
                raise
        try:
            answer = self._get(name)
        except ClientError as e:
            if _refusal(e).meaning == "missing":
                return None
            raise
        with closing(answer["Body"]):
            return answer["ContentLength"]

    def _skip(self, body: StreamingBody, count: int, key: str) -> bool:
        """Pass over the beginning of what a server sends that does not know ranges; False at the end."""
        if count < 0:
            raise StoreBusyError("another range was sent than asked for", location=self.location, key=key)
        if count:
            log.warning("store ignores ranges location=%s key=%s bytes=%d", self.location, key, count)
        while count > 0:
            part = body.read(min(count, _CHUNK))
            if not part:
                return False
            count -= len(part)
        return True

    def _digest(self, name: str) -> tuple[str, int]:
        """SHA-256 and length of the bytes that are there."""
        sha256, length = hashlib.sha256(), 0
        with closing(self._get(name)["Body"]) as body:
            while part := body.read(_CHUNK):
                sha256.update(part)
                length += len(part)
        return sha256.hexdigest(), length

    def _check_same(self, key: str, name: str, sha256: str) -> None:
        """Compare the bytes that are there; what was stated when they were written may not be what arrived."""
        try:
            held, length = self._digest(name)
        except ClientError as e:
            if _refusal(e).meaning != "missing":
                raise
            raise StoreBusyError("exists, but cannot be read yet", location=self.location, key=key) from e
        if held != sha256:
            raise other_bytes(self.location, key, held=f"{held} ({length} bytes)", given=sha256)

    # -- writing

    def _in_its_dialect(self, send: Callable[[_Dialect], T]) -> T:
        """Send something; if the server refuses an extension, without it, and from then on.

        Raises:
            ClientError: It is refused however it is said.
        """
        first: ClientError | None = None
        for dialect in (self._dialect, *(one for one in _DIALECTS if one != self._dialect)):
            try:
                done = send(dialect)
            except ClientError as e:
                if _refusal(e).meaning != "extension":
                    raise
                first = first or e
            else:
                if dialect != self._dialect:
                    log.warning("store lacks extensions location=%s has=%s refused=%s", self.location, dialect, first)
                    self._dialect = dialect
                return done
        assert first is not None, "there are dialects"
        raise first

    def _upload(self, name: str, source: bytes | Path, sha256: str, dialect: _Dialect) -> None:
        """Write an object that does not exist, and make sure that it arrived."""
        if isinstance(source, Path) and source.stat().st_size > PART_BYTES:
            arrived = self._put_parts(name, source, sha256, dialect)
        else:
            data = source if isinstance(source, bytes) else source.read_bytes()
            arrived = self._put(name, data, sha256, dialect)
        if arrived is None:
            arrived = self._digest(name)[0] == sha256
        if not arrived:
            if dialect.conditions:  # it is ours then, and nothing refers to it yet
                self._client.delete_object(Bucket=self._bucket, Key=name)
            raise StoreBusyError("other bytes arrived than were sent", location=self.location, key=name)

    def _put(self, name: str, data: bytes, sha256: str, dialect: _Dialect) -> bool | None:
        done = self._client.put_object(
            Bucket=self._bucket,
            Key=name,
            Body=data,
            Metadata={_SHA256: sha256},
            **dialect.condition(),
            **dialect.checksum(data),
        )
        return _arrived(dict(done), data)

    def _put_parts(self, name: str, source: Path, sha256: str, dialect: _Dialect) -> bool | None:
        """Multipart upload; leaves no parts behind, neither its own nor those of an earlier interrupted attempt."""
        algorithm: dict[str, Any] = {"ChecksumAlgorithm": "CRC32"} if dialect.checksums else {}
        upload = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=name, Metadata={_SHA256: sha256}, **algorithm
        )["UploadId"]
        parts: list[CompletedPartTypeDef] = []
        proofs: list[bool | None] = []
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
                        **dialect.checksum(part),
                    )
                    proofs.append(_arrived(dict(done), part))
                    if proofs[-1] is False:
                        raise StoreBusyError("other bytes arrived than were sent", location=self.location, key=name)
                    stated: CompletedPartTypeDef = {"PartNumber": number, "ETag": done["ETag"]}
                    if dialect.checksums:
                        stated["ChecksumCRC32"] = _crc32(part)
                    parts.append(stated)
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=name,
                UploadId=upload,
                MultipartUpload={"Parts": parts},
                **dialect.condition(),
            )
        finally:
            self._abort_uploads(name)
        return True if all(proofs) else None

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

    # -- errors

    def _name(self, key: str) -> str:
        return self._prefix + checked_key(key)

    @contextmanager
    def _errors(self, key: str | None = None) -> Iterator[None]:
        """Turn what boto3 raises into the store's errors; after an expired token, begin with credentials read anew."""
        try:
            if self._stale:
                self._client, self._stale = _new_client(), False
            yield
        except ClientError as e:
            raise self._error(_refusal(e), key) from e
        except _NO_KEYS as e:
            raise StoreRefusedError(str(e), location=self.location, key=key, hint=KEYS_HINT) from e
        except _NO_TOKEN as e:
            self._stale = True
            raise StoreBusyError(str(e), location=self.location, key=key, hint=TOKEN_HINT) from e
        except BotoCoreError as e:
            raise StoreBusyError(str(e), location=self.location, key=key, hint="Is the endpoint up?") from e
        except RuntimeError as e:  # botocore's: credentials were refreshed, and have expired all the same
            if "credentials" not in str(e):
                raise
            self._stale = True
            raise StoreBusyError(str(e), location=self.location, key=key, hint=TOKEN_HINT) from e

    def _error(self, found: Refusal, key: str | None) -> StoreError:
        said = f"{found.code}: {found.message}"
        if found.meaning == "missing":
            return ObjectMissingError("no such object", location=self.location, key=key)
        if found.meaning == "no bucket":
            return StoreRefusedError("no such bucket", location=self.location, hint="Create the bucket first.")
        if found.temporary:
            self._stale = self._stale or found.meaning == "token"
            return StoreBusyError(said, location=self.location, key=key, hint=found.hint)
        return StoreRefusedError(said, location=self.location, key=key, hint=found.hint)


def _new_client() -> S3Client:
    return boto3.session.Session().client("s3", config=CONFIG)


def _refusal(e: ClientError) -> Refusal:
    return refusal(e.response, now=datetime.now(UTC))


def _begins(answer: GetObjectOutputTypeDef, offset: int) -> int:
    """Where in the object the body of an answer begins that was asked for from an offset on."""
    if stated := _RANGE.match(answer.get("ContentRange") or ""):  # some send it with the status 200
        return int(stated[1])
    return offset if answer["ResponseMetadata"]["HTTPStatusCode"] == _PARTIAL else 0


def _read(body: StreamingBody, length: int | None) -> bytes:
    """No more than was asked for, however much is sent."""
    if length is None:
        return body.read()
    parts: list[bytes] = []
    while length and (part := body.read(length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _arrived(done: dict[str, Any], data: bytes) -> bool | None:
    """Whether bytes arrived as sent, by the answer's checksum or its ETag; None if it does not say."""
    if stated := done.get("ChecksumCRC32"):
        return bool(stated == _crc32(data))
    # An ETag is the MD5 of the bytes unless they are encrypted or the server does otherwise.
    return str(done.get("ETag", "")).strip('"').lower() == _md5(data).hex() or None


def _crc32(data: bytes) -> str:
    """A CRC-32 as S3 writes it: Base64 of four bytes, most significant first."""
    return _base64(zlib.crc32(data).to_bytes(4, "big"))


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _sha256(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
