"""HTTP messages as bytes: heads, headers, media types. Pure, no I/O."""

from __future__ import annotations

import re

from archive.limits import HEADER_LINES, MEDIA_TYPE_CHARACTERS

_SECRET = re.compile(rb"^((?:proxy-)?authorization:)[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(rb"\n\r?\n")


def head_length(message: bytes | bytearray, start: int = 0) -> int | None:
    """Bytes of an HTTP message through the empty line after its head; None if there is no empty line.

    Lines may end without a carriage return (RFC 9112 §2.2).

    Args:
        message: Its bytes so far.
        start: Where to start searching; there is no such line before it.
    """
    end = _BLANK_LINE.search(message, start)
    return end.end() if end else None


def split_head(message: bytes) -> tuple[bytes, bytes]:
    """Head of an HTTP message through its empty line, and the rest; without an empty line, all of it is the head."""
    length = head_length(message)
    return (message, b"") if length is None else (message[:length], message[length:])


def headers(head: bytes) -> tuple[tuple[str, str], ...]:
    """Headers of a message head in order, folded lines joined, values decoded as Latin-1 (RFC 9110 §5.5)."""
    found: list[tuple[str, list[str]]] = []
    for raw in head.split(b"\n", HEADER_LINES)[1:HEADER_LINES]:
        line = raw.rstrip(b"\r").decode("latin-1")
        if line[:1] in {" ", "\t"} and found:
            found[-1][1].append(line.strip())
        elif ":" in line:
            name, value = line.split(":", 1)
            found.append((name.strip(), [value.strip()]))
    return tuple((name, " ".join(lines)) for name, lines in found)


def header(head: bytes, name: str) -> str | None:
    """First value of a header in a message head, whatever its case."""
    wanted = name.lower()
    return next((value for key, value in headers(head) if key.lower() == wanted), None)


def joined_headers(head: bytes) -> dict[str, str]:
    """Headers of a message head by their names in lower case; several of a name joined by commas (RFC 9110 §5.3)."""
    found: dict[str, str] = {}
    for name, value in headers(head):
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def redacted(message: bytes) -> bytes:
    """A request as sent, without its credentials (RFC 9110 §11.6).

    Cookies stay: the crawler sends only those that the same chain of redirects has set, as its responses show.
    """
    head, body = split_head(message)
    return _SECRET.sub(rb"\1 [redacted]", head) + body


def media_type(stated: str | None) -> str:
    """A Content-Type in lower case, without parameters; `unk` if none is stated."""
    bare = (stated or "").split(";")[0].strip().lower()
    return "".join(character for character in bare if character.isprintable())[:MEDIA_TYPE_CHARACTERS] or "unk"
