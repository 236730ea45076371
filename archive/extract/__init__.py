"""From a page to the post's own words: boilerplate removal, blocks, Markdown, metadata.

`extract` does all of it. It loads trafilatura, so it is looked up only when it is asked for (PEP 562): whoever wants a
`Text` from `archive.extract.text` does not pay for that.
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
