"""Where on a page the post is, and what within it is not the post. No I/O.

The page is measured (`archive.extract.measure`). What `boilerplate.toml` names as boilerplate does not count. The body
is the element that has a name which blog software gives to it, or else the smallest with most of the running text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from lxml.html import HtmlElement

from archive.extract import boilerplate
from archive.extract.boilerplate import Kind
from archive.extract.measure import HEADINGS, Layout

_NO_CONTAINER = frozenset(
    "p ul ol table blockquote pre li tr tbody thead tfoot dl dd dt figure h1 h2 h3 h4 h5 h6 a b strong em i".split()  # noqa: SIM905
)
_TABLE = frozenset({"table", "tbody", "thead", "tfoot", "tr"})
_ROOTS = frozenset({"html", "body", "main"})
_BOXES = frozenset({"aside", "nav", "footer", "form"})
_LISTS = frozenset("div ul ol section table dl li p header figure".split())  # noqa: SIM905
_TEXTS = frozenset({"p", "li", "blockquote", "pre"})
_CARDS = frozenset("div li article section a figure".split())  # noqa: SIM905
_LISTING = frozenset({"home", "blog", "archive", "search-results"})
"""Classes of `body` by which WordPress says that a page shows whole posts."""
_TITLE = 12
_TEXT = 140
"""Running text, in characters, that no class makes furniture of."""
_MOST = 0.8
_SAME = 0.85
_NAMED = 0.3
"""Share of the text in the smallest element that holds most of it, from which on one that is named as body is it."""
_LITTLE = 600
_SCANT = 100
_SHORTEST = 4
_LONGEST = 60
_BOX = 0.25
_AROUND = 200
"""Running text, in characters, before and after a list of links that makes it a part of the post."""
_LEAD = 60
_LEAD_NAMED = 30
_LEAD_LENGTH = 1_200
_MAX_LEADS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The post's place on a page."""

    element: HtmlElement
    leads: Sequence[HtmlElement]
    """Paragraphs between the post's title and its body."""
    dropped: frozenset[HtmlElement]
    """Elements that are not the post, within it or anywhere on the page not read."""
    unread: frozenset[HtmlElement]
    """Elements anywhere on the page that nobody reads, such as scripts."""
    comments: Sequence[HtmlElement]
    """What holds the readers' comments, anywhere on the page."""


def find(root: HtmlElement, *, title: str | None = None, at: HtmlElement | None = None) -> Body | None:
    """The body of the post that a page shows; None if it has no text.

    Args:
        root: The page.
        title: What the page says that the post's title is.
        at: The element that is the body, where that is known.
    """
    return _Search(root, title).body(at)


