"""Every regular expression takes time linear in the length of its text, or the text has a limit that is named here."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import regex
from sample.backtracking import problem

LIMITED = {
    "archive.extract.boilerplate._COUNT": "_MAX_HEADING",
    "archive.extract.boilerplate.wording.also": "archive.extract.trim._MAX_ALSO",
    "archive.extract.boilerplate.wording.bio": "archive.extract.trim._MAX_BIO",
    "archive.extract.boilerplate.wording.byline": "archive.extract.trim._MAX_BYLINE",
    "archive.extract.boilerplate.wording.cut": "_CUT_WITHIN",
    "archive.extract.boilerplate.wording.offer": "archive.extract.trim._MAX_DISCLOSURE",
    "archive.extract.calendar_words.age": "archive.extract.names._MAX_STATED",
    "archive.extract.date_text._WRITTEN": "_MAX_TEXT",
    "archive.extract.names._TITLED": "_MAX_STATED",
    "archive.extract.notices._kinds": "_MAX_CHARACTERS",
    "archive.extract.page_links._PATH_NUMBER": "_MAX_PATH",
    "archive.warc.pasted_url._ENCODED_END": "_SHOWN",
    "crawler.feeds.dates._ISO": "DATE_CHARACTERS",
    "crawler.feeds.dates._OFFSET": "DATE_CHARACTERS",
    "crawler.feeds.repair._TITLE": "{0,2000}",
    "crawler.feeds.xml_feed._SKIP_DAYS": "{0,2000}",
    "crawler.feeds.xml_feed._SKIP_HOURS": "{0,2000}",
}
"""Expressions that are not linear, with what limits the length of what they read: a name, in their module unless it says
another one, or a repetition in the expression itself."""

_OURS = ("archive", "crawler", "schedules")
_PATTERNS = (re.Pattern, regex.Pattern)
_AT_ONE_PLACE = {"match", "fullmatch"}
_CALLS = {"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}


@dataclass(frozen=True)
class Found:
    name: str
    pattern: Any
    uses: frozenset[str]
    """Methods that are called; `?` if it is passed on."""


@cache
def modules() -> tuple[ModuleType, ...]:
    found = []
    for top in _OURS:
        package = importlib.import_module(top)
        found += [info.name for info in pkgutil.walk_packages(package.__path__, f"{top}.")]
    left_out = (".migrations", "__main__")
    return tuple(importlib.import_module(name) for name in found if not any(part in name for part in left_out))


def within(name: str, value: Any, depth: int = 4) -> Iterator[tuple[str, Any]]:
    """Compiled expressions in a value, each with its name."""
    if isinstance(value, _PATTERNS):
        yield name, value
    elif depth:
        for part, inner in parts(value):
            yield from within(f"{name}.{part}" if part else name, inner, depth - 1)


def parts(value: Any) -> list[tuple[str, Any]]:
    """What a value consists of, and the names of its parts."""
    if isinstance(value, Mapping):
        return [("", part) for part in (*value.keys(), *value.values())]
    if isinstance(value, tuple | list | set | frozenset):
        return [("", part) for part in value]
    if isinstance(value, type):
        return list(vars(value).items()) if value.__module__.startswith(_OURS) else []
    if is_dataclass(value):
        return [(one.name, getattr(value, one.name, None)) for one in fields(value)]
    if hasattr(value, "cache_info") and not inspect.signature(value).parameters:
        return [("", value())]  # what is read from a file of ours, once
    return []


@cache
def source(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text())


def uses(module: ModuleType) -> dict[str, set[str]]:
    """What a module does with each name: methods that it calls, `?` for anything else."""
    found: dict[str, set[str]] = {}
    called = set()
    for node in ast.walk(source(module)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            found.setdefault(node.func.value.id, set()).add(node.func.attr)
            called.add(node.func.value)
    for node in ast.walk(source(module)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node not in called:
            found.setdefault(node.id, set()).add("?")
    return found


@cache
def uses_of_fields() -> dict[str, set[str]]:
    """Methods that any module calls on a field, such as `search` in `wording().cut.search(text)`."""
    found: dict[str, set[str]] = {}
    for node in (node for module in modules() for node in ast.walk(source(module))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.attr in _CALLS:
            found.setdefault(node.value.attr, set()).add(node.attr)
    return found


def compiled() -> Iterator[Found]:
    for module in modules():
        used = uses(module)
        for name, value in vars(module).items():
            own = used.get(name) if name.startswith("_") and isinstance(value, _PATTERNS) else None
            for full, pattern in within(f"{module.__name__}.{name}", value):
                field = full.removeprefix(f"{module.__name__}.{name}").rpartition(".")[2]
                yield Found(full, pattern, frozenset(own or uses_of_fields().get(field) or {"?"}))


def written_in_calls() -> Iterator[tuple[str, str, ast.expr]]:
    """Place, method and expression of each call such as `re.sub("…", …)` or, within a function, `re.compile("…")`."""
    for module in modules():
        kept = {id(call) for node in source(module).body if isinstance(node, ast.Assign) for call in ast.walk(node)}
        for node in ast.walk(source(module)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or id(node) in kept:
                continue
            owner, method = node.func.value, node.func.attr
            if isinstance(owner, ast.Name) and owner.id in {"re", "regex"} and method in {"compile", *_CALLS}:
                yield f"{module.__name__}:{node.lineno}", method, node.args[0]


MADE_WHILE_RUNNING = {
    "archive.extract.addresses": "from boilerplate.toml; seen as what a cached function returns",
    "archive.extract.boilerplate": "from boilerplate.toml; seen as what cached functions return",
    "archive.extract.calendar_words": "from CLDR; seen as what a cached function returns",
    "archive.extract.notices": "from boilerplate.toml; seen as what a cached function returns",
    "archive.extract.walls": "from walls.toml; seen as what a cached function returns",
    "archive.warc.page_identity": "from tracking.toml; seen as what a cached function returns",
    "archive.web.cdx_filters": "a user's; only worker processes compile them",
}
"""Modules that make expressions of what they read."""


def why(found: Found) -> str:
    return problem(found.pattern, search=bool(found.uses - _AT_ONE_PLACE), whole=bool(found.uses & {"fullmatch", "?"}))


def test_every_expression_is_linear_or_what_it_reads_is_limited() -> None:
    told = {found.name: reason for found in compiled() if (reason := why(found))}
    assert {name: reason for name, reason in told.items() if name not in LIMITED} == {}
    assert set(LIMITED) <= set(told), "rows that are not needed"


def test_every_expression_that_is_written_in_a_call_is_linear() -> None:
    unseen = []
    for place, method, expression in written_in_calls():
        if isinstance(expression, ast.Constant):
            found = Found(place, re.compile(expression.value), frozenset({method if method in _CALLS else "?"}))
            assert why(found) == "", place
        elif place.partition(":")[0] not in MADE_WHILE_RUNNING:
            unseen.append(place)
    assert unseen == [], "compile these where they can be seen"


def test_many_expressions_are_seen() -> None:
    names = {found.name for found in compiled()}
    assert len(names) > 200
    assert {"archive.extract.walls.walls.errors", "archive.extract.requisites._CSS"} <= names


@pytest.mark.parametrize(("name", "limit"), LIMITED.items())
def test_limits_are_where_they_are_said_to_be(name: str, limit: str) -> None:
    owner = max((one for one in modules() if name.startswith(f"{one.__name__}.")), key=lambda one: len(one.__name__))
    attribute = name.rpartition(".")[2]
    if limit.startswith("{"):
        text = getattr(owner, attribute).pattern
        assert limit in (text if isinstance(text, str) else text.decode())
    else:
        place, _, constant = limit.rpartition(".")
        assert getattr(importlib.import_module(place) if place else owner, constant) <= 2_000


@pytest.mark.parametrize(
    "expression",
    [
        *(r"\s+$", r"<title[^>]*>", r"\s*X", r".*X", r"\w(?:\w*c)?", r"x*+y", r"a+b", r"(?=.*X)a", r"(?m)^\s*X"),
        *(r"[a-z]{0,500}:", r"(?:ab)+c", r"(\w+)-\1:", r"<!--(?:[^-]|-)*-->"),
    ],
)
def test_searches_that_begin_anew_are_found(expression: str) -> None:
    assert "quadratic" in problem(re.compile(expression))


@pytest.mark.parametrize("expression", [r"a*a*b", r"[ab]*b[ab]*c", r"a*b?a*c", r"\s*\S*\s*x", r"a{0,50}a{0,50}b"])
def test_loops_that_read_the_same_are_found(expression: str) -> None:
    assert "quadratic" in problem(re.compile(expression), search=False)


@pytest.mark.parametrize("expression", [r"(a*)*b", r"(a|a)*b", r"(?:a+)+b", r'"(?:[^"]|\\.)*"', r"(?:\w+\s?)*x"])
def test_loops_in_two_ways_are_found(expression: str) -> None:
    assert "exponential" in problem(re.compile(expression), search=False)


@pytest.mark.parametrize(
    "expression",
    [
        *(r"\s+", r"abc", r"<title[^<>]*>", r"(?<!\s)\s+$", r"^\s+X", r"\d{1,4}x", r"(?m)^[a-z]+:", r"\bfoo\w*"),
        *(r'"[^"]*"?', r"(?<![a-z])[a-z]*+:", r"url\([^()]*\)", r"\b\w+:", r"(?<!x)x*y", r"(?s)<!--.*?(?:-->|\Z)"),
        *(r"(?<!\s)\s++x\s*y", r"(?:&#\d+;?)+"),
    ],
)
def test_linear_expressions_are_called_so(expression: str) -> None:
    assert problem(re.compile(expression)) == ""


@pytest.mark.parametrize("expression", [r"(?s)\s*x.*", r"a*b*", r"a*+a*"])
def test_what_may_end_early_is_asked_for_the_whole(expression: str) -> None:
    assert problem(re.compile(expression), search=False) == ""


def test_expressions_of_the_other_library_are_read() -> None:
    assert problem(regex.compile(r"\p{Han}|[\p{L}\p{N}]+|\s+|.")) == ""
    assert problem(regex.compile(r"[\p{L}]+x[\p{L}]*y")) != ""
