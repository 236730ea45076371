"""Site profiles: the blocks that recur across a site's posts and so are boilerplate. Pure values, no I/O."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
_LETTERS = 20
"""Letters from which on a recurring block is boilerplate: headings such as "Ingredients" recur in posts."""
_POSTS = 5
"""Posts that are needed to learn a profile."""
_TIMES = 3
_SHARE = 0.3
"""How many of the posts, and what share of them, must contain a block."""
_MAX_BLOCKS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The blocks that recur across the posts of a site."""

    site: str
    """Host, or another name of the site."""
    version: int
    """Increases each time something is learned; a version never changes."""
    blocks: frozenset[str]
    """Hashes of their texts, as `block_hash` gives them."""

    @property
    def name(self) -> str:
        """Site and version, as recorded with a text."""
        return f"{self.site}/{self.version}"

    def knows(self, text: str) -> bool:
        """Whether a block with this text recurs."""
        found = block_hash(text)
        return found is not None and found in self.blocks


def block_hash(text: str) -> str | None:
    """Hash of a block's letters and digits, case folded, each number as `#`; None if the block is short."""
    letters = "".join("#" if word.isdigit() else word for word in _WORD.findall(text.casefold()))
    return hashlib.sha256(letters.encode("utf-8", "replace")).hexdigest()[:16] if len(letters) >= _LETTERS else None


def learned(site: str, before: Profile | None, posts: Sequence[Iterable[str]]) -> Profile | None:
    """The profile learned from posts; `before` itself if nothing is new, None if nothing recurs.

    Known blocks stay in it: texts that were made with the profile do not contain them any more.

    Args:
        site: The site of the posts.
        before: Its newest profile.
        posts: The blocks of the text of each post; no post twice.
    """
    if len(posts) < _POSTS:
        return before
    times = Counter(found for post in posts for found in {block_hash(text) for text in post} if found)
    needed = max(_TIMES, _SHARE * len(posts))
    new = {found for found, count in times.most_common(_MAX_BLOCKS) if count >= needed}
    known = before.blocks if before else frozenset()
    if new <= known or len(known | new) > _MAX_BLOCKS:
        return before
    return Profile(site=site, version=(before.version if before else 0) + 1, blocks=known | new)
