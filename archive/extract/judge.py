"""The judgement on a page: is it the post, or what else is it? Pure rules, no I/O.

There are two independent witnesses. What the feed says about the post - its title, its words - says which post it should
be; the structure of the page says what the page is. A page with the entry's words is the post, whatever is beside them. A
page without any of them is something else, in every language; its structure only gives that a name. Where the entry says
too little to be a witness, the structure decides what is plain, and doubts are left to the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from archive.extract import words
from archive.extract.blocks import plain_text
from archive.extract.feed_hints import FeedHints
from archive.extract.feed_text import entry_blocks
from archive.extract.page_signs import COMMENTS, DIALOG, FRAME, Signs, leads_to_login, names_error, walls
from archive.extract.text import Entry, Text
from archive.extract.verdict import Kind, Verdict
from archive.extract.words import Content

_RUNNING = 60
"""Words of running text from which on a page has a text of its own."""
_FEW = 30
_TINY = 15
_ENOUGH = 20
"""Content words of an entry that must all but all be missing for a page to be another one, however long it is."""
_SOME = 6
"""Those that must be missing if the page has next to no text."""

_QUOTED = 0.3
"""Share of the entry's pairs of words from which on the page has its text."""
_MIN_PAIRS = 2
_SAME_WORDS = 0.7
"""Share of the entry's words from which on it has, in whatever order."""
_MIN_WORDS = 8
_NO_PAIRS = 0.06
_NO_WORDS = 0.3
"""Shares up to which the page has not."""

_TITLE = 0.6
"""Share of the words of the entry's title from which on a heading is that title."""
_HEADING = 0.3
"""Share of the heading's words that must be of the title."""
_NO_TITLE = 0.34
"""Share up to which the page does not have the title."""
_MIN_PHRASE = 8
"""Letters of a title that is looked for in the text."""
_PATH = 200
_REFRESH_SECONDS = 60
_TEASER = 60
"""Words by which a page can be longer than the entry and still have no more than a teaser."""
_MAX_TEASER = 200
_BEGINNING = 400
"""Characters of a text that are searched for an error message."""
_SAME_EVERYWHERE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What an entry says about a page."""

    size: int = 0
    """Distinct content words that the entry has besides its title."""
    words: float = 0.0
    """Share of them that the page has."""
    pairs: float = 0.0
    """Share of the pairs of neighbouring ones."""
    count: int = 0
    """Words of the entry."""
    has_phrase: bool = False
    """The page has the whole text of the entry, word for word."""
    is_whole: bool = False
    """The entry seems to be the whole post."""
    in_headings: bool = False
    """The entry's title is a heading of the page."""
    in_head: bool = False
    """It is in the head of the page."""
    in_text: bool = False
    """It is somewhere in the text of the page."""
    missing: bool = False
    """It is nowhere on the page."""

    @property
    def agrees(self) -> bool:
        """Whether the page has the entry's words."""
        return (
            self.has_phrase
            or (self.size >= _MIN_PAIRS + 1 and self.pairs >= _QUOTED)
            or (self.size >= _MIN_WORDS and self.words >= _SAME_WORDS)
        )

    @property
    def denies(self) -> bool:
        """Whether the page has next to none of them."""
        return self.size > 0 and not self.has_phrase and self.pairs <= _NO_PAIRS and self.words <= _NO_WORDS

    @property
    def has_title(self) -> bool:
        """Whether readers see the title on the page."""
        return self.in_headings or self.in_text


