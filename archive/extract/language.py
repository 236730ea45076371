"""The language of a text; the home of CLD3. No I/O, no state between calls.

A page's own word on its language is often the theme's: `en` over a German post. So the text decides, where there is
enough of it and one language is far ahead; else the page does.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

import gcld3
import langcodes

_MAX_TEXT = 2_000
"""Characters that are looked at."""
_MIN_WEIGHT = 40
"""Letters of an alphabet below which a text is too short."""
_SIGN_LETTERS = 3
"""Letters of an alphabet that a sign for a syllable or a word stands for."""
_MIN_SURE = 0.9
"""Probability below which a language is a guess; pages in languages that CLD3 does not know stay below it."""
_CODE = re.compile(r"[{}\[\]=<>_$#\\;*&^~`]|\w\(|\w\.\w+\(|\"\s*:|://")
"""What is frequent in programs and data, and rare in prose."""
_NAME = re.compile(r"\w\.[a-z]|[a-z][A-Z]|^\s*(?:from|import)\s|[\"'],?\s*$")
"""What marks a line of code that has no such sign."""
_CODE_SHARE = 1 / 40
"""Signs of code to a character, above which a text is prose only in lines that have none."""
_MIN_LINE = 30
"""Letters of a line of prose among code."""
_LINE = re.compile(r"[^\n]+")
_TAG = re.compile(r"[A-Za-z]{2,3}(?![A-Za-z])")
_FOLDED = {"nb": "no", "nn": "no", "fil": "tl", "cmn": "zh", "yue": "zh"}
"""Variants of a language, by the code that is kept."""
_KNOWN = frozenset(
    "af am ar bg bn bs ca co cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr ht hu hy id ig is it ja"  # noqa: SIM905
    " jv ka kk km kn ko ku ky la lb lo lt lv mg mi mk ml mn mr ms mt my ne no nl ny pa pl ps pt ro ru sd si sk sl sm sn"
    " so sq sr st su sv sw ta te tg th tl tr uk ur uz vi xh yi yo zh zu".split()
)
"""Languages with a code in ISO 639-1 that CLD3 tells from others."""
_ALIKE = (frozenset({"sr", "hr", "bs"}), frozenset({"id", "ms"}))
"""Languages that no detector tells apart well: between them the page decides."""


def of(text: str, *, stated: str | None, source: str = "page") -> tuple[str | None, str]:
    """The language of a post and where it stood: `text`, or `source` where the page's word is kept.

    Args:
        text: The post's own words.
        stated: What the page says: a language tag such as `en-GB`, or a code.
        source: Where the page says so.
    """
    said = fold(stated)
    # Who states a language that is unknown here means it: no theme comes with it.
    found = detect(text) if said is None or said in _KNOWN else None
    if found is None or (said is not None and any({found, said} <= alike for alike in _ALIKE)):
        return said, source
    return found, source if found == said else "text"


def fold(tag: str | None) -> str | None:
    """The ISO 639 code of a language tag, the short one of two; variants and old codes folded. None if it is no tag."""
    match = _TAG.match((tag or "").strip())
    code = langcodes.Language.get(match[0]).language if match else None
    return _FOLDED.get(code, code) if code else None


def detect(text: str) -> str | None:
    """The ISO 639-1 code of a text's language; None where it is too short, no prose, or could be another."""
    prose = _prose(text[:_MAX_TEXT].replace("\0", " ").encode("utf-8", "replace").decode())
    if _weight(prose) < _MIN_WEIGHT:
        return None
    found = _detector().FindLanguage(prose)
    code = fold(found.language)
    sure = code in _KNOWN and "-" not in found.language and found.probability >= _MIN_SURE
    return code if sure else None


@cache
def _detector() -> gcld3.NNetLanguageIdentifier:
    return gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=4 * _MAX_TEXT)


def _prose(text: str) -> str:
    """A text without the lines of code in it."""
    if len(_CODE.findall(text)) <= len(text) * _CODE_SHARE:
        return text
    lines = (match[0] for match in _LINE.finditer(text))
    return "\n".join(
        line for line in lines if _weight(line) >= _MIN_LINE and not _CODE.search(line) and not _NAME.search(line)
    )


def _weight(text: str) -> int:
    """Letters of a text, as many as are needed to tell, by what they tell."""
    letters = islice(filter(str.isalpha, text), _MIN_WEIGHT)
    # From here on stand the scripts of East Asia, whose signs are syllables and words.
    return sum(_SIGN_LETTERS if letter >= "\u2e80" else 1 for letter in letters)
