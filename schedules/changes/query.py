"""Filters of changes, as people write them: `blog:tidetables.example class:number appears:"bell buoy"`. No I/O."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archive.index.edits import plain
from archive.index.from_records import host_of
from archive.limits import QUERY_CHARACTERS, QUERY_TERMS
from archive.reader.text_edits import EDIT_CLASSES
from schedules.changes.model import KINDS, Change

FIELDS = ("blog", "tag", "kind", "class", "size", "appears", "goes")
_SIZE = re.compile(r"(>=|<=|>|<|)(\d{1,9})")
_HOST = re.compile(r"[^\s/?#@%'\"\\]{1,255}")
_SIZES: dict[str, Callable[[int, int], bool]] = {
    ">": lambda size, limit: size > limit,
    ">=": lambda size, limit: size >= limit,
    "<": lambda size, limit: size < limit,
    "<=": lambda size, limit: size <= limit,
    "": lambda size, limit: size >= limit,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which changes are wanted; what is empty does not filter."""

    hosts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """In lower case."""
    kinds: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    """Comparison and number of words, all of which must hold; changes without words of their own fail them."""
    appears: tuple[str, ...] = ()
    """Words each of which came with the change, as `plain` in lower case."""
    goes: tuple[str, ...] = ()
    """Words each of which went with it."""
    either: tuple[str, ...] = ()
    """Words each of which came or went."""

    @property
    def reads_texts(self) -> bool:
        """Whether the words of new posts matter."""
        return bool(self.appears or self.goes or self.either)

    def matches(self, change: Change, text: Callable[[], str]) -> bool:
        """Whether a change is wanted.

        Args:
            change: It.
            text: Gives the words of a new post, all of which came with it.
        """
        if (self.hosts and change.host not in self.hosts) or (self.kinds and change.kind not in self.kinds):
            return False
        if self.tags and not set(self.tags) & {tag.casefold() for tag in change.tags}:
            return False
        if self.classes and not set(self.classes) & set(change.classes):
            return False
        if self.sizes and not (
            change.kind == "edited" and all(_SIZES[how](change.size, limit) for how, limit in self.sizes)
        ):
            return False
        return not self.reads_texts or self._has_words(change, text)

    def _has_words(self, change: Change, text: Callable[[], str]) -> bool:
        came = [edit.after for edit in change.edits if edit.after]
        went = [edit.before for edit in change.edits if edit.before]
        if change.kind == "new":
            came = [change.title or "", text()]
        new, old = (plain("\n".join(some)).casefold() for some in (came, went))
        return (
            all(_has(new, words) for words in self.appears)
            and all(_has(old, words) for words in self.goes)
            and all(_has(new, words) or _has(old, words) for words in self.either)
        )


@dataclass(slots=True)
class _Parts:
    hosts: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    sizes: list[tuple[str, int]] = field(default_factory=list)
    appears: list[str] = field(default_factory=list)
    goes: list[str] = field(default_factory=list)
    either: list[str] = field(default_factory=list)


def parse(query: str) -> Wanted:
    """What a query asks for; an empty one asks for every change.

    Raises:
        ValueError: It is no query; the message names the part that is none, and what would be one.
    """
    if len(query) > QUERY_CHARACTERS:
        raise ValueError(f"query: longer than {QUERY_CHARACTERS} characters")
    try:
        terms = shlex.split(query)
    except ValueError as e:
        raise ValueError(f'query: {query[:60]!r} has a quotation that does not end: close it with "') from e
    if len(terms) > QUERY_TERMS:
        raise ValueError(f"query: more than {QUERY_TERMS} terms")
    parts = _Parts()
    for term in terms:
        name, colon, value = term.partition(":")
        if not colon:
            parts.either.append(_words("query", term))
        elif name in FIELDS:
            _enter(parts, name, value)
        else:
            raise ValueError(f"query: {term[:60]!r} has no such field: use {', '.join(f'{one}:' for one in FIELDS)}")
    return Wanted(
        hosts=tuple(parts.hosts),
        tags=tuple(parts.tags),
        kinds=tuple(parts.kinds),
        classes=tuple(parts.classes),
        sizes=tuple(parts.sizes),
        appears=tuple(parts.appears),
        goes=tuple(parts.goes),
        either=tuple(parts.either),
    )


def joined(terms: Sequence[str]) -> str:
    """Terms of a command line as one query: those with spaces are phrases."""
    return terms[0] if len(terms) == 1 else shlex.join(terms)


def _enter(parts: _Parts, name: str, value: str) -> None:
    if name == "blog":
        parts.hosts.append(blog_host(value))
    elif name == "tag":
        parts.tags += [_words(name, one) for one in value.split(",")]
    elif name == "kind":
        parts.kinds += [_one_of(name, one, KINDS) for one in value.split(",")]
    elif name == "class":
        parts.classes += [_one_of(name, one, EDIT_CLASSES) for one in value.split(",")]
    elif name == "size":
        found = _SIZE.fullmatch(value)
        if not found:
            raise ValueError(f"size: {value[:20]!r} is no number of words: use for example size:10 or size:<3")
        parts.sizes.append((found[1], int(found[2])))
    else:
        (parts.appears if name == "appears" else parts.goes).append(_words(name, value))


def blog_host(value: str) -> str:
    """The host of a blog, given by it or by a URL.

    Raises:
        ValueError: It is neither.
    """
    host = (host_of(value) if "://" in value else value.rstrip("/")).lower().removeprefix("www.")
    if not _HOST.fullmatch(host):
        raise ValueError(f"blog: {value[:60]!r} is not a host: use for example blog:tidetables.example")
    return host


def _one_of(name: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise ValueError(f"{name}: {value[:20]!r} is not one: use {', '.join(known)}")
    return value


def _words(name: str, value: str) -> str:
    words = plain(value).casefold()
    if not any(c.isalnum() for c in words):
        raise ValueError(f"{name}: {value[:20]!r} has no words")
    return words


def _has(text: str, words: str) -> bool:
    """Whether a text has a phrase, not only within longer words; where words are not apart, anywhere."""
    start = text.find(words)
    while start >= 0:
        end = start + len(words)
        before, behind = text[start - 1 : start], text[end : end + 1]
        if not (_joins(before, words[0]) or _joins(behind, words[-1])):
            return True
        start = text.find(words, start + 1)
    return False


def _joins(beside: str, letter: str) -> bool:
    """Whether a letter beside a word makes it another word; where words are written together, none does."""
    return all(one.islower() or one.isdigit() for one in (beside, letter))
