"""Text that can be stored: in every database and in UTF-8 files. No I/O."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text without NUL, lone surrogates replaced: PostgreSQL accepts neither, UTF-8 has no surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
