"""The names of people in a byline, without what stands around them: "by", a date, a trade, a section. No I/O.

What ends a name is told by its form rather than by its words: a digit, a mark, or a word in lower case that is not part
of a name and is followed by more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archive.extract import boilerplate, calendar_words
from archive.extract.markup import one_line

_MAX_NAME = 80
_MAX_STATED = 240
"""Characters of a text that states an author; a longer one is a sentence."""
_MAX_WORDS = 8
_MAX_LABEL = 24
_FULL_NAME = 2
"""Words of a name that is certainly one person's."""
_MAX_ON = 4
"""Letters of the longest word such as "on", "at", "för" or "från" before a date."""
_BYLINE = re.compile(
    r"^(?:(?:(?:view|see|show|read)\s+)?(?:all|more)\s+(?:posts|articles|stories)\s+(?:by|from)\b"
    r"|(?:authored|written|posted|published|created|reviewed|article|story|text|words|erstellt|geschrieben)?\s*"
    r"(?:by|von|vom|par|por|di|da|door|av|af|от|автор|بقلم|كتب|מאת)\b"
    r"|[^\W\d][^\d:]{0,30}\b(?-i:by|par|por|от)\s+(?=[^\W\d_])"
    r"|(?:about the\s+)?authors?\b(?:\s*\(s\))?|autor(?:e|en|in|innen)?\b|auteur\b|text\b|words\b)[\s:]*",
    re.IGNORECASE,
)
_LABEL = re.compile(rf"^(?P<label>[^\W\d][^:\uff1a\d]{{0,{_MAX_LABEL}}})[:\uff1a]\s*(?=[^\W\d_])")
"""A word before a name, such as "Kirjoittaja:"; the second colon is the Chinese one."""
_TITLED = re.compile(
    r",[^,]*\b(?:editors?|writers?|experts?|reporters?|staff|correspondents?|educators?|managers?|directors?|contributors?"
    r"|specialists?|founders?|[\w-]+\.(?:com|org|net|de|co\.uk))\b.*$",
    re.IGNORECASE,
)
_MARK = re.compile(r"[|•·»←→⋅\u2013\u2014<]|\s-\s|\b(?:last\s)?(?:updated|published|posted)\b", re.IGNORECASE)
_CLOCK = re.compile(r"(?<!\w)\d{1,2}(?::\d\d|\s?[ap]\.?m\b)", re.IGNORECASE)
_DATED = re.compile(r"(?<!\w)\d{1,2}[./]\s?\d|(?<!\w)(?:19|20)\d\d(?!\w)|\d年")
"""These begin what is no longer the name."""
_PARTICLES = frozenset(
    "van von vom der den de del della di da do dos das du la le les lo el al bin ibn ben ter ten te zu zum zur af av"  # noqa: SIM905
    " of y e i und and et och og en de' d' 't 's".split()
)
"""Words in lower case that belong to a name, or join two."""
_BY_LATER = re.compile(r"(?:^|\s)(?:by|von|par|por|от|av|af|door)\s+(?=[^\W\d_])")
_HANDLE = re.compile(r"\s\(?@\w")
"""A login after a name."""
_MAX_REST = 4
"""Words after a name that are a section or a place; more of them are a sentence."""
_ELIDED = ("d'", "d\N{RIGHT SINGLE QUOTATION MARK}")
_URL = re.compile(r"^(?:https?:)?//|^www\.|/", re.IGNORECASE)
_LISTED = re.compile(r"[;、،؛]|\s\+\s")


def people(stated: str, *, language: str = "", is_byline: bool = False) -> list[str]:
    """The names in a text that states an author; empty if there are none.

    Args:
        stated: What a page says, such as `By Ann Weir and Tom Hale, 2 hours ago`.
        language: Of the page, as a BCP 47 tag, for the word "and"; empty if it is not known.
        is_byline: Whether it is text for readers, in which more than names is likely. Without it, the text is the
            value of a field.
    """
    whole = one_line(stated)
    if not whole or len(whole) > _MAX_STATED:
        return []
    bare = whole
    for _ in range(2):
        bare = _BYLINE.sub("", bare).strip()
    if is_byline:
        label = _LABEL.match(bare)
        if bare.endswith((":", "\N{FULLWIDTH COLON}")) or (label and _is_no_label(label["label"])):
            return []
        bare = bare[label.end() :] if label else bare
    found = _names(bare, language, is_byline=is_byline)
    if not found and is_byline and (by := _BY_LATER.search(whole)):  # `2 hours ago by Ann Weir`
        return _names(whole[by.end() :], language, is_byline=True)
    return found


