"""ZipNum: sorted index lines in gzip blocks with a summary, as pywb and OutbackCDX's predecessors read them. No I/O.

A reader searches the summary, whose lines name the first key of each block, and decompresses the blocks that it needs.
"""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterable

LINES = 3_000
"""Index lines of one block: about 60 kB, one read of an object store."""


def zipnum(lines: Iterable[bytes], name: str) -> tuple[bytes, bytes]:
    """Blocks and summary of index lines.

    Args:
        lines: Each with its line feed, in any order.
        name: What the summary calls the file of the blocks.

    Returns:
        The blocks, one gzip member each, and the summary: `URLKEY TIMESTAMP`, `name`, offset, length and number of each
        block, separated by tabs.
    """
    blocks, summary = bytearray(), bytearray()
    ordered = iter(sorted(lines))
    for number in itertools.count(1):
        block = list(itertools.islice(ordered, LINES))
        if not block:
            return bytes(blocks), bytes(summary)
        packed = gzip.compress(b"".join(block), mtime=0)
        first = b" ".join(block[0].split(b" ", 2)[:2])
        summary += first + f"\t{name}\t{len(blocks)}\t{len(packed)}\t{number}\n".encode()
        blocks += packed
    raise AssertionError("the lines end")
