"""The language of a text; the home of CLD3. No I/O, no state between calls.

The language that a page states is often the theme's: `en` for a German post. So the text decides if there is enough of
it and one language is far ahead; otherwise the page does.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

import gcld3
import langcodes

from archive.runtime.storable import storable

_MAX_TEXT = 2_000
"""Characters that are examined."""
_MIN_WEIGHT = 40
"""Letters of an alphabet below which a text is too short."""
_SIGN_LETTERS = 3
"""Letters of an alphabet that a syllabic or logographic character counts for."""
_MIN_SURE = 0.9
"""Probability below which a language is a guess, as it is for languages that CLD3 does not know."""
_CODE = re.compile(r"[{}\[\]=<>_$#\\;*&^~`]|\w\(|\w\.\w+\(|\"\s*:|://")
"""Characters that are frequent in code and data, and rare in prose."""
_NAME = re.compile(r"\w\.[a-z]|[a-z][A-Z]|^\s*(?:from|import)\s|[\"'],?\s*$")
"""What identifies a line of code without such characters."""
_CODE_SHARE = 1 / 40
"""Share of such characters above which only the lines without them are prose."""
_MIN_LINE = 30
"""Letters of a line of prose among code."""
_LINE = re.compile(r"[^\n]+")
_TAG = re.compile(r"[A-Za-z]{2,3}(?![A-Za-z])")
_FOLDED = {"nb": "no", "nn": "no", "fil": "tl", "cmn": "zh", "yue": "zh"}
"""Variants of a language, and the code that stands for them."""
_KNOWN = frozenset(
    "af am ar bg bn bs ca co cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr ht hu hy id ig is it ja"  # noqa: SIM905
    " jv ka kk km kn ko ku ky la lb lo lt lv mg mi mk ml mn mr ms mt my ne no nl ny pa pl ps pt ro ru sd si sk sl sm sn"
    " so sq sr st su sv sw ta te tg th tl tr uk ur uz vi xh yi yo zh zu".split()
)
"""Languages with an ISO 639-1 code that CLD3 can distinguish."""
_ALIKE = (frozenset({"sr", "hr", "bs"}), frozenset({"id", "ms"}))
"""Languages that no detector distinguishes well: between them, the page decides."""


def of(text: str, *, stated: str | None, source: str = "page") -> tuple[str | None, str]:
    """The language of a post and its source: `text`, or `source` if the stated language is used.

    Args:
        text: The text of the post.
        stated: The language tag or code that the page states, such as `en-GB`.
        source: Where it is stated.
    """
    code = fold(stated)
    # A language that is unknown here is stated on purpose: it is not the default of any theme.
    found = detect(text) if code is None or code in _KNOWN else None
    if found is None or (code is not None and any({found, code} <= alike for alike in _ALIKE)):
        return code, source
    return found, source if found == code else "text"


def fold(tag: str | None) -> str | None:
    """The ISO 639 code of a language tag, the two-letter one if there is one; variants and old codes are folded.

    None if it is not a language tag.
    """
    match = _TAG.match((tag or "").strip())
    code = langcodes.Language.get(match[0]).language if match else None
    return _FOLDED.get(code, code) if code else None


def detect(text: str) -> str | None:
    """The ISO 639-1 code of a text's language; None if it is too short, not prose, or ambiguous."""
    prose = _prose(storable(text[:_MAX_TEXT]))
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
    """A text without its lines of code."""
    if len(_CODE.findall(text)) <= len(text) * _CODE_SHARE:
        return text
    lines = (match[0] for match in _LINE.finditer(text))
    return "\n".join(
        line for line in lines if _weight(line) >= _MIN_LINE and not _CODE.search(line) and not _NAME.search(line)
    )


def _weight(text: str) -> int:
    """How many letters a text has, weighted and counted up to `_MIN_WEIGHT`."""
    letters = islice(filter(str.isalpha, text), _MIN_WEIGHT)
    # The scripts of East Asia, whose characters are syllables and words, begin here.
    return sum(_SIGN_LETTERS if letter >= "\u2e80" else 1 for letter in letters)
