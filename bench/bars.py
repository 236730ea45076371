"""A chart of bars as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_ROW, _LEFT, _WIDTH, _GAP = 30, 230, 260, 90
_OURS, _OTHERS = "#1f6feb", "#9aa4b2"


def chart(figures: Mapping[str, tuple[float, float]]) -> str:
    """Posts a second and milliseconds of the processor a post of each contender, one row each."""
    height = 50 + _ROW * len(figures)
    right = _LEFT + _WIDTH + _GAP
    width = right + _WIDTH + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
        f'<rect width="100%" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="26" font-weight="bold">posts a second</text>',
        f'<text x="{right}" y="26" font-weight="bold">CPU ms a post</text>',
    ]
    for place, (x, unit) in enumerate(((_LEFT, "{:,.0f}"), (right, "{:,.1f}"))):
        most = max(found[place] for found in figures.values()) or 1.0
        for row, (name, found) in enumerate(figures.items()):
            y = 40 + row * _ROW
            length = max(1.0, found[place] / most * _WIDTH)
            colour = _OURS if name.startswith("Pressmark") else _OTHERS
            parts += [
                f'<rect x="{x}" y="{y}" width="{length:.1f}" height="{_ROW - 10}" fill="{colour}"/>',
                f'<text x="{x + length + 6:.1f}" y="{y + 15}">{unit.format(found[place])}</text>',
            ]
            if place == 0:
                parts.append(f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
