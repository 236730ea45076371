"""What recurs across a site's posts and so is no post: learned from texts, given to extraction. Pure values, no I/O."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
_LETTERS = 20
"""Letters of a block, from which on its recurring tells something: headings such as "Ingredients" recur in posts."""
_POSTS = 5
"""Posts of which a profile is learned at least."""
_TIMES = 3
_SHARE = 0.3
_MOST_BLOCKS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Blocks that recur across the posts of a site."""

    site: str
    """Host, or what else the site is known by."""
    version: int
    """Counts what was learned; a version never changes."""
    blocks: frozenset[str]
    """Hashes of their words, as `block_hash` gives them."""

    @property
    def name(self) -> str:
        """Site and version, as they are recorded with a text."""
        return f"{self.site}/{self.version}"

    def knows(self, text: str) -> bool:
        """Whether a block of that text recurs."""
        found = block_hash(text)
        return found is not None and found in self.blocks


def block_hash(text: str) -> str | None:
    """Hash of a block's letters and digits, folded, numbers as one; None of a short block."""
    letters = "".join("#" if word.isdigit() else word for word in _WORD.findall(text.casefold()))
    return hashlib.sha256(letters.encode("utf-8", "replace")).hexdigest()[:16] if len(letters) >= _LETTERS else None


def learned(site: str, before: Profile | None, posts: Sequence[Iterable[str]]) -> Profile | None:
    """The profile that posts teach; `before` itself if they teach nothing new, None if there is nothing to know.

    What a profile knows stays known: texts that were made with it do not show it any more.

    Args:
        site: Whose posts these are.
        before: Its newest profile.
        posts: The blocks of each post's text, different posts each.
    """
    if len(posts) < _POSTS:
        return before
    times = Counter(found for post in posts for found in {block_hash(text) for text in post} if found)
    needed = max(_TIMES, _SHARE * len(posts))
    new = {found for found, count in times.most_common(_MOST_BLOCKS) if count >= needed}
    known = before.blocks if before else frozenset()
    if new <= known or len(known | new) > _MOST_BLOCKS:
        return before
    return Profile(site=site, version=(before.version if before else 0) + 1, blocks=known | new)
