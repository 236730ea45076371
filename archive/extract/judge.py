"""The judgement on a page: is it the post, or what else is it? Pure rules, no I/O.

There are two independent witnesses. What the feed says about the post - its title, its words - says which post it
should be; the structure of the page says what the page is. A page with the entry's words is the post, whatever is
beside them. A page without any of them is something else, in every language; its structure only gives that a name.
Where the entry says too little to be a witness, the structure decides what is plain, and doubts are left to the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

from archive.extract import boilerplate, words
from archive.extract.blocks import plain_text
from archive.extract.feed_hints import FeedHints, entry_blocks
from archive.extract.page_signs import COMMENTS, DIALOG, FRAME, Signs
from archive.extract.text import Entry
from archive.extract.verdict import Kind, Verdict
from archive.extract.walls import leads_to_login, names_error, walls
from archive.extract.words import Content

_RUNNING = 60
"""Words of running text from which on a page has a text of its own."""
_FEW = 30
"""Those below which its text may be a notice."""
_TINY = 15
"""Those below which it has none."""
_LABEL = 3
"""Words up to which a text is a label such as "Loading"."""
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
_SYNDICATED = 0.8
"""The share of pairs from which on a page of another site is the post rather than what it quotes."""
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
_REFRESH_SECONDS = 60
_TEASER = 40
"""Words by which a page can be longer than the entry and still have no more than a teaser."""
_PART = 0.6
"""Share of the pairs of words of a whole post below which a page has only a part of it."""
_BEGINNING = 400
"""Characters of a text that are searched for an error message."""
_MOSTLY = 0.5
"""Share of the words of each of two pages that both must have to be the same page."""
_FEW_OTHERS = 0.1
"""Share of its words that each may have for itself..."""
_OWN_WORDS = 3
"""...and how many at least: error pages repeat the address."""


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
    is_cut: bool = False
    """It ends as summaries do that blog software cut off."""
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
    said = plain_text(entry_blocks(entry.html))
    title = _Title.of(entry.title)
    main = signs.main_text
    page = Content.of(main if text in main else f"{main}\n{text}")
    seen = (words.letters(main), words.letters(text))
    own = Content.of(said)
    named = Content.of(title.text).words
    about = own.words - named
    hints = FeedHints.of(entry.html)
    is_in_headings = any(
        title.is_in(heading.text)
        for heading in signs.headings
        if not heading.flags & (COMMENTS | DIALOG)
        and (heading.level == 1 or not heading.flags & FRAME)
        and (heading.links_to is None or _bare(heading.links_to) == _bare(signs.url) or heading.level == 1)
    )
    is_in_head = any(map(title.is_in, signs.titles))
    is_in_text = _is_phrase(title.letters, seen)
    is_elsewhere = is_in_headings or is_in_head or is_in_text
    return Testimony(
        size=len(about),
        words=len(about & page.words) / len(about) if about else 0.0,
        pairs=own.share_of_pairs(page),
        count=words.count(said),
        has_phrase=_is_phrase(words.letters(said), seen),
        is_whole=hints is not None and hints.is_whole,
        is_cut=boilerplate.is_cut(said),
        in_headings=is_in_headings,
        in_head=is_in_head,
        in_text=is_in_text,
        missing=bool(named) and not is_elsewhere and _lacks(named, page.words, signs),
    )


def _lacks(named: frozenset[str], page: frozenset[str], signs: Signs) -> bool:
    """Whether a page has next to none of the words of a title, in its text or in its headings."""
    headings = Content.of("\n".join([*signs.titles, *(heading.text for heading in signs.headings)]))
    return len(named & (page | headings.words)) <= _NO_TITLE * len(named)


def quotes(text: str, entry: Entry | None) -> bool:
    """Whether a text has the words of an entry, so that testimony about its page agrees whatever else is there."""
    said = plain_text(entry_blocks(entry.html)) if entry is not None else ""
    if not said or not text:
        return False
    if _is_phrase(words.letters(said), (words.letters(text),)):
        return True
    own = Content.of(said)
    size = len(own.words - Content.of(entry.title or "").words) if entry is not None else 0
    return size > _MIN_PAIRS and own.share_of_pairs(Content.of(text)) >= _QUOTED


def quoted(said: str, title: str, text: str) -> float:
    """Share of an entry's words that a text has, 0 to 1; if it has none of its content, whether it has its title."""
    seen = (words.letters(text),)
    is_whole = _is_phrase(words.letters(said), seen)
    share = 1.0 if is_whole else Content.of(said).share_of_pairs(Content.of(text))
    return share if share >= _QUOTED else float(_is_phrase(words.letters(title), seen))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A page before its judge."""

    signs: Signs
    """The structure of the page."""
    said: Testimony
    """What the post's entry says about it."""
    text: str
    """What was extracted from it."""
    asked: str | None = None
    """The URL that was requested, if another one answered."""
    front: str | None = None
    """The front page of the blog."""
    is_foreign: bool = False
    """The page is on somebody else's site."""
    is_archived: bool = False
    """The post was archived before. Its entry may be older than the page, which can be rewritten as a whole."""
    has_entry: bool = False

    @property
    def running(self) -> int:
        """Words of running text."""
        return self.signs.running

    @property
    def is_denied(self) -> bool:
        """Whether the entry has enough words to say, by their absence, that a page with few is another one."""
        return self.said.denies and self.said.size >= _SOME

    @property
    def has_title(self) -> bool:
        """Whether the page has the entry's title, if only in its head."""
        return self.said.has_title or self.said.in_head

    @property
    def is_gate(self) -> bool:
        """Whether the main part of the page is a form."""
        return self.signs.in_forms > self.running


