"""Checkpoints of a log as signed notes (C2SP tlog-checkpoint and signed-note). No I/O."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

_ED25519 = b"\x01"
"""Algorithm in a verifier key (C2SP signed-note, Ed25519)."""
_ORIGIN = "pressmark/log/"
_ID_DIGITS = 16
_KEY_PARTS = 3
_CHECKPOINT_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """The public key of a log, which also gives the log its name."""

    public: bytes
    """Ed25519, 32 bytes."""

    @property
    def log(self) -> str:
        """Name of the log: the first 16 hexadecimal digits of the key's SHA-256."""
        return hashlib.sha256(self.public).hexdigest()[:_ID_DIGITS]

    @property
    def origin(self) -> str:
        """The log's name in its checkpoints."""
        return f"{_ORIGIN}{self.log}"

    @property
    def id(self) -> bytes:
        """Four bytes by which a signature names the key."""
        return hashlib.sha256(self.origin.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def line(self) -> str:
        """The key as a verifier key: name, id and key, joined by `+`."""
        return f"{self.origin}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log was when it had so many leaves."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The part of the note that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_key(line: str) -> LogKey:
    """The key that a verifier key states.

    Raises:
        ValueError: It is not one of a log.
    """
    parts = line.strip().split("+", _KEY_PARTS - 1)
    if len(parts) != _KEY_PARTS:
        raise ValueError("is not a verifier key: NAME+ID+KEY is expected")
    stated = base64.b64decode(parts[2], validate=True)
    key = LogKey(public=stated[1:])
    if stated[:1] != _ED25519 or key.line() != line.strip():
        raise ValueError("is not the verifier key of a log")
    return key


def signed(checkpoint: Checkpoint, key: LogKey, sign: Callable[[bytes], bytes]) -> str:
    """The note of a checkpoint."""
    body = checkpoint.body()
    signature = base64.b64encode(key.id + sign(body.encode())).decode()
    return f"{body}\n— {key.origin} {signature}\n"


def read(note: str, key: LogKey) -> tuple[Checkpoint, bytes]:
    """The checkpoint in a note of a log, and its signature by that log's key, which is not verified here.

    Raises:
        ValueError: It is not such a note.
    """
    body, gap, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not gap or len(lines) != _CHECKPOINT_LINES or lines[0] != key.origin or not lines[1].isdecimal():
        raise ValueError("is not a checkpoint of this log")
    checkpoint = Checkpoint(origin=lines[0], size=int(lines[1]), root=base64.b64decode(lines[2], validate=True))
    prefix = f"— {key.origin} "
    for line in signatures.splitlines():
        stated = base64.b64decode(line.removeprefix(prefix), validate=True) if line.startswith(prefix) else b""
        if stated[:4] == key.id:
            return checkpoint, stated[4:]
    raise ValueError("has no signature by the key of this log")
