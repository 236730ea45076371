"""Charts as SVG without scripts; the stylesheet has their colours. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from markupsafe import Markup, escape

_CELL, _STEP = 11, 13
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LEVELS = 4
_SUNDAY = 6
MOST_BARS = 240


def bars(values: Sequence[tuple[str, int]], *, label: str) -> Markup:
    """A bar for each value.

    Args:
        values: Names and numbers, in order; the last `MOST_BARS` are drawn.
        label: What the chart shows, for screen readers.
    """
    values = values[-MOST_BARS:]
    width, height, top = 720, 120, max((number for _, number in values), default=0) or 1
    step = width / max(len(values), 12)
    drawn = []
    for place, (name, number) in enumerate(values):
        tall = max(round(number / top * height, 1), 1 if number else 0)
        drawn.append(
            f'<rect class="bar" x="{place * step:.1f}" y="{height - tall}" width="{max(step - 2, 1):.1f}" '
            f'height="{tall}"><title>{escape(name)}: {number}</title></rect>'
        )
    first, last = (values[0][0], values[-1][0]) if values else ("", "")
    return Markup(  # noqa: S704  what is not ours is escaped
        f'<svg class="chart" viewBox="0 0 {width} {height + 18}" role="img" aria-label="{escape(label)}">'
        f'{"".join(drawn)}<line class="axis" x1="0" y1="{height}" x2="{width}" y2="{height}"/>'
        f'<text x="0" y="{height + 14}">{escape(first)}</text>'
        f'<text class="end" x="{max(len(values) * step, 120):.0f}" y="{height + 14}">{escape(last)}</text></svg>'
    )


def heat(days: Mapping[date, int], *, first: date, last: date, label: str, link: str = "") -> Markup:
    """A cell for each day, a column for each week.

    Args:
        days: Number for each day.
        first: First day.
        last: Last day.
        label: What the chart shows, for screen readers.
        link: Target of a day that is not empty: `{day}` stands for its eight digits.
    """
    start = first - timedelta(days=first.weekday())
    most = max(days.values(), default=0) or 1
    drawn, months = [], []
    week = 0
    day = start
    while day <= last:
        if day >= first:
            number = days.get(day, 0)
            level = 0 if not number else min(_LEVELS, 1 + number * (_LEVELS - 1) // most)
            cell = (
                f'<rect class="l{level}" x="{week * _STEP}" y="{18 + day.weekday() * _STEP}" width="{_CELL}" '
                f'height="{_CELL}" rx="2"><title>{day.isoformat()}: {number}</title></rect>'
            )
            target = link.replace("{day}", f"{day:%Y%m%d}")
            name = f"{day.isoformat()}, {number} captures"
            drawn.append(f'<a href="{escape(target)}" aria-label="{name}">{cell}</a>' if number and link else cell)
            if day.day == 1 or day == first:
                months.append(f'<text x="{week * _STEP}" y="11">{_MONTHS[day.month - 1]}</text>')
        if day.weekday() == _SUNDAY:
            week += 1
        day += timedelta(days=1)
    width = (week + 1) * _STEP
    role = "group" if link else "img"
    return Markup(  # noqa: S704  what is not ours is escaped
        f'<svg class="heat" viewBox="0 0 {width} {18 + 7 * _STEP}" width="{width}" role="{role}" '
        f'aria-label="{escape(label)}">{"".join(months)}{"".join(drawn)}</svg>'
    )


def timeline(moments: Sequence[tuple[float, str, str, str]], *, label: str) -> Markup:
    """Marks on a line.

    Args:
        moments: For each its position from 0 to 1, its kind (`version`, `capture`, `gone`), its link, its name.
        label: What the chart shows, for screen readers.
    """
    width, drawn = 720, []
    for place, kind, target, name in moments:
        x = 8 + place * (width - 16)
        shape = (
            f'<circle class="{kind}" cx="{x:.1f}" cy="16" r="7"/>'
            if kind == "version"
            else f'<rect class="{kind}" x="{x - 1:.1f}" y="8" width="2" height="16"/>'
        )
        inner = f"{shape}<title>{escape(name)}</title>"
        if kind == "version":
            drawn.append(f'<a href="{escape(target)}" aria-label="{escape(name)}">{inner}</a>')
        else:
            drawn.insert(0, f"<g>{inner}</g>")
    return Markup(  # noqa: S704  what is not ours is escaped
        f'<svg class="timeline" viewBox="0 0 {width} 32" role="group" aria-label="{escape(label)}">'
        f'<line class="axis" x1="8" y1="16" x2="{width - 8}" y2="16"/>{"".join(drawn)}</svg>'
    )
