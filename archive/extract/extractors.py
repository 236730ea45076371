"""The extractors by name. No I/O."""

from __future__ import annotations

from archive.extract.extractor import Extractor
from archive.extract.judged_extractor import JudgedExtractor
from archive.extract.own_extractor import OwnExtractor
from archive.extract.trafilatura_extractor import TrafilaturaExtractor

_OWN, _TRAFILATURA = OwnExtractor(), TrafilaturaExtractor()

EXTRACTORS: dict[str, Extractor] = {one.name: one for one in (JudgedExtractor(_OWN, _TRAFILATURA), _OWN, _TRAFILATURA)}
"""Each extractor by its name; the first is the default."""
