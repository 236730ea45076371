"""Words of dates and lists in many languages, from CLDR: months, weekdays, "2 hours ago", "and". No I/O.

Each table is made on its first use and kept. Words are compared as `plain` gives them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cache
from itertools import product
from typing import Literal

from babel import Locale
from babel.dates import format_timedelta, get_day_names, get_month_names

LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "nn", "ru", "uk", "pl", "cs", "tr", "fi", "et",
    "lv", "lt", "is", "sk", "sl", "hr", "sr", "sr_Latn", "mk", "bg", "be", "hu", "ro", "el", "az", "ca", "gl", "eu",
    "ga", "cy", "sq", "id", "ms", "th", "ar", "ar_SY", "ar_DZ", "ar_MA", "fa", "he", "hi", "bn", "ta", "ka", "hy", "kk",
    "af", "fil", "sw",
)  # fmt: skip
"""Languages with names for the months; if a name means two months, the earlier language decides."""
_WIDESPREAD = LANGUAGES[:16]
"""Languages whose months are recognised by their first letters on any page; others only on their own pages."""
_NUMBERED = ("vi", "ja", "ko", "zh", "zh_Hant")
"""Languages that number the months; their other words are known."""
_CONTEXTS: tuple[Literal["format", "stand-alone"], ...] = ("format", "stand-alone")
_WIDTHS: tuple[Literal["abbreviated", "wide"], ...] = ("wide", "abbreviated")
_NAMES_BESIDES = {"mrz": 3}
"""Abbreviations in use that CLDR does not list."""
_PREFIXES = (5, 4, 3)
"""Letters by which an abbreviation or inflection that is not listed is recognised, the longest first."""
_AGES = (
    *(timedelta(**{unit: -count}) for unit, count in product(("minutes", "hours", "days", "weeks"), (1, 2, 5))),
    timedelta(days=-70),
    timedelta(days=-800),
)
NEAR_DAYS = frozenset(
    "today yesterday heute gestern aujourd'hui hier hoy ayer oggi ieri hoje ontem vandaag gisteren idag igar"  # noqa: SIM905
    " tanaan eilen dzisiaj dzis wczoraj dnes vcera сегодня вчера сьогодні вчора bugun dun ma tegnap χθες"
    " 今日 昨日 今天 昨天 오늘 어제 اليوم أمس היום אתמול".split()
)
"""The words for today and yesterday, as `plain` gives them; CLDR has them, Babel does not."""
_HEBREW_IN = "\N{HEBREW LETTER BET}"
"""Written together with the month that it precedes."""
_WORDS = re.compile(r"[\s'\N{RIGHT SINGLE QUOTATION MARK}]+")
_NUMBER = re.compile(r"\d+")
_LETTER_MAPS = str.maketrans("\u0131\u03c2", "i\u03c3")
"""Letters that neither case folding nor decomposition makes equal: the dotless i, the sigma at the end of a word."""


def plain(word: str) -> str:
    """A word for comparison: case and accents folded, without a point at the end."""
    apart = unicodedata.normalize("NFKD", word.casefold().translate(_LETTER_MAPS))
    return "".join(c for c in apart if not unicodedata.combining(c)).strip(".")


def month(name: str, language: str = "") -> int:
    """The number of a month by its name or the beginning of it; 0 if it is not a month.

    Args:
        name: In any case.
        language: Of the page, as a BCP 47 tag; it decides what a name means that other languages read otherwise.
    """
    bare = plain(name)
    own = primary(language)
    for names in (_months_of(own) if own in LANGUAGES else {}, _months()):
        for part in (bare, bare.removeprefix(_HEBREW_IN), *(bare[:size] for size in _PREFIXES)):
            if part in names:
                return names[part]
    return 0


@cache
def _names(language: str) -> dict[str, int]:
    """The months of one language by their names in CLDR, without words such as the "de" of Catalan."""
    return {
        bare: number
        for context, width in product(_CONTEXTS, _WIDTHS)
        for number, listed in get_month_names(width, context, language).items()
        if (bare := plain(_WORDS.split(listed)[-1]))
    }


@cache
def _months_of(language: str) -> dict[str, int]:
    """The months of one language, by their names and by the beginnings of them that mean one month."""
    return {**_beginnings((language,)), **_names(language)}


@cache
def _months() -> dict[str, int]:
    """The months of all languages by their names, and by the beginnings that widespread languages read the same."""
    names: dict[str, int] = {}
    for language in LANGUAGES:
        for name, number in _names(language).items():
            names.setdefault(name, number)
    return {**_beginnings(_WIDESPREAD), **names, **_NAMES_BESIDES}


def _beginnings(languages: Iterable[str]) -> dict[str, int]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for language in languages:
        for name, number in _names(language).items():
            for size in _PREFIXES:
                found[name[:size]].add(number)
    return {beginning: min(numbers) for beginning, numbers in found.items() if len(numbers) == 1}


@cache
def calendar_names() -> frozenset[str]:
    """Names of months and weekdays, as `plain` gives them."""
    weekdays = (
        plain(word)
        for language, context, width in product((*LANGUAGES, *_NUMBERED), _CONTEXTS, _WIDTHS)
        for name in get_day_names(width, context, language).values()
        for word in name.split()
        if len(word) > 1
    )
    whole = (name for language in LANGUAGES for name in _names(language))
    return frozenset((*weekdays, *whole))


@cache
def age() -> re.Pattern[str]:
    """Matches how long ago something was, such as `2 hours ago`, `vor 2 Stunden` or `2小时前`."""
    forms = sorted({_any_number(one) for one in _ages()}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)", re.IGNORECASE)


def _ages() -> Iterator[str]:
    for language, time in product((*LANGUAGES, *_NUMBERED), _AGES):
        yield format_timedelta(time, add_direction=True, locale=language, threshold=1)


def _any_number(form: str) -> str:
    return r"\s*".join(re.escape(part) for part in _NUMBER.sub("\0", form).split()).replace(
        re.escape("\0"), r"\s*\d+\s*"
    )


def conjunctions(language: str) -> frozenset[str]:
    """The words for "and" between two names, in English and in the language of a page, in lower case."""
    return frozenset({_conjunction("en"), _conjunction(primary(language))})


@cache
def _conjunction(language: str) -> str:
    if language not in LANGUAGES:
        return "and"
    pattern: str = Locale.parse(language).list_patterns["standard"]["2"]
    return pattern.replace("{0}", "").replace("{1}", "").strip()


def primary(language: str) -> str:
    """The primary subtag of a BCP 47 tag, in lower case: `de` of `de-AT`."""
    return language.strip().replace("_", "-").partition("-")[0].lower()
