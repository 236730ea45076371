"""Edits of a post beside its words: headline, date, author, links and pictures. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

from archive.extract.text import images_from_json, links_from_json
from archive.index.edits import Class, Fact, plain, same_picture
from archive.limits import URL_CHARACTERS
from archive.reader.text_edits import Edit, EditClass
from archive.warc.page_identity import page_key

_CLASSES: Mapping[Class, EditClass] = {"title": "headline", "author": "author", "date": "date", "picture": "image"}
OTHER_CLASSES: frozenset[EditClass] = frozenset({*_CLASSES.values(), "link"})
"""Classes of edits that are not of words."""


def fact_edits(facts: Iterable[Fact]) -> tuple[Edit, ...]:
    """The edits among what two texts state of their post."""
    return tuple(Edit(name=_CLASSES[one.name], before=one.before, after=one.after) for one in facts if one.edited)


def reference_edits(before: Mapping[str, object], after: Mapping[str, object], *, texts: tuple[str, str]) -> list[Edit]:
    """Links and pictures that came, went or lead elsewhere, where the words did not come or go with them.

    Args:
        before: Fields of a text, as `Text.fields` wrote them.
        after: The same of the later text.
        texts: The words of both.
    """
    stays = tuple(plain(one) for one in texts)
    old, new = (_links(one.get("links")) for one in (before, after))
    found: list[Edit] = []
    for words in dict.fromkeys((*old, *new)):
        if any(words not in one for one in stays):
            continue
        gone, came = _without_common(old.get(words, ()), new.get(words, ()))
        found += [Edit(name="link", before=one, after=other) for one, other in zip_longest(gone, came)]
    pictures = [[image.url for image in images_from_json(one.get("images"))] for one in (before, after)]
    lost = [one for one in pictures[0] if not any(same_picture(one, other) for other in pictures[1])]
    fresh = [one for one in pictures[1] if not any(same_picture(one, other) for other in pictures[0])]
    return [*found, *(Edit(name="image", before=one, after=other) for one, other in zip_longest(lost, fresh))]


def _links(listed: object) -> dict[str, list[str]]:
    """Targets of links in order, by the words of the link."""
    found: dict[str, list[str]] = {}
    for link in links_from_json(listed):
        if words := plain(link.words):
            found.setdefault(words, []).append(link.target[:URL_CHARACTERS])
    return found


def _without_common(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    """The targets that lead to pages to which none of the others does."""
    keys = [{page_key(one) for one in side} for side in (old, new)]
    return [one for one in old if page_key(one) not in keys[1]], [one for one in new if page_key(one) not in keys[0]]