def judge(case: Case) -> Verdict | None:
    """Why a page is not the post; None if it is."""
    for rule in (_by_address, _foreign, _paywall):
        if (verdict := rule(case)) is not None:
            return verdict
    if case.said.agrees:
        return None
    if _is_empty(case):
        return Verdict(kind="empty", reason="has no words", certain=True)
    for suspicion in (_challenge, _refresh, _captcha, _login, _error, _consent, _script):
        if (found := suspicion(case)) is not None:
            return _weighed(found, case)
    for rule in (_front, _other, _untitled, _unmarked):
        if (verdict := rule(case)) is not None:
            return replace(verdict, certain=verdict.certain and not case.is_archived)
    return None


def _is_empty(case: Case) -> bool:
    signs = case.signs
    return not (signs.main_words or signs.media or case.text or signs.scripts or signs.noscript or signs.refresh)


# -- by whose page it is, and at which address


def _foreign(case: Case) -> Verdict | None:
    """A page of somebody else, which the post links to: it does not have the post's words, or only quoted ones."""
    said = case.said
    if not case.is_foreign or not said.count or said.has_phrase or said.pairs >= _SYNDICATED:
        return None
    host = urlsplit(case.signs.url).hostname
    return Verdict(kind="foreign", reason=f"is a page of {host} without the post's words", certain=True)


def _by_address(case: Case) -> Verdict | None:
    """What the address that answered shows."""
    signs, asked = case.signs, case.asked
    if asked is None or _bare(asked) == _bare(signs.url):
        return None
    if _leads_to_front(case, asked):
        if case.said.agrees and (case.said.in_head or case.said.in_headings):
            return None
        return Verdict(kind="front", reason=f"leads to {signs.url}, the front page", certain=True)
    came, wanted = urlsplit(signs.url), urlsplit(asked)
    hosts = walls().consent_hosts
    kind: Kind | None = None
    if hosts.search(came.hostname or "") and not hosts.search(wanted.hostname or ""):
        kind, reason = "consent", f"leads to {came.hostname}, which asks for consent"
    elif leads_to_login(signs.url) and not leads_to_login(asked):
        kind, reason = "login", f"leads to {came.path}, where people log in"
    elif _returns_to(signs.url, wanted.path) and not case.has_title and case.running < _RUNNING:
        kind = "login" if signs.login else "consent" if signs.consent_mark else "other"
        reason = f"leads to {came.path}, which would lead back to the post"
    return Verdict(kind=kind, reason=reason, certain=True) if kind and not case.said.agrees else None


def _leads_to_front(case: Case, asked: str) -> bool:
    """Whether the front page answered a request for another one."""
    front, url = case.front, case.signs.url
    came, wanted = urlsplit(url), urlsplit(asked)
    is_front = bool(front and _bare(url) == _bare(front)) or not came.path.strip("/")
    is_deeper = bool(wanted.path.strip("/") or wanted.query) and not (front and _bare(asked) == _bare(front))
    return is_front and is_deeper and not (came.query and came.query == wanted.query)


def _returns_to(url: str, path: str) -> bool:
    """Whether the query of a URL contains the path of the page that was requested."""
    bare = path.rstrip("/")
    return bool(bare) and any(bare in value for _, value in parse_qsl(urlsplit(url).query))


# -- by structure


def _paywall(case: Case) -> Verdict | None:
    """A page that offers the post for money, or for an account, and shows a part of it."""
    signs, said = case.signs, case.said
    mark = signs.paywall or ("a statement that it is not free" if signs.not_free else None)
    if mark is None:
        return None
    size = words.count(case.text)
    if said.is_whole and said.pairs < _PART and size < said.count:
        return Verdict(kind="paywall", reason=f"has {mark}, and little of what the feed has", certain=True)
    has_offer = signs.paywall is not None and (signs.walled > 0 or not case.running)
    if said.agrees:
        is_teaser = not said.is_whole and (said.is_cut or signs.not_free)
    else:
        is_teaser = case.running < (_FEW if said.denies else _TINY)
    if has_offer and is_teaser and case.running <= said.count + _TEASER:
        return Verdict(kind="paywall", reason=f"has {mark}, and no more than the feed", certain=True)
    if not said.agrees and signs.not_free and size < _RUNNING:
        return Verdict(kind="paywall", reason=f"has {mark}, and {size} words", certain=case.is_denied)
    return None