def _is_no_label(label: str) -> bool:
    """Whether a word and a colon introduce something else than an author."""
    wording = boilerplate.wording()
    return any(rule.match(label) is not None for rule in (wording.no_name, wording.credit, wording.modified))


def _names(text: str, language: str, *, is_byline: bool) -> list[str]:
    bare = _TITLED.sub("", _without_time(_up_to(_HANDLE, text), is_byline=is_byline))
    parts = ((_cased(part) if is_byline else part).strip(" ,;:-\u2026") for part in _split(bare, language))
    return [name for name in parts if name and _is_name(name)]


def _up_to(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return text[: found.start()] if found else text


def _without_time(text: str, *, is_byline: bool) -> str:
    """The text up to the first mark or date."""
    bare = text
    if any(map(str.isdigit, bare)):
        bare = _up_to(calendar_words.age(), bare)
        bare = _up_to(_DATED, _up_to(_CLOCK, bare))
        bare = _without_month(bare, is_byline=is_byline)
    bare = _up_to(_MARK, bare).rstrip()
    if len(bare) < len(text):
        words = bare.split()
        while words and _is_about_time(words[-1]):
            words.pop()
        bare = " ".join(words)
    return bare


def _without_month(text: str, *, is_byline: bool) -> str:
    """The text up to a number beside the name of a month, or, in a byline, up to any number."""
    words = text.split()
    for at, word in enumerate(words):
        if not word[0].isdigit():
            continue
        beside = (words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else "")
        if is_byline or any(_is_calendar_name(one) for one in beside):
            return " ".join(words[:at])
    return text


def _is_calendar_name(word: str) -> bool:
    bare = calendar_words.plain(word.strip(",."))
    return bare in calendar_words.calendar_names() or bare in calendar_words.NEAR_DAYS


def _is_about_time(word: str) -> bool:
    """Whether a word before a date or time belongs to it: a month, a weekday, or "on"."""
    bare = word.strip(",.:-")
    return not bare or _is_calendar_name(bare) or (bare.isalpha() and bare.islower() and len(bare) <= _MAX_ON)


def _cased(text: str) -> str:
    """The text up to a word in lower case that is not part of a name and is followed by another word."""
    words = text.split()
    if not words or not words[0][0].isupper():
        return text
    for at, word in enumerate(words[1:-1], 1):
        if word[0].islower() and word.casefold() not in _PARTICLES and not word.startswith(_ELIDED):
            is_name = at >= _FULL_NAME and len(words) - at <= _MAX_REST
            return " ".join(words[:at]) if is_name else text
    return text


def _split(text: str, language: str) -> Iterator[str]:
    """The parts of a list of names.

    A comma or an "and" separates only what are full names on both sides.
    """
    for part in _LISTED.split(text):
        listed = [one.strip() for one in part.split(",")]
        if len(listed) > 1 and all(map(_is_full_name, listed)):
            yield from listed
        else:
            yield from _split_at_and(part, language)


def _split_at_and(text: str, language: str) -> list[str]:
    joins = {"&", *calendar_words.conjunctions(language)}
    words = text.split()
    places = [at for at, word in enumerate(words) if 0 < at < len(words) - 1 and word.casefold() in joins]
    for chosen in (places, places[-1:]):  # a name may contain an "and": Ortega y Gasset
        starts = [0, *(at + 1 for at in chosen)]
        parts = [" ".join(words[start:end]) for start, end in zip(starts, [*chosen, len(words)], strict=True)]
        names = [name.strip() for part in parts[:-1] for name in part.rstrip(",").split(",")]
        if chosen and all(map(_is_full_name, (*names, _cased(parts[-1])))):
            return [*names, parts[-1]]
    return [text]


def _is_full_name(text: str) -> bool:
    words = text.split()
    if len(words) < _FULL_NAME or len(words) > _MAX_WORDS or not words[0][0].isupper() or not words[-1][0].isupper():
        return False
    return all(word[0].isupper() or word.casefold() in _PARTICLES - {"of"} for word in words)


def _is_name(text: str) -> bool:
    if (
        len(text) > _MAX_NAME
        or len(text.split()) > _MAX_WORDS
        or calendar_words.plain(text) in calendar_words.NEAR_DAYS
        or text.casefold() in boilerplate.rules().no_names
        or boilerplate.wording().no_name.match(text)
    ):
        return False
    return not (_URL.search(text) or "@" in text) and any(map(str.isalpha, text))
