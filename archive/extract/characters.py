"""Characters that no extracted text contains, and white space as HTML collapses it. No I/O."""

from __future__ import annotations

import re
import unicodedata

NOISE = re.compile("[\x00-\x08\x0b\x0e-\x1f\u00ad\u200b\u2060\ufeff\ue000-\uf8ff]")
"""Control characters, soft hyphens, zero-width spaces, and the private-use characters with which fonts draw icons."""
SPACE = re.compile(r"[\t\n\f\r ]+")
"""White space as HTML defines it; this does not include the no-break space."""

_WIDE = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]+")
"""Characters of scripts that write a syllable or a word with one."""


_BREAKS = "\t\n\f\r"
"""White space besides the space."""
_SPACES = re.compile(" {2,}")


def collapsed(text: str) -> str:
    """Text without noise, each run of white space as one space."""
    if not text.isprintable():  # noise is not printable, nor is any white space but the space
        for blank in _BREAKS:
            if blank in text:
                text = text.replace(blank, " ")
        if not text.isprintable():
            text = NOISE.sub("", text)
    return single_spaced(text)


def single_spaced(text: str) -> str:
    """Text with each run of spaces as one."""
    return _SPACES.sub(" ", text) if "  " in text else text


def composed(text: str) -> str:
    """Text in Unicode normalization form C."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def letters(text: str) -> int:
    """How long a text is, in letters of an alphabet; a Chinese, Japanese or Korean sign counts two and a half."""
    if text.isascii():
        return len(text)
    return len(text) + sum(len(run) for run in _WIDE.findall(text)) * 3 // 2
