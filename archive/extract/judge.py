"""The judgement on a page: is it the post, or what else is it? Pure rules, no I/O.

There are two independent witnesses. What the feed says about the post - its title, its words - says which post it should
be; the structure of the page says what the page is. A page with the entry's words is the post, whatever is beside them. A
page without any of them is something else, in every language; its structure only gives that a name. Where the entry says
too little to be a witness, the structure decides what is plain, and doubts are left to the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, urlsplit

import tldextract

from archive.extract import boilerplate, words
from archive.extract.feed_hints import FeedHints, entry_blocks
from archive.extract.blocks import plain_text
from archive.extract.page_signs import COMMENTS, FRAME, DIALOG, Signs, leads_to_login, names_error, walls
from archive.extract.text import Entry, Text
from archive.extract.verdict import Kind, Verdict
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
        is_cut=boilerplate.wording().cut.search(said) is not None,
        in_headings=is_in_headings,
        in_head=is_in_head,
        in_text=is_in_text,
        missing=bool(named.words)
        and not (is_in_headings or is_in_head or is_in_text)
        and named.share_of_words(everything) <= _NO_TITLE,
    )


def quoted(said: str, title: str, text: str) -> float:
    """Share of an entry's words that a text has, 0 to 1; if it has none of its content, whether it has its title."""
    share = 1.0 if _is_phrase(said, text) else Content.of(said).share_of_pairs(Content.of(text))
    return share if share >= _QUOTED else float(_is_phrase(title, text))


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
    paid = _paywall(signs, said, text)
    if paid is not None:
        return paid
    if said.agrees:
        return None
    if not (signs.main_words or signs.media or text.text or signs.scripts or signs.noscript or signs.refresh):
        return Verdict(kind="empty", reason="has no words", certain=True)
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
    mark = signs.paywall or ("a statement that it is not free" if signs.not_free else None)
    if mark is None:
        return None
    size = words.count(text.text)
    if said.is_whole and size < said.count and said.pairs < _PART:
        return Verdict(kind="paywall", reason=f"has {mark}, and little of what the feed has", certain=True)
    if said.is_whole and said.agrees:
        return None
    has_offer = signs.paywall is not None and (signs.walled or not signs.running)
    is_teaser = (said.is_cut or signs.not_free) if said.agrees else (said.denies or signs.running < _TINY)
    if has_offer and is_teaser and signs.running <= said.count + _TEASER:
        return Verdict(kind="paywall", reason=f"has {mark}, and no more than the feed", certain=True)
    if said.agrees:
        return None
    if signs.not_free and size < _RUNNING:
        return Verdict(
            kind="paywall", reason=f"has {mark}, and {size} words", certain=said.denies and said.size >= _SOME
        )
    return None


def _named(signs: Signs, said: Testimony, text: Text) -> _Suspicion | None:
    """What the structure of a page says that it is, if it has no text of its own."""
    running = signs.running
    if signs.is_challenge:
        return _Suspicion("challenge", f"tests who asks ({signs.challenge})", is_strong=True)
    if signs.refresh is not None and signs.refresh[0] <= _REFRESH_SECONDS and running < _FEW:
        if _bare(signs.refresh[1]) != _bare(signs.url):
            return _Suspicion("refresh", f"leads on to {signs.refresh[1]} and says little itself", is_strong=True)
    if running + signs.in_forms >= _RUNNING and not _is_gate(signs):
        return _error(signs, text) if running < 2 * _RUNNING else None
    if signs.challenge and running < _RUNNING and not signs.login:
        is_strong = signs.is_bare and running < _FEW
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
    if signs.names_error:
        return _Suspicion("error", "is named as an error page in its markup", is_strong=signs.running < _RUNNING)
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
    if signs.consent > max(2 * rest, _TINY) and not signs.media and (signs.is_bare or signs.main_words < _TINY):
        return _Suspicion("consent", "asks for consent and says little else", is_strong=True)
    if signs.consent_mark and (signs.buttons or signs.in_forms) and not signs.media:
        if signs.is_bare or _is_gate(signs):
            return _Suspicion(
                "consent", f"asks for consent ({signs.consent_mark}) and says little else", is_strong=True
            )
    return None


def _script(signs: Signs, said: Testimony) -> _Suspicion | None:
    """A page that scripts would fill."""
    if not signs.scripts or signs.media or signs.running >= _TINY:
        return None
    if signs.has_body and words.count(signs.own_text) > _LABEL:
        return None
    headings = sum(words.count(heading.text) for heading in signs.headings if not heading.flags & FRAME)
    rest = signs.main_words - headings
    asks = "javascript" in signs.main_text.casefold()
    if signs.main_words == 0:
        is_strong = bool(signs.noscript or signs.holes)
        reason = (
            "has no words but those for readers without scripts" if signs.noscript else "has no words without scripts"
        )
        return _Suspicion("script", reason, is_strong=is_strong)
    if rest <= _TINY and (signs.noscript or asks or signs.holes):
        is_strong = not said.has_title and ((asks and not signs.articles) or (signs.noscript > 0 and rest <= _LABEL))
        return _Suspicion("script", "has next to no words without scripts", is_strong=is_strong)
    return None


# -- weighing


def _weighed(found: _Suspicion, signs: Signs, said: Testimony, *, has_entry: bool) -> Verdict | None:
    """A verdict on a page whose structure says that it is not the post, by what its entry says."""
    kind, running = found.kind, signs.running
    certain = Verdict(kind=kind, reason=found.reason, certain=True)
    doubt = Verdict(kind=kind, reason=found.reason, certain=False)
    is_plain = found.is_strong and running < _TINY and not signs.media
    if said.has_title:
        # Under the title of the post, only what stands in its place counts.
        is_instead = signs.is_challenge or (kind == "login" and signs.login_in_post) or kind in ("script", "refresh")
        if said.denies and said.size >= _SOME and is_instead and running < _FEW and not signs.media:
            return certain
        return certain if is_plain and is_instead and kind != "script" else None
    if said.denies and said.size >= (_SOME if running < _RUNNING else _ENOUGH):
        return certain
    if said.missing:
        if found.is_strong or (running < _FEW and signs.is_bare and not signs.media):
            return certain
        return doubt
    if has_entry and said.in_head and (signs.media or running >= _TINY):
        return None
    if signs.is_challenge or kind in ("script", "refresh"):
        return certain if found.is_strong else doubt if signs.is_bare else None
    if kind in ("error", "login", "challenge", "consent"):
        is_evident = is_plain and signs.is_bare and kind != "error"
        return certain if is_evident else doubt
    return doubt if found.is_strong else None


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
    is_marked = signs.articles or signs.times or signs.feeds
    if not has_entry and signs.running < _FEW and not is_marked and not signs.media:
        return Verdict(
            kind="other",
            reason=f"has {words.count(text.text)} words, and nothing shows that it is a post",
            certain=False,
        )
    return None


def _is_foreign(signs: Signs, front: str) -> bool:
    """Whether a page is of another site, and does not link to the blog."""
    own, blog = (urlsplit(url).hostname or "" for url in (signs.url, front))
    name = _site(blog)
    return _site(own) != name and not any(_site(host) == name for host in signs.hosts)


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


@cache
def _suffixes() -> tldextract.TLDExtract:
    """The public suffix list that tldextract ships; nothing is fetched."""
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def _site(host: str) -> str:
    """The registrable domain of a host, or else the host."""
    return _suffixes()(host).top_domain_under_public_suffix or host


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