class _Search:
    """One page on its way to its body."""

    def __init__(self, root: HtmlElement, title: str | None) -> None:
        self.title = boilerplate.folded(title or "")
        self.layout = layout = Layout.of(root)
        n = len(layout.elements)
        self.names = [boilerplate.named(element) for element in layout.elements]
        self.kinds = [Kind.NONE] * n
        self.out = [False] * n
        """Does not count as the post's text."""
        self.good = [0.0] * n
        """Running text that may be the post's."""
        self.named = [
            (names.is_body or "articleBody" in (element.get("itemprop") or ""))
            and not layout.unread[i]
            and element.tag not in _NO_CONTAINER
            and element.tag not in ("html", "body")
            for i, (names, element) in enumerate(zip(self.names, layout.elements, strict=True))
        ]
        self.titles = [i for i, e in enumerate(layout.elements) if e.tag == "h1" and layout.own[i] >= _TITLE]
        self.marks = [0]
        """Marks of a post before each element: h1, article, elements that are named as body."""
        for i, element in enumerate(layout.elements):
            self.marks.append(self.marks[i] + (element.tag in ("h1", "article") or self.named[i]))
        self.total = layout.prose[0] if n else 0.0
        self.sums = [0.0, *accumulate(layout.weight)]
        """Running text before each element."""

    def body(self, at: HtmlElement | None) -> Body | None:
        if not self.total and not any(self.named) and at is None:
            at = self._only_article()
            if at is None:
                return None
        self._leave_out_frame()
        frame = list(self.out)
        self.total = max(self.total, 1.0)
        self._leave_out_boxes()
        self._leave_out_cards()
        self._count()
        for left_out in (frame, [False] * len(frame)):
            if (
                self.good[0] <= 0 < self.layout.prose[0] and not self._has_short_body()
            ):  # names on this page mean something else
                self.out = left_out
                self.kinds = [Kind.NONE] * len(frame)
                self._count()
        chosen = self._chosen() if at is None else self.layout.elements.index(at)
        if chosen is None:
            return None
        layout = self.layout
        unread = frozenset(element for i, element in enumerate(layout.elements) if layout.unread[i])
        dropped = self._dropped(chosen)
        return Body(
            element=layout.elements[chosen],
            leads=[layout.elements[i] for i in self._leads(chosen)],
            dropped=dropped | unread,
            unread=unread,
            comments=[
                element
                for i, element in enumerate(layout.elements)
                if self.kinds[i] is Kind.COMMENTS and self.out[i] and not self._has_above(i, Kind.COMMENTS)
            ],
        )

    def _only_article(self) -> HtmlElement | None:
        """Where a page without running text has its few words, such as a note or a picture's line."""
        layout = self.layout
        for tag in ("article", "main"):
            found = [element for i, element in enumerate(layout.elements) if element.tag == tag and layout.chars[i]]
            if len(found) == 1:
                return found[0]
        return None

    # -- what does not count

    def _leave_out_frame(self) -> None:
        """Navigation, footers, captions and comments, whatever their share of the page is."""
        layout = self.layout
        for i, element in enumerate(layout.elements):
            tag = element.tag
            if layout.unread[i] or tag in ("html", "body"):
                continue
            if i and self.out[layout.parent[i]]:
                self.out[i] = True
                continue
            if tag == "figcaption":
                goes = True
            elif tag in ("nav", "footer"):
                goes = not self._has_title(i)
            elif self.names[i].is_comments and tag not in ("main", "article"):
                self.kinds[i] = Kind.COMMENTS
                goes = not self._has_title(i) and not self._has_body(i)
            elif self.names[i].is_consent and tag not in ("main", "article"):
                goes = not self._has_title(i) and not self._has_body(i)
            else:
                continue
            if goes:
                self.out[i] = True
                self.total -= layout.prose[i]
        self._leave_out_under_headings()

    def _leave_out_under_headings(self) -> None:
        """What follows a heading such as "3 comments" in the same element, if a post's words are before it."""
        layout = self.layout
        for i, element in enumerate(layout.elements):
            if element.tag not in HEADINGS or self.out[i] or not _SHORTEST <= layout.chars[i] <= _LONGEST:
                continue
            if self.sums[i] < _TEXT or not boilerplate.opens_comments(" ".join("".join(element.itertext()).split())):
                continue
            above = layout.parent[i]
            j = i
            while j <= layout.end[above] and element.tag not in ("html", "body"):
                if not self._has_title(j) and not self._has_body(j) and not self.out[j]:
                    self.kinds[j] = Kind.COMMENTS
                    self.total -= layout.prose[j]
                    for k in layout.within(j):
                        self.out[k] = True
                j = layout.end[j] + 1

    def _leave_out_boxes(self) -> None:
        layout = self.layout
        for i, element in enumerate(layout.elements):
            if layout.unread[i] or self.out[i]:
                continue
            if i and self.out[layout.parent[i]]:
                self.out[i] = True
                continue
            tag = element.tag
            if tag in _ROOTS or not (element.attrib or tag in _BOXES):
                continue
            kind = self.kinds[i] = self.kinds[i] or boilerplate.kind_of(element)
            if not kind or kind is Kind.COMMENTS or tag == "article":
                continue
            if self.named[i] and layout.prose[i] > 0.2 * self.total:
                continue
            if self._is_text(i) or (not layout.block[i] and not boilerplate.is_unseen(element)):
                continue
            self.out[i] = self._is_hard(i) if kind is Kind.HARD else self._is_weak(i)

    def _is_hard(self, i: int) -> bool:
        """Whether a box that is named as furniture is furniture: not if the post seems to be in it."""
        prose, total = self.layout.prose[i], self.total
        if prose < 0.02 * total:
            return True
        if self.names[i].is_others and not any(self.named[j] for j in self.layout.within(i)):
            return prose < 0.6 * total
        if self._has_title(i):
            return prose < 0.1 * total
        if prose < 0.25 * total:
            return True
        if not self.marks[self.layout.end[i] + 1] - self.marks[i + 1] and prose < 0.6 * total:
            return True
        return any(
            self.named[j]
            and self.layout.prose[j] >= 0.15 * total
            and not self.layout.holds(i, j)
            and not self.layout.holds(j, i)
            for j in range(len(self.named))
        )

    def _is_weak(self, i: int) -> bool:
        layout = self.layout
        scant = layout.prose[i] < _SCANT or layout.link_chars[i] > 0.5 * layout.chars[i]
        return scant and layout.prose[i] < 0.25 * self.total

    def _leave_out_cards(self) -> None:
        """Teasers of other posts: siblings of one kind, each with a linked heading or picture and no long text."""
        layout = self.layout
        groups: dict[tuple[int, str, str], list[int]] = {}
        for i, element in enumerate(layout.elements):
            if layout.links[i] and layout.block[i] and not self.out[i] and element.tag in _CARDS:
                first = (element.get("class") or "").split(" ", 1)[0]
                if first or element.tag in ("li", "article"):
                    groups.setdefault((layout.parent[i], element.tag, first), []).append(i)
        for (_, tag, _), members in groups.items():
            if len(members) < (2 if tag in ("li", "article") else 3):
                continue
            if sum(layout.prose[i] for i in members) >= 0.6 * self.total or self._has_named(members):
                continue
            cards = sum(self._is_card(i) for i in members)
            if cards >= 2 and cards >= 0.7 * len(members) and not self._in_text(members):  # noqa: PLR2004
                for i in members:
                    self.kinds[i] = Kind.CARD
                    for j in layout.within(i):
                        self.out[j] = True

    def _has_named(self, members: Iterable[int]) -> bool:
        return any(
            self.named[j] and (j == i or self.layout.prose[j] >= 0.1 * self.total)
            for i in members
            for j in self.layout.within(i)
        )

    def _is_card(self, i: int) -> bool:
        layout = self.layout
        linked = False
        for j in layout.within(i):
            tag = layout.elements[j].tag
            if tag == "p" and layout.weight[j] >= 400:  # noqa: PLR2004
                return False
            if linked or (tag not in HEADINGS and tag not in ("img", "picture", "figure")):
                continue
            above = layout.ancestors(j)
            linked = any(layout.elements[k].tag == "a" for k in above[: above.index(i) + 1]) or (
                tag in HEADINGS and layout.chars[j] > 0 and layout.link_chars[j] > 0.8 * layout.chars[j]
            )
        return linked

    def _in_text(self, members: Sequence[int]) -> bool:
        """Whether more of the post's text follows the cards within what is named as its body."""
        layout = self.layout
        body = next((i for i in layout.ancestors(members[0]) if self.named[i]), None)
        return body is not None and self.sums[layout.end[body] + 1] - self.sums[layout.end[members[-1]] + 1] >= _AROUND

    # -- the body

    def _count(self) -> None:
        layout = self.layout
        good = self.good = [0.0] * len(self.out)
        for i in range(len(good) - 1, -1, -1):
            if not self.out[i]:
                good[i] += layout.weight[i]
                if i:
                    good[layout.parent[i]] += good[i]

    def _chosen(self) -> int | None:
        layout, good = self.layout, self.good
        if not good or good[0] <= 0:
            chosen = 0
        else:
            chosen = smallest = self._smallest()
            named = [i for i, is_named in enumerate(self.named) if is_named and good[i] > 0]
            if named:
                best, several = self._best(named)
                if several or good[best] >= _NAMED * good[smallest]:
                    chosen = best
        if good[chosen] < _LITTLE:  # a post of links or of verse has little running text
            firm = [i for i, is_named in enumerate(self.named) if is_named and not self.out[i]]
            longest = max(firm, key=lambda i: layout.chars[i], default=chosen)
            if layout.chars[longest] > max(2.5 * layout.chars[chosen] if good[0] > 0 else 0, 400 if good[0] > 0 else 0):
                chosen = longest if not layout.holds(longest, chosen) or good[0] <= 0 else chosen
        return chosen if chosen or good[0] > 0 else None

    def _smallest(self) -> int:
        """The smallest element that holds most of the text."""
        children: dict[int, list[int]] = {}
        for i in range(1, len(self.good)):
            if self.good[i] > 0:
                children.setdefault(self.layout.parent[i], []).append(i)
        at = 0
        while at in children:
            best = max(children[at], key=self.good.__getitem__)
            tag = self.layout.elements[best].tag
            if self.good[best] < _MOST * self.good[at] or (tag in _NO_CONTAINER and tag not in _TABLE):
                break
            at = best
        while self.layout.elements[at].tag in _TABLE:
            at = self.layout.parent[at]
        return at

    def _best(self, named: Sequence[int]) -> tuple[int, bool]:
        """Of the elements that are named as body the one that is it, and whether they belong to several posts."""
        layout, good = self.layout, self.good
        best = max(named, key=lambda i: good[i])
        for i in named:
            if good[i] >= _SAME * good[best]:
                best = i
        mark = _mark(layout.elements[best])
        alike = [i for i in named if _mark(layout.elements[i]) == mark]
        alike = [i for at, i in enumerate(alike) if at == 0 or layout.end[alike[at - 1]] < i]
        together = sum(good[i] for i in alike)
        if not any(mark[1:]) or len(alike) < 2 or together <= 1.15 * good[best]:  # noqa: PLR2004
            return best, False
        common = next(i for i in layout.ancestors(alike[0]) if layout.end[i] >= alike[-1])
        if self._lists_posts():
            return common, True
        articles = {next((j for j in layout.ancestors(i) if layout.elements[j].tag == "article"), -1) for i in alike}
        titles = [i for i in self.titles if i > alike[0]]
        if (len(articles) > 1 and -1 not in articles) or len(titles) > 1:
            return alike[0], True
        return (common, False) if good[common] <= 1.3 * together else (best, False)

    def _lists_posts(self) -> bool:
        body = next((element for element in self.layout.elements if element.tag == "body"), None)
        return body is not None and not _LISTING.isdisjoint((body.get("class") or "").split())

    def _leads(self, chosen: int) -> list[int]:
        """Paragraphs between the last title before the body and the body."""
        layout = self.layout
        title = self._last_title(chosen)
        if title is None:
            return []
        found = []
        i = layout.end[title] + 1
        while i < chosen:
            element = layout.elements[i]
            is_figure = element.tag in ("figure", "figcaption")
            if layout.end[i] < chosen and (is_figure or self.names[i].is_no_lead):
                i = layout.end[i] + 1
                continue
            is_named = self.names[i].is_lead
            scant = self.kinds[i] and layout.prose[i] < 200 and not is_named  # noqa: PLR2004
            if layout.unread[i] or self.kinds[i] is Kind.CARD or ((self.out[i] or scant) and not self._has_lead(i)):
                i = layout.end[i] + 1
            elif layout.end[i] >= chosen:
                i += 1
            elif self._is_lead(i, is_named=is_named):
                found.append(i)
                i = layout.end[i] + 1
            else:
                i += 1
        return found if len(found) <= _MAX_LEADS else []

    def _last_title(self, chosen: int) -> int | None:
        """The last heading before the body that says the post's title, or else the last of the highest rank."""
        layout = self.layout
        before = [i for i in range(chosen) if layout.elements[i].tag in HEADINGS and layout.end[i] < chosen]
        if self.title:
            for i in reversed(before):
                if boilerplate.folded("".join(layout.elements[i].itertext())) == self.title:
                    return i
        return next((i for i in reversed(self.titles) if layout.end[i] < chosen), None)

    def _has_lead(self, i: int) -> bool:
        """Whether something within an element is called a lead."""
        return any(self.names[j].is_lead for j in self.layout.within(i))

    def _is_lead(self, i: int, *, is_named: bool) -> bool:
        layout = self.layout
        own, linked = layout.own[i], layout.own_links[i]
        if is_named and layout.chars[i] <= _LEAD_LENGTH:
            return layout.chars[i] >= _LEAD_NAMED and layout.link_chars[i] < 0.3 * layout.chars[i]
        is_heading = layout.elements[i].tag in HEADINGS and _LEAD <= own <= _LEAD_LENGTH
        return (layout.weight[i] >= _LEAD or is_heading) and linked < 0.3 * own and not self.out[i]

    # -- what is in the body and not the post

    def _dropped(self, chosen: int) -> frozenset[HtmlElement]:
        layout = self.layout
        prose, chars = layout.prose[chosen] or 1.0, layout.chars[chosen] or 1
        dropped = []
        boxes = self._boxes(chosen, prose)
        i = chosen + 1
        while i <= layout.end[chosen]:
            if layout.unread[i]:
                i = layout.end[i] + 1
            elif i in boxes or self._is_dropped(i, chosen, prose, chars):
                dropped.append(layout.elements[i])
                i = layout.end[i] + 1
            else:
                i += 1
        return frozenset(dropped)

    def _boxes(self, chosen: int, prose: float) -> frozenset[int]:
        """What a heading such as "Related posts" opens: the largest element that begins with it and is not the post."""
        layout = self.layout
        found = set()
        for i in layout.within(chosen):
            own = layout.own[i]
            if not _SHORTEST <= own <= _LONGEST or layout.chars[i] > _LONGEST:
                continue
            if not boilerplate.opens_furniture(" ".join("".join(layout.elements[i].itertext()).split())):
                continue
            box = i
            while (above := layout.parent[box]) > chosen and not any(layout.own[above:i]):
                is_links = layout.link_chars[above] > 0.3 * layout.chars[above]
                if layout.prose[above] > (_BOX * prose if is_links else _AROUND):
                    break
                box = above
            if box != i:
                found.add(box)
        return frozenset(found)

    def _is_dropped(self, i: int, chosen: int, prose: float, chars: int) -> bool:
        """Whether an element of the body, which holds so much, goes."""
        layout, element = self.layout, self.layout.elements[i]
        kind = self.kinds[i]
        if not kind and self.out[i] and (element.attrib or element.tag in _BOXES):
            kind = boilerplate.kind_of(element)
        if not layout.block[i]:
            return bool(kind) and boilerplate.is_unseen(element)
        if kind is Kind.CARD or (kind is Kind.COMMENTS and self.out[i]):
            return True
        return self._is_furniture(i, kind, prose, chars) or self._is_link_list(i, chosen, prose, chars)

    def _is_furniture(self, i: int, kind: Kind, prose: float, chars: int) -> bool:
        layout = self.layout
        linked = layout.link_chars[i]
        if kind is Kind.WEAK:
            scant = layout.prose[i] < _SCANT and (linked > 0.3 * layout.chars[i] or layout.chars[i] < _LONGEST)
            return scant or linked > 0.6 * layout.chars[i]
        if not kind or self._is_text(i):
            return False
        is_others = self.out[i] and kind is Kind.HARD and self.names[i].is_others
        share = 0.6 if is_others else 0.3
        return layout.prose[i] < share * prose and layout.chars[i] < (share + 0.2) * chars

    def _is_link_list(self, i: int, chosen: int, prose: float, chars: int) -> bool:
        """Whether an element holds links and little else, at the beginning or the end of the body."""
        layout, tag = self.layout, self.layout.elements[i].tag
        is_links = layout.link_chars[i] > 0.7 * layout.chars[i] and layout.prose[i] < 0.05 * prose
        many = layout.links[i] >= 2 or (layout.chars[i] < 200 and tag != "p")  # noqa: PLR2004
        if not is_links or not many or tag not in _LISTS or not 0 < layout.chars[i] < 0.4 * chars:
            return False
        if layout.prose[chosen] < _LITTLE and self.named[chosen]:  # a post of links
            return False
        before = self.sums[i] - self.sums[chosen]
        after = self.sums[layout.end[chosen] + 1] - self.sums[layout.end[i] + 1]
        return before < _AROUND or after < _AROUND

    # -- marks of a post

    def _is_text(self, i: int) -> bool:
        return self.layout.weight[i] >= _TEXT and self.layout.elements[i].tag in _TEXTS

    def _has_title(self, i: int) -> bool:
        return any(i < title <= self.layout.end[i] for title in self.titles)

    def _has_body(self, i: int) -> bool:
        """Whether what is named as comments seems to hold the post."""
        prose = self.layout.prose
        if self.named[i] and prose[i] > 0.5 * self.total:
            return True
        if self.marks[self.layout.end[i] + 1] == self.marks[i + 1]:
            return False
        return any(self.named[j] and prose[j] > 0.3 * prose[i] for j in range(i + 1, self.layout.end[i] + 1))

    def _has_short_body(self) -> bool:
        """Whether an element that is named as body, and counts, has words at all."""
        return any(
            named and not out and chars >= _TEXT
            for named, out, chars in zip(self.named, self.out, self.layout.chars, strict=True)
        )

    def _has_above(self, i: int, kind: Kind) -> bool:
        return any(self.kinds[j] is kind for j in self.layout.ancestors(i)[1:])


def _mark(element: HtmlElement) -> tuple[str, str | None, str | None]:
    """What tells elements of one kind from others."""
    return str(element.tag), element.get("class"), element.get("itemprop")