def testimony(entry: Entry | None, signs: Signs, text: str) -> Testimony:
    """What an entry says about a page with these signs and this extracted text."""
    if entry is None:
        return Testimony()
    said = plain_text(entry_blocks(entry.html, signs.url))
    title = entry.title or ""
    main = signs.main_text
    page = Content.of(f"{main}\n{text}")
    own = Content.of(said)
    about = own.words - Content.of(title).words
    hints = FeedHints.of(entry.html)
    is_in_headings = any(
        _is_title(title, heading.text)
        for heading in signs.headings
        if not heading.flags & (COMMENTS | DIALOG)
        and (heading.level == 1 or not heading.flags & FRAME)
        and (heading.links_to is None or _bare(heading.links_to) == _bare(signs.url) or heading.level == 1)
    )
    is_in_head = any(_is_title(title, one) for one in signs.titles)
    is_in_text = _is_phrase(title, main) or _is_phrase(title, text)
    everything = Content.of("\n".join([*signs.titles, *(heading.text for heading in signs.headings), main, text]))
    named = Content.of(title)
    return Testimony(
        size=len(about),
        words=len(about & page.words) / len(about) if about else 0.0,
        pairs=own.share_of_pairs(page),
        count=words.count(said),
        has_phrase=_is_phrase(said, main) or _is_phrase(said, text),
        is_whole=hints is not None and hints.is_whole,
        in_headings=is_in_headings,
        in_head=is_in_head,
        in_text=is_in_text,
        missing=bool(named.words)
        and not (is_in_headings or is_in_head or is_in_text)
        and named.share_of_words(everything) <= _NO_TITLE,
    )


def judge(
    signs: Signs, said: Testimony, text: Text, *, asked: str | None, front: str | None, has_entry: bool
) -> Verdict | None:
    """Why a page is not the post; None if it is.

    Args:
        signs: The structure of the page.
        said: What the post's entry says about it.
        text: What was extracted from it.
        asked: The URL that was requested, if another one answered.
        front: The front page of the blog.
        has_entry: Whether there is an entry at all.
    """
    led = _by_address(signs, said, asked, front)
    if led is not None:
        return led
    if said.agrees:
        return None
    paid = _paywall(signs, said, text)
    if paid is not None:
        return paid
    found = _named(signs, said, text)
    if found is not None:
        return _weighed(found, signs, said, has_entry=has_entry)
    return _unnamed(signs, said, front, text, has_entry=has_entry)


# -- address


def _by_address(signs: Signs, said: Testimony, asked: str | None, front: str | None) -> Verdict | None:
    """What the address that answered shows."""
    if asked is None or _bare(asked) == _bare(signs.url):
        return None
    came, wanted = urlsplit(signs.url), urlsplit(asked)
    is_front = bool(front and _bare(signs.url) == _bare(front)) or not came.path.strip("/")
    is_deeper = bool(wanted.path.strip("/") or wanted.query) and not (front and _bare(asked) == _bare(front))
    if is_front and is_deeper and not (came.query and came.query == wanted.query):
        if said.agrees and (said.in_head or said.in_headings):
            return None
        return Verdict(kind="front", reason=f"leads to {signs.url}, the front page", certain=True)
    if said.agrees:
        return None
    if walls().consent_hosts.search(came.hostname or "") and not walls().consent_hosts.search(wanted.hostname or ""):
        return Verdict(kind="consent", reason=f"leads to {came.hostname}, which asks for consent", certain=True)
    if leads_to_login(signs.url) and not leads_to_login(asked):
        return Verdict(kind="login", reason=f"leads to {came.path}, where people log in", certain=True)
    if _returns_to(signs.url, wanted.path) and not (said.has_title or said.in_head) and signs.running < _RUNNING:
        kind: Kind = "login" if signs.login else "consent" if signs.consent_mark else "other"
        return Verdict(kind=kind, reason=f"leads to {came.path}, which would lead back to the post", certain=True)
    return None


def _returns_to(url: str, path: str) -> bool:
    """Whether the query of a URL contains the path of the page that was asked for."""
    bare = path.rstrip("/")
    return bool(bare) and any(bare in value for _, value in parse_qsl(urlsplit(url).query))


# -- structure


@dataclass(frozen=True, slots=True)
class _Suspicion:
    kind: Kind
    reason: str
    is_strong: bool
    """The structure leaves no room for a post."""


