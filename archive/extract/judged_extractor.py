"""Two witnesses and a judge: our own text, trafilatura's, or the blocks of both, by the evidence for each. No I/O.

trafilatura is asked only if our own text leaves a doubt, so that most pages cost no more than one extraction. The judge
is a linear function of `Evidence`; its weights are the same for every candidate, whoever made it, so that it has no
favourite. `bench/judge.py` fits them, by site-wise cross-validation, on pages as they look to rules that do not know
them; docs/text.md shows what each is worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

from archive.extract import own_extractor, trim
from archive.extract.blocks import Block
from archive.extract.evidence import Evidence, Measured
from archive.extract.extractor import Extractor, Judgement, Page, Post
from archive.extract.feed_hints import FeedHints
from archive.extract.own_extractor import OwnExtractor
from archive.extract.words import count

WEIGHTS = Evidence(
    coverage=-4.64, size=1.81, links=-1.09, holes=-4.23, gap=-5.05, summary=3.37, sentences=2.15, named=-6.55
)
"""What each measure of a candidate is worth."""
DOUBT = Evidence(
    coverage=1.79, size=-0.07, links=3.69, holes=6.82, gap=4.68, summary=-1.61, sentences=-4.01, named=10.13
)
"""What each measure of our own text says about the chance that the judge would choose another one."""
CERTAIN = -2.84
"""The sum of these below which trafilatura is not asked."""
MARGIN = 1.0
"""How much better than our own text another must be, in logarithms of the odds: a change of witness on slight evidence
would make texts of one post differ from one capture to the next."""
_ENTRY = 6.0
"""What the share of the feed entry's blocks that a candidate has is worth; not fitted, for the feed is the author's."""
_PROVED = 0.9
"""Share of a whole post in a feed from which on a text that has it is not doubted."""
_FEW_WORDS = 10
"""Words below which what trafilatura finds is a label rather than a text."""
_MOST_OF_IT = 0.8
"""Share of trafilatura's words that must be found in blocks of the page for the two to be compared."""
_MUCH_MORE = 2
"""How many times longer than ours it must be to be taken where they cannot be, or where ours is short."""
_MOSTLY = 0.5
"""Share of trafilatura's words above which they are in the element that our rules take for the body."""
_SHORT = 200
"""Characters below which our text may be a fragment."""


class JudgedExtractor:
    """The better of two texts, or both together."""

    name = "judged"

    def __init__(self, own: OwnExtractor, other: Extractor) -> None:
        """`own` is asked first, `other` in doubt."""
        self._own, self._other = own, other

    def post(self, page: Page) -> Post:
        """The post of a page."""
        ask = cache(partial(self._other.post, page))
        found = own_extractor.find(page)
        if page.witness is not None:
            return own_extractor.checked(self._by(page.witness, page, found, ask()), page)
        made = own_extractor.checked(self._chosen(page, found, ask) if found else Post(), page)
        return made if made.text else self._instead(page, made, ask())

    def _chosen(self, page: Page, found: own_extractor.Found, ask: Callable[[], Post]) -> Post:
        ours = found.post()
        measured = Measured.of(page.outline)
        doubt = _sum(DOUBT, measured.evidence(found.blocks))
        is_certain = doubt < CERTAIN and len(ours.text) >= _SHORT
        if not _is_denied(page.hints, found.blocks) and (is_certain or _is_proved(page.hints)):
            return replace(ours, judgement=Judgement(self._own.name, 1.0 - _odds(doubt) / 2, asked=False))
        return self._judged(page, measured, found, ours, ask())

    def _by(self, witness: str, page: Page, found: own_extractor.Found | None, theirs: Post) -> Post:
        """The text that this witness has of the page; trafilatura's own words where they are in no blocks of it."""
        candidates = candidates_of(page, found, theirs) if found else {}
        ours = found.post() if found else Post()
        if witness in candidates and witness != self._own.name:
            made = Post.of(candidates[witness], comments=ours.comments or theirs.comments)
        else:
            made = theirs if witness == self._other.name else ours
        return replace(made, judgement=Judgement(witness, 0.5, asked=True))

    def _instead(self, page: Page, ours: Post, theirs: Post) -> Post:
        """What trafilatura finds where we find nothing."""
        if count(theirs.text) < _FEW_WORDS:
            return ours
        judgement = Judgement(self._other.name, 0.5, asked=True)
        return own_extractor.checked(
            replace(theirs, comments=ours.comments or theirs.comments, judgement=judgement), page
        )

    def _judged(self, page: Page, measured: Measured, found: own_extractor.Found, ours: Post, theirs: Post) -> Post:
        if len(ours.text) < _SHORT:
            theirs = _without_what_stands_beside(theirs, found)
        candidates = candidates_of(page, found, theirs)
        if len(candidates) == 1:
            return self._unplaced(ours, theirs)
        scores = {name: _score(measured.evidence(blocks), page.hints, blocks) for name, blocks in candidates.items()}
        scores[self._own.name] += MARGIN
        if len(ours.text) < _SHORT and len(theirs.text) >= _MUCH_MORE * len(ours.text):
            scores[self._own.name] = -math.inf
        first, second, *_ = sorted(scores, key=lambda name: scores[name], reverse=True)
        judgement = Judgement(first, _odds(scores[first] - scores[second]), asked=True)
        if first == self._own.name:
            return replace(ours, judgement=judgement)
        return Post.of(candidates[first], comments=ours.comments or theirs.comments, judgement=judgement)

    def _unplaced(self, ours: Post, theirs: Post) -> Post:
        """The choice where trafilatura finds nothing, or words that are not found in blocks of the page."""
        if count(theirs.text) >= max(_FEW_WORDS, _MUCH_MORE * count(ours.text)):
            return replace(theirs, judgement=Judgement(self._other.name, 0.5, asked=True))
        return replace(ours, judgement=Judgement(self._own.name, 0.5 if theirs.text else 1.0, asked=True))


