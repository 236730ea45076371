"""Proves that a regular expression takes time linear in the length of its text, whatever the text.

A backtracking matcher tries, in the worst case, every path of the expression's automaton, from every position. Two
things make that more than linear, and both can be read off the automaton (Weber and Seidl 1991; Wüstholz et al. 2017):
a loop that reads a word in two ways (exponential), and a word that is read by a loop, by a second loop, and on the way
from the first to the second (quadratic at least). A search is a first loop that reads anything before the match begins.

Where something is hard to model it is taken for more than it is, so that nothing is called linear that is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_SAMPLES = "éß\u0130\u0660\u2003\u4e00\ud7ff\U0001f600"
"""Characters beyond ASCII, one of each kind that the categories tell apart."""
_FEW = 4
"""Repeats up to this number are no loop."""
_SOME = 100
"""Repeats up to this number only make each attempt of a search longer by so much."""


@dataclass(frozen=True)
class _Edge:
    """A way from one position to the next without reading: what it demands of what was and will be read."""

    target: int
    before: int = -1
    """Set of characters of which the last one read must be."""
    after: int = -1
    """Set of characters of which the next one must be."""
    certain: bool = True
    """Whether there is no other condition."""
    counted: bool = False
    """Repeats something only a limited number of times."""
    at_end: bool = False
    """Leads on at the end of the text only."""


@dataclass
class _Automaton:
    """Nodes with edges that read nothing; some nodes read one character of a set."""

    alphabet: str | bytes
    flags: int
    most: int
    """Repeats up to this number are counted, not endless."""
    reads: dict[int, int] = field(default_factory=dict)
    edges: list[list[_Edge]] = field(default_factory=list)
    groups: dict[int, Any] = field(default_factory=dict)

    def node(self) -> int:
        self.edges.append([])
        return len(self.edges) - 1

    def join(self, one: int, other: int, **demands: Any) -> None:
        self.edges[one].append(_Edge(other, **demands))

    # -- sets of characters, as bits

    def every(self) -> int:
        return (1 << len(self.alphabet)) - 1

    def of(self, test: Any) -> int:
        return sum(1 << n for n, c in enumerate(self.alphabet) if test(c))

    def char(self, code: int) -> int:
        if isinstance(self.alphabet, bytes):
            wanted = {code}
            if self.flags & re.IGNORECASE:
                wanted = {*bytes([code]).lower(), *bytes([code]).upper()}
            return self.of(lambda c: c in wanted)
        same = {chr(code)}
        if self.flags & re.IGNORECASE:
            same |= {chr(code).lower(), chr(code).upper(), *({"\u0130", "\u0131"} if chr(code) in "iI" else ())}
            return self.of(lambda c: c in same or c.lower() in same)
        return self.of(lambda c: c in same)

    def category(self, kind: Any) -> int:
        name = str(kind).lower().rpartition("category_")[2]
        letter = {"digit": "d", "space": "s", "word": "w"}[name.removeprefix("not_").removeprefix("uni_")]
        letter = letter.upper() if name.startswith("not_") else letter
        source: Any = f"\\{letter}".encode() if isinstance(self.alphabet, bytes) else f"\\{letter}"
        compiled = re.compile(source, self.flags & re.ASCII)
        whole = isinstance(self.alphabet, bytes)
        return self.of(lambda c: compiled.match(bytes([c]) if whole else c))

    def members(self, items: Iterable[tuple[Any, Any]]) -> int:
        found, negated = 0, False
        for kind, value in items:
            if kind is sre.NEGATE:
                negated = True
            elif kind is sre.LITERAL:
                found |= self.char(value)
            elif kind is sre.RANGE:
                for code in {ord(c) if isinstance(c, str) else c for c in self.alphabet}:
                    if value[0] <= code <= value[1]:
                        found |= self.char(code)
            elif kind is sre.CATEGORY:
                found |= self.category(value)
            else:
                raise NotImplementedError(kind)
        return self.every() & ~found if negated else found

    def single(self, kind: Any, value: Any) -> int | None:
        """The set that an element reads, if it always reads one character."""
        if kind is sre.LITERAL:
            return self.char(value)
        if kind is sre.NOT_LITERAL:
            return self.every() & ~self.char(value)
        if kind is sre.ANY:
            newline = 0 if self.flags & re.DOTALL else self.char(10)
            return self.every() & ~newline
        if kind is sre.IN:
            return self.members(value)
        return None

    def only(self, body: Any) -> int | None:
        """The set that a sequence reads, if it always reads one character."""
        items = list(body)
        if len(items) != 1:
            return None
        kind, value = items[0]
        if kind is sre.SUBPATTERN and not value[1] and not value[2]:
            return self.only(value[3])
        if kind is sre.BRANCH:
            parts = [self.only(part) for part in value[1]]
            return None if None in parts else _union(part for part in parts if part is not None)
        return self.single(kind, value)

    # -- parts of an expression, each between two nodes

    def sequence(self, items: Any, begin: int) -> int:
        for kind, value in items:
            begin = self.element(kind, value, begin)
        return begin

    def element(self, kind: Any, value: Any, begin: int) -> int:  # noqa: C901, PLR0911  one case a kind
        mask = self.single(kind, value)
        if mask is not None:
            return self.read(mask, begin)
        if kind is sre.SUBPATTERN:
            before, self.flags = self.flags, (self.flags | value[1]) & ~value[2]
            end = self.sequence(value[3], begin)
            self.flags = before
            self.groups[value[0]] = value[3]
            return end
        if kind is sre.BRANCH:
            end = self.node()
            for part in value[1]:
                self.join(self.sequence(part, begin), end)
            return end
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            return self.repeat(*value, begin, possessive=kind is sre.POSSESSIVE_REPEAT)
        if kind is sre.ATOMIC_GROUP:
            return self.sequence(value, begin)
        if kind in (sre.ASSERT, sre.ASSERT_NOT):
            return self.look(value, begin, wanted=kind is sre.ASSERT)
        if kind is sre.AT:
            return self.place(value, begin)
        if kind is sre.GROUPREF:  # anything that the group may have read
            return self.sequence(self.groups[value], begin)
        if kind is sre.GROUPREF_EXISTS:
            end = self.node()
            for part in (value[1], value[2] or []):
                self.join(self.sequence(part, begin), end)
            return end
        raise NotImplementedError(kind)

    def read(self, mask: int, begin: int) -> int:
        node = self.node()
        self.reads[node] = mask
        self.join(begin, node)
        return node

    def repeat(self, low: int, high: Any, body: Any, begin: int, *, possessive: bool = False) -> int:
        if high is not sre.MAXREPEAT and high <= _FEW:
            return self.few(low, high, body, begin)
        for _ in range(min(low, _FEW) - 1 if low else 0):
            begin = self.sequence(body, begin)
        enter, end = self.node(), self.node()
        self.join(begin, enter)
        last = self.sequence(body, enter)
        mask = self.only(body)
        endless = high is sre.MAXREPEAT
        stops = self.every() & ~mask if possessive and endless and mask is not None else -1
        self.join(last, enter, counted=not endless and high <= self.most)
        self.join(last, end, after=stops)
        if not low:
            self.join(begin, end, after=stops)
        return end

    def few(self, low: int, high: int, body: Any, begin: int) -> int:
        end = self.node()
        for number in range(high):
            if number >= low:
                self.join(begin, end)
            begin = self.sequence(body, begin)
        self.join(begin, end)
        return end

    def look(self, value: Any, begin: int, *, wanted: bool) -> int:
        direction, body = value
        mask, end = self.only(body), self.node()
        demands = -1 if mask is None else mask if wanted else self.every() & ~mask
        if direction < 0:  # what it looks at has a fixed length
            self.join(begin, end, before=demands, certain=False)
            return end
        if mask is None:  # it may read far, and lead nowhere
            self.sequence(body, begin)
        self.join(begin, end, after=demands, certain=False)
        return end

    def place(self, kind: Any, begin: int) -> int:
        end = self.node()
        word = self.category(sre.CATEGORY_WORD)
        if kind is sre.AT_BEGINNING_STRING or (kind is sre.AT_BEGINNING and not self.flags & re.MULTILINE):
            self.join(begin, end, before=0, certain=False)
        elif kind is sre.AT_BEGINNING:
            self.join(begin, end, before=self.char(10), certain=False)
        elif kind is sre.AT_BOUNDARY:
            self.join(begin, end, before=word, after=self.every() & ~word, certain=False)
            self.join(begin, end, before=self.every() & ~word, after=word, certain=False)
        elif kind is sre.AT_NON_BOUNDARY:
            self.join(begin, end, certain=False)
        elif kind is sre.AT_END_STRING:
            self.join(begin, end, after=0, at_end=True)
        else:
            self.join(begin, end, after=self.char(10), certain=False)
        return end


def _union(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


@dataclass(frozen=True)
class _Step:
    """From one position that reads to the next."""

    target: int
    reads: int
    before: int
    counted: bool
    twice: bool = False
    """There are several ways."""


@dataclass
class _Positions:
    """The automaton without edges that read nothing."""

    steps: dict[int, list[_Step]]
    ends: set[int]
    """Positions from which the match ends, whatever follows."""
    sure: set[int]
    """Those from which it ends at the end of the text, whatever comes before that."""
    loops: list[set[int]]
    """Positions that lead back to themselves without end."""


_BEGIN = 0
_PATHS = 400
"""Ways between two positions that are examined; with more, there are several."""


def _positions(automaton: _Automaton, end: int) -> _Positions:
    steps: dict[int, list[_Step]] = {}
    ends: set[int] = set()
    at_end: set[int] = set()
    for node in (_BEGIN, *automaton.reads):
        ways: dict[int, list[_Edge]] = {}
        for count, way in enumerate(_ways(automaton, node, frozenset(), _Edge(node))):
            if way.target == end and way.certain and way.before == -1:
                (at_end if way.at_end else ends).add(node)
            if way.target in automaton.reads:
                ways.setdefault(way.target, []).append(way)
            if count > _PATHS * len(automaton.edges):
                raise NotImplementedError("too many ways")
        steps[node] = []
        for target, some in ways.items():
            for way in some:
                reads = automaton.reads[target] & way.after
                twice = any(other is not way and other.after & way.after & reads for other in some)
                steps[node].append(_Step(target, reads, way.before, way.counted, twice))
    # A loop that reads anything, up to the end if need be, cannot fail.
    every = automaton.every()
    sure = {node for node in ends | at_end for step in steps[node] if step.target == node and step.reads == every}
    return _Positions(steps, ends | sure, sure, _components(steps))


def _ways(automaton: _Automaton, node: int, seen: frozenset[int], so_far: _Edge) -> Iterator[_Edge]:
    """Every way without circles to a position that reads, or to a node without edges."""
    for edge in automaton.edges[node]:
        if edge.target in seen:
            continue
        way = _Edge(
            edge.target,
            so_far.before & edge.before,
            so_far.after & edge.after,
            so_far.certain and edge.certain,
            so_far.counted or edge.counted,
            so_far.at_end or edge.at_end,
        )
        if edge.target in automaton.reads:
            yield way
            continue
        if not automaton.edges[edge.target]:
            yield way
        yield from _ways(automaton, edge.target, seen | {edge.target}, way)


def _components(steps: dict[int, list[_Step]]) -> list[set[int]]:
    """Sets of positions that reach each other in endless loops."""
    reach: dict[int, set[int]] = {}
    for node in steps:
        found, left = set(), [node]
        while left:
            for step in steps[left.pop()]:
                if not step.counted and step.reads and step.target not in found:
                    found.add(step.target)
                    left.append(step.target)
        reach[node] = found
    loops: list[set[int]] = []
    for node, found in reach.items():
        if node in found and not any(node in loop for loop in loops):
            loops.append({other for other in found if node in reach[other]})
    return loops


def problem(  # noqa: C901  three questions
    pattern: Any, *, search: bool = True, whole: bool = False
) -> str:
    """Why an expression may take more than linear time; empty if it is proved that it does not.

    Args:
        pattern: The compiled expression, of `re` or of `regex`.
        search: It is searched for; otherwise it is tried at one place only.
        whole: It must match to the end of the text.
    """
    inside = _made(pattern, _FEW)
    fine = inside.sure if whole else inside.ends
    for loop in inside.loops:
        if _ambiguous(inside, loop):
            return "a loop reads the same in two ways: exponential"
    for one in inside.loops:
        for other in inside.loops:
            for p in one:
                for q in other:
                    if p != q and q not in fine and _meet(inside, p, q, one, other - fine):
                        return "two loops read the same one after the other: quadratic"
    if search:
        outside = _made(pattern, _SOME)
        for loop in outside.loops:
            # A loop through a place where the match may end costs only what the match consumes.
            if any(_found_within(outside, q, loop - outside.ends) for q in loop - outside.ends):
                return "a search begins anew within what a loop has read: quadratic"
    return ""


def _made(pattern: Any, most: int) -> _Positions:
    source = pattern.pattern
    if not isinstance(pattern, re.Pattern):
        source = _as_re(source)
    flags = pattern.flags & (re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE | re.ASCII)
    tree = _parser.parse(source, flags)
    flags |= tree.state.flags & (re.IGNORECASE | re.MULTILINE | re.DOTALL | re.ASCII)
    alphabet: str | bytes = bytes(range(256))
    if isinstance(source, str):
        edges = {code + more for code in _codes(tree) for more in (-1, 0, 1) if 127 < code + more < 0x110000}
        alphabet = "".join(sorted({*map(chr, range(128)), *_SAMPLES, *map(chr, edges)}))
    automaton = _Automaton(alphabet, flags, most)
    begin = automaton.node()
    assert begin == _BEGIN
    last, end = automaton.sequence(tree, begin), automaton.node()
    automaton.join(last, end)
    return _positions(automaton, end)


def _as_re(source: str) -> str:
    """An expression of `regex` for `re`: properties of characters become samples of them, possessive sets stay."""
    source = source.replace("(?V1)", "")
    source = re.sub(r"\[\[((?:\\p\{\w+\})+)\]--\[[^\]]*\]\]", r"[\1]", source)
    return re.sub(r"\\p\{(\w+)\}", lambda found: r"\w" if len(found[1]) == 1 else "\u4e00", source)


def _codes(tree: Any) -> Iterator[int]:
    """Every character that an expression names."""
    if isinstance(tree, tuple) and len(tree) == 2 and tree[0] in (sre.LITERAL, sre.NOT_LITERAL):
        yield tree[1]
    elif isinstance(tree, tuple) and len(tree) == 2 and tree[0] is sre.RANGE:
        yield from tree[1]
    elif isinstance(tree, tuple | list | _parser.SubPattern):
        for part in tree:
            yield from _codes(part)


def _ambiguous(found: _Positions, loop: set[int]) -> bool:
    """Whether some word leads from a position back to itself in two ways."""
    steps = {node: [step for step in found.steps[node] if step.target in loop] for node in loop}
    if any(step.twice for some in steps.values() for step in some):
        return True

    def next_to(pair: tuple[int, int]) -> Iterator[tuple[int, int]]:
        for one in steps[pair[0]]:
            for other in steps[pair[1]]:
                if one.reads & other.reads:
                    yield one.target, other.target

    for node in loop:
        apart = {pair for pair in _reached((node, node), next_to) if pair[0] != pair[1]}
        if any((node, node) in _reached(pair, next_to) for pair in apart):
            return True
    return False


def _meet(found: _Positions, p: int, q: int, one: set[int], other: set[int]) -> bool:
    """Whether a word leads from p to p, from p to q and from q to q."""

    def next_to(places: tuple[int, int, int]) -> Iterator[tuple[int, int, int]]:
        for a in found.steps[places[0]]:
            if a.target not in one:
                continue
            for c in found.steps[places[2]]:
                if c.target not in other or not a.reads & c.reads:
                    continue
                for b in found.steps[places[1]]:
                    if a.reads & b.reads & c.reads:
                        yield a.target, b.target, c.target

    return (p, q, q) in _reached((p, p, q), next_to)


def _found_within(found: _Positions, q: int, loop: set[int]) -> bool:  # noqa: C901  one search
    """Whether a word leads from before the match to q and from q to q, when it is repeated."""
    starts = [step for step in found.steps[_BEGIN] if step.before]
    kinds = sorted({step.before for step in starts} - {-1})

    def marks(chars: int) -> Iterator[tuple[tuple[bool, ...], int]]:
        """What a last character may be, as far as beginnings of the match ask for it."""
        parts: dict[tuple[bool, ...], int] = {(): chars}
        for kind in kinds:
            parts = {
                (*mark, inside): left
                for mark, some in parts.items()
                for inside, left in ((True, some & kind), (False, some & ~kind))
                if left
            }
        yield from parts.items()

    def next_to(places: tuple[int, int, tuple[bool, ...]]) -> Iterator[tuple[int, int, tuple[bool, ...]]]:
        at, there, last = places
        for c in found.steps[there]:
            if c.target not in loop:
                continue
            if at == _BEGIN:
                for mark, _ in marks(c.reads):
                    yield _BEGIN, c.target, mark
            for b in starts if at == _BEGIN else found.steps[at]:
                fits = at != _BEGIN or b.before == -1 or last[kinds.index(b.before)]
                if fits and b.reads & c.reads:
                    for mark, _ in marks(b.reads & c.reads):
                        yield b.target, c.target, mark

    every = [()] if not kinds else [tuple(bool(n >> k & 1) for k in range(len(kinds))) for n in range(1 << len(kinds))]
    return any((q, q, last) in _reached((_BEGIN, q, last), next_to) for last in every)


def _reached(begin: Any, next_to: Any) -> set[Any]:
    """All that is reached in one step or more."""
    found: set[Any] = set()
    left = [begin]
    while left:
        for one in next_to(left.pop()):
            if one not in found:
                found.add(one)
                left.append(one)
    return found