def _paywall(signs: Signs, said: Testimony, text: Text) -> Verdict | None:
    """A page that offers the post for money, or for an account, and shows a part of it."""
    mark = "it is marked as not free" if signs.not_free else signs.paywall
    if mark is None:
        return None
    size = words.count(text.text)
    if said.size >= _ENOUGH and said.is_whole:
        return Verdict(kind="paywall", reason=f"{mark}, and it has little of what the feed has", certain=True)
    if size < _FEW and not said.denies and signs.not_free and signs.paywall:
        return Verdict(kind="paywall", reason=f"{mark}, and has {size} words", certain=bool(said.size))
    return None


def _named(signs: Signs, said: Testimony, text: Text) -> _Suspicion | None:
    """What the structure of a page says that it is, if it has no text of its own."""
    running = signs.running
    if signs.refresh is not None and signs.refresh[0] <= _REFRESH_SECONDS and running < _FEW:
        if _bare(signs.refresh[1]) != _bare(signs.url):
            return _Suspicion("refresh", f"leads on to {signs.refresh[1]} and says little itself", is_strong=True)
    if running + signs.in_forms >= _RUNNING and not _is_gate(signs):
        return _error(signs, text) if running < 2 * _RUNNING else None
    if signs.challenge and running < _RUNNING and not signs.login:
        is_strong = running < _FEW or signs.is_bare
        return _Suspicion("challenge", f"tests who asks ({signs.challenge}) and says little else", is_strong=is_strong)
    if signs.login and running < _RUNNING:
        return _Suspicion("login", f"has {signs.login} and little else", is_strong=True)
    if (found := _error(signs, text)) is not None:
        return found
    if (found := _consent(signs)) is not None:
        return found
    return _script(signs, said)


def _is_gate(signs: Signs) -> bool:
    """Whether the main part of a page is a form."""
    return signs.in_forms > signs.running


def _error(signs: Signs, text: Text) -> _Suspicion | None:
    titles = [*signs.titles, *(heading.text for heading in signs.headings if not heading.flags & (FRAME | COMMENTS))]
    named = next((title for title in titles if names_error(title)), None)
    if named is not None:
        return _Suspicion("error", f"is titled “{named[:80]}”", is_strong=signs.running < _RUNNING)
    if signs.running < _RUNNING and names_error((text.text or signs.main_text)[:_BEGINNING]):
        return _Suspicion("error", "says that there is no such page", is_strong=False)
    return None


def _consent(signs: Signs) -> _Suspicion | None:
    if signs.running >= _RUNNING and not _is_gate(signs):
        return None
    rest = signs.running + signs.in_forms
    if signs.consent > max(2 * rest, _TINY) and not signs.media:
        return _Suspicion("consent", "asks for consent and says little else", is_strong=rest < _TINY)
    if signs.consent_mark and (signs.buttons or signs.in_forms) and not signs.media:
        is_strong = signs.is_bare or _is_gate(signs)
        return _Suspicion(
            "consent", f"asks for consent ({signs.consent_mark}) and says little else", is_strong=is_strong
        )
    return None


def _script(signs: Signs, said: Testimony) -> _Suspicion | None:
    """A page that scripts would fill."""
    if not signs.scripts or signs.media or signs.running >= _TINY:
        return None
    headings = sum(words.count(heading.text) for heading in signs.headings if not heading.flags & FRAME)
    rest = signs.main_words - headings
    asks = "javascript" in signs.main_text.casefold() or "javascript" in "".join(signs.aside).casefold()
    if signs.main_words == 0:
        is_strong = bool(signs.noscript or signs.holes)
        reason = (
            "has no words but those for readers without scripts" if signs.noscript else "has no words without scripts"
        )
        return _Suspicion("script", reason, is_strong=is_strong)
    if rest <= _TINY and (signs.noscript or asks or signs.holes):
        is_strong = not said.has_title and (asks or (signs.noscript > 0 and rest <= 3))
        return _Suspicion("script", "has next to no words without scripts", is_strong=is_strong)
    return None


# -- weighing