@dataclass(frozen=True, slots=True)
class _Suspicion:
    """What the structure of a page says that it is instead of the post."""

    kind: Kind
    reason: str
    is_strong: bool
    """It leaves no room for a post."""


def _challenge(case: Case) -> _Suspicion | None:
    mark = case.signs.challenge
    return _Suspicion("challenge", f"tests who asks ({mark})", is_strong=True) if case.signs.is_challenge else None


def _refresh(case: Case) -> _Suspicion | None:
    stated = case.signs.refresh
    if stated is None or case.running >= _FEW:
        return None
    seconds, target = stated
    if seconds > _REFRESH_SECONDS or _bare(target) == _bare(case.signs.url):
        return None
    return _Suspicion("refresh", f"leads on to {target} and says little itself", is_strong=True)


def _captcha(case: Case) -> _Suspicion | None:
    """What can also be in the form for comments."""
    signs = case.signs
    if not signs.challenge or signs.login or case.running >= _RUNNING or _has_form_text(case):
        return None
    reason = f"tests who asks ({signs.challenge}) and says little else"
    return _Suspicion("challenge", reason, is_strong=signs.is_bare and case.running < _FEW)


def _login(case: Case) -> _Suspicion | None:
    mark = case.signs.login
    if not mark or case.running >= _RUNNING or _has_form_text(case):
        return None
    return _Suspicion("login", f"has {mark} and little else", is_strong=True)


def _has_form_text(case: Case) -> bool:
    """Whether the main part has a text, a part of it in a form: old pages are forms as a whole."""
    return case.running + case.signs.in_forms >= _RUNNING and not case.is_gate


def _error(case: Case) -> _Suspicion | None:
    signs, is_short = case.signs, case.running < _RUNNING
    if case.running >= 2 * _RUNNING:
        return None
    if signs.names_error:
        return _Suspicion("error", "is named as an error page in its markup", is_strong=is_short)
    headings = (heading.text for heading in signs.headings if not heading.flags & (FRAME | COMMENTS))
    named = next((title for title in (*signs.titles, *headings) if names_error(title)), None)
    if named is not None:
        return _Suspicion("error", f"is titled “{named[:80]}”", is_strong=is_short)
    if is_short and names_error((case.text or signs.main_text)[:_BEGINNING]):
        return _Suspicion("error", "says that there is no such page", is_strong=False)
    return None


def _consent(case: Case) -> _Suspicion | None:
    signs, rest = case.signs, case.running + case.signs.in_forms
    if signs.media or (case.running >= _RUNNING and not case.is_gate):
        return None
    is_all = signs.consent > max(2 * rest, _TINY) and (signs.is_bare or signs.main_words < _TINY)
    is_asked = signs.consent_mark is not None and (signs.buttons or signs.in_forms) and (signs.is_bare or case.is_gate)
    if not is_all and not is_asked:
        return None
    by = f" ({signs.consent_mark})" if signs.consent_mark else ""
    return _Suspicion("consent", f"asks for consent{by} and says little else", is_strong=True)


def _script(case: Case) -> _Suspicion | None:
    """A page that scripts would fill."""
    signs = case.signs
    if not signs.scripts or signs.media or case.running >= _TINY:
        return None
    if signs.has_body and words.count(signs.own_text) > _LABEL:
        return None
    if signs.main_words == 0:
        but = " but those for readers without scripts" if signs.noscript else ""
        return _Suspicion("script", f"has no words{but}", is_strong=bool(signs.noscript or signs.holes))
    headings = sum(words.count(heading.text) for heading in signs.headings if not heading.flags & FRAME)
    rest = signs.main_words - headings
    asks = "javascript" in signs.main_text.casefold()
    if rest > _TINY or not (signs.noscript or asks or signs.holes):
        return None
    is_strong = not case.said.has_title and ((asks and not signs.articles) or (signs.noscript > 0 and rest <= _LABEL))
    return _Suspicion("script", "has next to no words without scripts", is_strong=is_strong)


# -- weighing what the structure says against what the entry says


def _weighed(found: _Suspicion, case: Case) -> Verdict | None:
    said, running = case.said, case.running
    if said.has_title:
        return _under_title(found, case)
    if said.denies and said.size >= (_SOME if running < _RUNNING else _ENOUGH):
        is_certain: bool | None = True
    elif said.missing:
        is_certain = found.is_strong or (running < _FEW and case.signs.is_bare and not case.signs.media)
    elif case.has_entry and said.in_head and (case.signs.media or running >= _TINY):
        is_certain = None
    else:
        is_certain = _by_itself(found, case)
    return None if is_certain is None else Verdict(kind=found.kind, reason=found.reason, certain=is_certain)


