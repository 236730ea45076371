"""The key that signs a home folder's log: made once, readable by its owner only; and the check of signatures."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from archive.errors import SpoolError
from archive.evidence.note import Checkpoint, LogKey, read, signed
from archive.runtime.durable import opened_private, private_folder, spool_errors, sync_folder

SECRET = "log.key"  # noqa: S105  a file name
"""The file with the key that signs. Without it, the next commit makes another one, and with it a new log."""
PUBLIC = "log.pub"
"""The file with the verifier key, for whoever checks bundles."""
_SEED_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A log's key pair."""

    key: LogKey
    _private: Ed25519PrivateKey = field(repr=False)

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed note of a checkpoint; the same one each time."""
        return signed(checkpoint, self.key, self._private.sign)


def signing_key(folder: Path) -> SigningKey:
    """The key in a folder; if there is none, it is made. Several processes may do this at the same time.

    Raises:
        SpoolError: The folder cannot be used, or the file has something else in it.
    """
    with spool_errors(folder):
        private_folder(folder)
        if not (folder / SECRET).exists():
            seed = base64.b64encode(secrets.token_bytes(_SEED_BYTES)).decode()
            with (
                _aside(folder, seed) as made,
                suppress(FileExistsError),
            ):  # the key of the process that is faster counts
                (folder / SECRET).hardlink_to(made)
        found = _read(folder / SECRET)
        line = found.key.line()
        if not (folder / PUBLIC).exists() or (folder / PUBLIC).read_text(encoding="ascii").strip() != line:
            with _aside(folder, line) as made:
                made.replace(folder / PUBLIC)
        return found


def set_aside(folder: Path) -> None:
    """Give the key another name, so that the next commit makes a new one, and with it a new log.

    Raises:
        SpoolError: The folder cannot be written.
    """
    with spool_errors(folder):
        name = _read(folder / SECRET).key.log
        (folder / SECRET).rename(folder / f"log-{name}.key")
        sync_folder(folder)


def verified(note: str, key: LogKey) -> Checkpoint:
    """The checkpoint in a note, if the key of its log signed it.

    Raises:
        ValueError: It did not, or it is no such note.
    """
    checkpoint, signature = read(note, key)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, checkpoint.body().encode())
    except InvalidSignature:
        raise ValueError("its signature is not by the key of this log") from None
    return checkpoint


def _read(path: Path) -> SigningKey:
    try:
        seed = base64.b64decode(path.read_text(encoding="ascii").strip(), validate=True)
    except ValueError:
        seed = b""
    if len(seed) != _SEED_BYTES:
        raise SpoolError(
            "is not the key of a log", path=str(path), hint="Put the file back, or remove it: a new log then begins."
        )
    return _of(seed)


def _of(seed: bytes) -> SigningKey:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return SigningKey(key=LogKey(public=private.public_key().public_bytes_raw()), _private=private)


@contextmanager
def _aside(folder: Path, text: str) -> Iterator[Path]:
    """A durable file with one line, which the caller gives a name; the name is durable afterwards."""
    path = folder / f".new-{secrets.token_hex(4)}"
    try:
        with os.fdopen(opened_private(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w") as out:
            out.write(f"{text}\n")
            out.flush()
            os.fsync(out.fileno())
        yield path
        sync_folder(folder)
    finally:
        path.unlink(missing_ok=True)
