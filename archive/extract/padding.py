"""What fills a page without saying anything, taken out before it is parsed. No I/O.

White space, comments, scripts and embedded files can make a page of any length, and a tag can have
attributes without end. Parsers drop what follows a very long text, and take time that grows with the square of a tag's
attributes: both would lose the post behind. Only long pages are changed, and only where they are far beyond what honest
ones have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from archive.limits import ATTRIBUTES, BLANK_CHARACTERS, LINKED_DATA_CHARACTERS

_LONG = 65_536
"""Characters from which on a page is searched, and an embedded file taken out: there is no room for harm in fewer."""
_NO_BREAKS = 64
_NO_BREAK = re.compile(rf"(?:&(?:nbsp|#160|#xa0);){{{_NO_BREAKS},}}+", re.IGNORECASE)
_BLANK = re.compile(rf"(?<![\s\0])[\s\0]{{{BLANK_CHARACTERS},}}+")
_TAG = re.compile(r"<[a-z]", re.IGNORECASE)
_NAME = re.compile(r"[^\s/>]*+")
_ATTRIBUTE = re.compile(r"""[\s/]++[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"']++))?+""")
_EMBEDDED = re.compile(rf"(?<=data:)[^\s\"'<>()]{{{_LONG},}}+", re.IGNORECASE)
_UNREAD = re.compile(r"<!--|<(script|style)\b[^<>]*>", re.IGNORECASE)
_END = {
    None: re.compile("-->"),
    "script": re.compile("</script", re.IGNORECASE),
    "style": re.compile("</style", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class _Run:
    """Whether a page can have a run of some signs, by every so many of its characters: the others are not looked at."""

    step: int
    pattern: re.Pattern[str]

    def may_be_in(self, page: str) -> bool:
        return self.pattern.search(page[:: self.step]) is not None


_LOOKS = 16
"""Characters of a long run that are looked at; honest pages have fewer in a row."""
_MAY_NOT_BREAK = _Run(_NO_BREAKS * len("&nbsp;") // _LOOKS, re.compile(rf"[&nbsp;#160xaNBSPXA]{{{_LOOKS}}}"))
_MAY_BE_BLANK = _Run(BLANK_CHARACTERS // _LOOKS, re.compile(rf"[\s\0]{{{_LOOKS}}}"))
_MAY_EMBED = _Run(_LONG // (4 * _LOOKS), re.compile(rf"[^\s\"'<>()]{{{4 * _LOOKS}}}"))


def without_padding(page: str) -> str:
    """A page without what fills it; one of ordinary length is returned as it is."""
    if len(page) <= _LONG:
        return page
    if _MAY_NOT_BREAK.may_be_in(page):
        page = _NO_BREAK.sub(" ", page)
    if _MAY_BE_BLANK.may_be_in(page):
        page = _BLANK.sub(_shortest, page)
    page = "".join(_uncrowded(page))
    if _MAY_EMBED.may_be_in(page):
        page = _EMBEDDED.sub(",", page)
    return "".join(_read(page))


def _uncrowded(page: str) -> Iterator[str]:
    """The parts of a page that are no attributes beyond the first of a tag."""
    at = begin = 0
    while tag := _TAG.search(page, at):
        count, at = 0, _end(_NAME.match(page, tag.end()), tag.end())
        kept = at
        while attribute := _ATTRIBUTE.match(page, at):
            count, at = count + 1, attribute.end()
            kept = at if count <= ATTRIBUTES else kept
        if count > ATTRIBUTES:
            yield page[begin:kept]
            begin = at
    yield page[begin:]


def _end(found: re.Match[str] | None, otherwise: int) -> int:
    return found.end() if found else otherwise


def _shortest(blank: re.Match[str]) -> str:
    return "\n" if "\n" in blank[0] else " "


def _read(page: str) -> Iterator[str]:
    """The parts of a page between very long comments, scripts and styles; one without an end reaches to the page's."""
    at = begin = 0
    while found := _UNREAD.search(page, at):
        end = _END[found[1] and found[1].lower()].search(page, found.end())
        if end is None:
            break
        if end.start() - found.end() > LINKED_DATA_CHARACTERS:
            yield page[begin : found.end()]
            begin = end.start()
        at = end.end()
    yield page[begin:]