def _under_title(found: _Suspicion, case: Case) -> Verdict | None:
    """A verdict on a page that shows the title of the post: only what stands in the place of its text counts."""
    signs, kind = case.signs, found.kind
    is_instead = signs.is_challenge or (kind == "login" and signs.login_in_post) or kind in ("script", "refresh")
    is_certain = is_instead and not signs.media
    if not is_certain or case.running >= _FEW:
        return None
    if not case.is_denied and (not found.is_strong or case.running >= _TINY or kind == "script"):
        return None
    return Verdict(kind=kind, reason=found.reason, certain=True)


def _by_itself(found: _Suspicion, case: Case) -> bool | None:
    """Whether the structure alone is certain; None if it says too little for a doubt."""
    signs = case.signs
    if signs.is_challenge or found.kind in ("script", "refresh"):
        return True if found.is_strong else False if signs.is_bare else None
    is_plain = found.is_strong and case.running < _TINY and not signs.media
    return is_plain and signs.is_bare and found.kind != "error"


# -- by what the entry says alone


def _front(case: Case) -> Verdict | None:
    """A page that says that it is the front page."""
    signs, front = case.signs, case.front
    if front is None or case.has_title or _bare(signs.url) == _bare(front):
        return None
    if not any(stated and _bare(stated) == _bare(front) for stated in (signs.canonical, signs.og_url)):
        return None
    return Verdict(kind="front", reason="says that it is the front page", certain=case.is_denied)


def _other(case: Case) -> Verdict | None:
    """A page without the words of the entry."""
    said, is_short = case.said, case.running < _FEW and not case.signs.media
    if not said.denies:
        return None
    is_another = not case.has_title and said.size >= (_SOME if is_short or said.missing else _ENOUGH)
    is_hollow = not said.in_headings and said.size >= _ENOUGH and is_short and case.running < _TINY
    if not is_another and not is_hollow:
        return None
    too = "" if case.has_title else ", nor its title"
    return Verdict(kind="other", reason=f"has none of the entry's {said.size} words{too}", certain=True)


def _untitled(case: Case) -> Verdict | None:
    """A page without the title of the entry, which has no words besides."""
    if not case.said.missing:
        return None
    is_certain = case.running < _TINY and case.signs.is_bare and not case.signs.media
    but = " and nothing shows that it is a page of the blog" if is_certain else ""
    return Verdict(kind="other", reason=f"does not have the entry's title{but}", certain=is_certain)


def _unmarked(case: Case) -> Verdict | None:
    """A short page of which nothing is known and nothing shows that it is a post."""
    signs = case.signs
    if case.has_entry or case.running >= (2 * _RUNNING if signs.is_bare else _FEW):
        return None
    if signs.media or signs.articles or signs.times or signs.feeds:
        return None
    reason = f"has {words.count(case.text)} words, and nothing shows that it is a post"
    return Verdict(kind="other", reason=reason, certain=False)


def same_page_everywhere(one: str, other: str) -> bool:
    """Whether a page that cannot exist has the same words as a page, except for a few: then that is not a post."""
    ours, theirs = frozenset(words.words(one)), frozenset(words.words(other))
    if not ours or not theirs:
        return ours == theirs
    common = len(ours & theirs)
    if common < _MOSTLY * max(len(ours), len(theirs)):
        return False
    return all(len(one) - common <= max(_OWN_WORDS, _FEW_OTHERS * len(one)) for one in (ours, theirs))


# -- titles and addresses


@dataclass(frozen=True, slots=True)
class _Title:
    """The title of an entry, to be found among those of a page."""

    text: str
    letters: str
    words: frozenset[str]

    @classmethod
    def of(cls, title: str | None) -> _Title:
        text = title or ""
        return cls(text, words.letters(text), frozenset(words.words(text)))

    def is_in(self, heading: str) -> bool:
        """Whether a heading is this title, perhaps with something added."""
        if not self.text.strip() or not heading:
            return False
        if self.letters and self.letters == words.letters(heading):
            return True
        there = frozenset(words.words(heading))
        common = len(self.words & there)
        return common >= _TITLE * len(self.words) and common >= _HEADING * len(there) and common > 0


def _is_phrase(phrase: str, texts: Sequence[str]) -> bool:
    """Whether one of the texts contains a phrase, all of them as their letters alone."""
    is_long = len(phrase) >= (_MIN_PHRASE if phrase.isascii() else _MIN_PHRASE // 2)
    return is_long and any(phrase in text for text in texts)


def _bare(url: str) -> str:
    """A URL as far as it names a page."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}"
