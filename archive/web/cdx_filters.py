"""Filters of CDX queries. Their expressions are a user's: they are compiled and matched in a worker process. No I/O.

Most are plain words, such as `statuscode:200`, and need no worker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import regex

from archive.errors import TaskError
from archive.index.lookup import Line
from archive.runtime.work import Work
from archive.web.cdx_columns import column_of, value_of
from archive.web.limits import FILTER_SECONDS, PATTERN_CHARACTERS, PATTERN_REPEATS, PATTERN_SECONDS

_FILTER = re.compile(r"(!?)([=~]?)([a-zA-Z]+):(.*)", re.DOTALL)
# The Wayback Machine and pywb put ! before = and ~.
_PLAIN = re.compile(r"[A-Za-z0-9/_:-]*")
_REPEAT = re.compile(r"(?<=[{,])\s*+([0-9]++)\s*+(?=[,}])")
_TOO_LONG = "filter: the expression takes too long or too much memory; write a simpler one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on a column."""

    column: str
    expression: str
    """What its whole value is or, if it is a pattern, matches."""
    is_pattern: bool
    wanted: bool
    """Whether lines pass whose value is that."""


def parse(text: str) -> Filter:
    """Parse the parameter `filter`; a regular expression is not compiled here.

    Raises:
        ValueError: It is not a filter.
    """
    found = _FILTER.fullmatch(text[: PATTERN_CHARACTERS + 1])
    if not found or len(text) > PATTERN_CHARACTERS:
        raise ValueError(f"filter={text[:60]}: use [!]column:expression, such as !statuscode:404")
    negated, kind, column, expression = found.groups()
    is_pattern = kind != "=" and not _PLAIN.fullmatch(expression)
    repeats = 1
    for number in _REPEAT.findall(expression) if is_pattern else ():
        repeats *= max(1, int(number[:9]))
    if repeats > PATTERN_REPEATS:
        raise ValueError(f"filter={text[:60]}: repeats more than {PATTERN_REPEATS} times")
    return Filter(column=column_of(column), expression=expression, is_pattern=is_pattern, wanted=not negated)


class Filters:
    """All filters of one query."""

    def __init__(self, filters: Sequence[Filter], work: Work) -> None:
        """Compile the expressions, to see whether they are valid.

        Raises:
            ValueError: One of them is not.
        """
        self._plain = [one for one in filters if not one.is_pattern]
        self._patterns = [one for one in filters if one.is_pattern]
        self._work = work
        self._left = FILTER_SECONDS
        if self._patterns:
            self._matching([])

    def passing(self, lines: Sequence[Line]) -> list[Line]:
        """The lines that pass all of them.

        Raises:
            ValueError: The expressions take too long.
        """
        left = [
            line
            for line in lines
            if all((value_of(one.column, line) == one.expression) == one.wanted for one in self._plain)
        ]
        if not self._patterns or not left:
            return left
        values = [tuple(value_of(one.column, line) for one in self._patterns) for line in left]
        return [line for line, passes in zip(left, self._matching(values), strict=True) if passes]

    def _matching(self, values: list[tuple[str, ...]]) -> list[bool]:
        patterns = [(one.expression, one.wanted) for one in self._patterns]
        try:
            problem, passed, spent = self._work(matching, patterns=patterns, values=values, seconds=self._left)
        except TaskError as e:
            raise ValueError(_TOO_LONG) from e
        if problem:
            raise ValueError(problem)
        self._left -= spent
        return passed


def matching(
    *, patterns: Sequence[tuple[str, bool]], values: Sequence[Sequence[str]], seconds: float
) -> tuple[str, list[bool], float]:
    """Match values with regular expressions.

    Args:
        patterns: Expressions, each with whether a value that matches is wanted.
        values: Of each line, one value for each expression.
        seconds: Time for all of this.

    Returns:
        What is wrong with the expressions, if anything; of each line whether it passes; the seconds spent.
    """
    began = perf_counter()
    compiled = []
    for expression, wanted in patterns:
        try:
            compiled.append((regex.compile(expression), wanted))
        except (regex.error, RecursionError, OverflowError) as e:
            return f"filter={expression[:60]}: not a regular expression: {str(e)[:100]}", [], 0.0
    passed = []
    for line in values:
        if perf_counter() - began > seconds:
            return _TOO_LONG, [], seconds
        try:
            passed.append(
                all(
                    (pattern.fullmatch(value, timeout=PATTERN_SECONDS) is not None) == wanted
                    for (pattern, wanted), value in zip(compiled, line, strict=True)
                )
            )
        except TimeoutError:
            return _TOO_LONG, [], seconds
    return "", passed, perf_counter() - began
