"""Text extraction from a page: boilerplate removal, plain text, Markdown, metadata.

`extract` does all of it. It loads trafilatura, so it is imported when it is first used (PEP 562): importing `Text` from
`archive.extract.text` stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.extract.pipeline import extract

__all__ = ["extract"]


def __getattr__(name: str) -> object:
    """The public names of this room, loaded when they are first used."""
    if name in __all__:
        from archive.extract import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