def _weighed(found: _Suspicion, signs: Signs, said: Testimony, *, has_entry: bool) -> Verdict | None:
    """A verdict on a page whose structure says that it is not the post, by what its entry says."""
    kind, reason = found.kind, found.reason
    certain = Verdict(kind=kind, reason=reason, certain=True)
    doubt = Verdict(kind=kind, reason=reason, certain=False)
    if said.denies and said.size >= (_SOME if signs.running < _RUNNING and not said.in_headings else _ENOUGH):
        if not (said.in_headings and signs.media):
            return certain
    if said.missing:
        if found.is_strong or (signs.running < _FEW and signs.is_bare and not signs.media):
            return certain
        return doubt
    if said.has_title:
        if found.is_strong and kind in ("login", "challenge") and signs.running < _FEW and not signs.media:
            return certain
        return None
    if not found.is_strong:
        return doubt if signs.running < _RUNNING else None
    if has_entry and said.in_head and signs.media:
        return None
    if signs.articles and (signs.running >= _TINY or signs.media):
        return doubt
    return certain


def _unnamed(signs: Signs, said: Testimony, front: str | None, text: Text, *, has_entry: bool) -> Verdict | None:
    """A verdict on a page whose structure has no name, by what its entry says."""
    if said.denies and said.size >= _SOME and front and _is_foreign(signs, front):
        return Verdict(
            kind="foreign",
            reason=f"is a page of {urlsplit(signs.url).hostname}, which does not link to the blog",
            certain=True,
        )
    is_front = (
        front
        and any(stated and _bare(stated) == _bare(front) for stated in (signs.canonical, signs.og_url))
        and _bare(signs.url) != _bare(front)
    )
    if is_front and not said.has_title and not said.in_head:
        return Verdict(
            kind="front", reason="says that it is the front page", certain=said.denies and said.size >= _SOME
        )
    no_title = said.missing or not (said.has_title or said.in_head)
    if said.denies and said.size >= _ENOUGH and no_title:
        return Verdict(kind="other", reason=f"has none of the entry's {said.size} words, nor its title", certain=True)
    if said.denies and said.size >= _SOME and no_title and signs.running < _FEW and not signs.media:
        return Verdict(kind="other", reason=f"has none of the entry's {said.size} words, nor its title", certain=True)
    if said.denies and said.size >= _ENOUGH and not said.in_headings and signs.running < _TINY and not signs.media:
        return Verdict(kind="other", reason=f"has none of the entry's {said.size} words", certain=True)
    if said.missing:
        if signs.running < _RUNNING and signs.is_bare and not signs.media:
            return Verdict(
                kind="other", reason="is short, and nothing shows that it is a page of the blog", certain=True
            )
        if signs.running < _RUNNING:
            return Verdict(kind="other", reason="does not have the entry's title", certain=False)
    if not has_entry and signs.running < _FEW and signs.is_bare and not signs.media:
        return Verdict(
            kind="other",
            reason=f"has {words.count(text.text)} words, and nothing shows that it is a post",
            certain=False,
        )
    return None


def _is_foreign(signs: Signs, front: str) -> bool:
    """Whether a page is of another site, and does not link to the blog."""
    return False


def same_page_everywhere(one: str, other: str) -> bool:
    """Whether a page that cannot exist has the same words as a page, except for a few: then that is not a post."""
    ours, theirs = frozenset(words.words(one)), frozenset(words.words(other))
    if not ours or not theirs:
        return ours == theirs
    return min(words.overlap(ours, theirs), words.overlap(theirs, ours)) >= _SAME_EVERYWHERE


# -- titles and addresses


def _is_title(title: str, heading: str) -> bool:
    """Whether a heading is a title, perhaps with something added."""
    if not title.strip() or not heading:
        return False
    if (wanted := words.letters(title)) and wanted == words.letters(heading):
        return True
    own, there = frozenset(words.words(title)), frozenset(words.words(heading))
    common = len(own & there)
    return common >= _TITLE * len(own) and common >= _HEADING * len(there) and common > 0


def _is_phrase(phrase: str, text: str) -> bool:
    """Whether a text contains a phrase, whatever its punctuation."""
    wanted = words.letters(phrase)
    return len(wanted) >= (_MIN_PHRASE if wanted.isascii() else _MIN_PHRASE // 2) and wanted in words.letters(text)


def _bare(url: str) -> str:
    """A URL as far as it names a page."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}"