def _without_what_stands_beside(theirs: Post, found: own_extractor.Found) -> Post:
    """Their text without comments and boxes that are named as boilerplate, which are long beside a short post."""
    beside = {*found.body.comments, *found.body.left_out}
    kept = [block for block in theirs.blocks if not block.is_within(beside)]
    return theirs if len(kept) == len(theirs.blocks) else Post.of(kept, comments=theirs.comments)


def candidates_of(page: Page, found: own_extractor.Found, theirs: Post) -> dict[str, Sequence[Block]]:
    """The texts among which the judge chooses, by name."""
    listed: dict[str, Sequence[Block]] = {"pressmark": found.blocks}
    other = list(theirs.blocks)
    if count(theirs.text) >= _FEW_WORDS and _is_in(theirs.text, other):
        other = [block for block in other if trim.is_own(block)]
        if page.site is not None:
            other = own_extractor.without_recurring(other, page.site)
        listed["trafilatura"] = other = _without_small_boxes(other, found)
        listed["joined"] = _joined(found.blocks, other, page.blocks)
    return listed


def _without_small_boxes(blocks: list[Block], found: own_extractor.Found) -> list[Block]:
    """Blocks without the widgets and notices amid the post, if both agree on where the post is.

    What our rules leave out within the body is small beside it, so that it is no evidence of a body that they missed.
    """
    body = {found.body.element}
    within = [block for block in blocks if block.is_within(body)]
    if sum(count(block.plain) for block in within) <= _MOSTLY * sum(count(block.plain) for block in blocks):
        return blocks
    return [block for block in blocks if not block.is_within(found.body.dropped)]


def _joined(ours: Sequence[Block], theirs: Sequence[Block], page: Sequence[Block]) -> list[Block]:
    """The blocks of both in the page's order, each once; ours as we wrote them."""
    place = {id(block): at for at, block in enumerate(page)}
    first = {block.element: at for at, block in reversed(list(enumerate(page))) if block.element is not None}
    own = {block.element for block in ours} | {block.plain for block in ours}
    at, placed = 0, []
    for block in ours:
        at = max(at, first.get(block.element, at)) if block.element is not None else at
        placed.append((at, block))
    placed += [(place[id(block)], block) for block in theirs if block.element not in own and block.plain not in own]
    return [block for _, block in sorted(placed, key=lambda one: one[0])]


def _score(evidence: Evidence, hints: FeedHints | None, blocks: Sequence[Block]) -> float:
    known = hints.share_in(blocks) if hints is not None else 0.0
    return _sum(WEIGHTS, evidence) + _ENTRY * known


def _sum(weights: Evidence, evidence: Evidence) -> float:
    return sum(weight * measure for weight, measure in zip(weights.as_tuple(), evidence.as_tuple(), strict=True))


def _is_proved(hints: FeedHints | None) -> bool:
    """Whether the feed has the whole post, so that it shows whether a text is the post."""
    return hints is not None and hints.is_whole


def _is_denied(hints: FeedHints | None, blocks: Sequence[Block]) -> bool:
    return hints is not None and hints.is_whole and hints.share_in(blocks) < _PROVED


def _is_in(text: str, blocks: Sequence[Block]) -> bool:
    """Whether blocks of the page have most of a text."""
    return sum(count(block.plain) for block in blocks) >= _MOST_OF_IT * count(text)


def _odds(logarithm: float) -> float:
    """The probability for a logarithm of odds."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logarithm))))
