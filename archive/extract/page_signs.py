"""The structure of a page as evidence of what it is: a post, or something that stands in its place. No I/O.

What a page is never depends on the words that it shows to people, except for error messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from archive.extract import boilerplate, json_ld, words
from archive.extract.boilerplate import Names
from archive.extract.candidates import NEVER_BODY
from archive.extract.characters import collapsed
from archive.extract.links import base_url, joined
from archive.extract.markup import names_other_part
from archive.extract.walls import challenge_in_headers, leads_to_login, marked, names_paywall, walls

_NEVER_SEEN = frozenset(
    "script style template head noembed noframes datalist object applet title meta link param source track".split()  # noqa: SIM905
)
_CONTROLS = frozenset({"button", "select", "textarea", "option", "label", "input"})
_FRAMES = frozenset({"nav", "aside", "footer", "header"})
_FRAME_ROLES = frozenset({"navigation", "banner", "contentinfo", "complementary", "search"})
_MEDIA = frozenset({"img", "picture", "video", "audio", "iframe", "embed", "object", "canvas", "amp-img", "amp-video"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_DIALOGS = frozenset({"modal", "popup", "dialog", "dropdown", "offcanvas", "off-canvas", "lightbox", "overlay"})
_POSTS = frozenset({"h-entry", "hentry"})
_MARKED = frozenset({"iframe", "form", "input", "div"})
"""Elements whose names are those of walls..."""
_MARKED_BY = ("src", "action", "class", "id", "name", "data-sitekey")
"""...and the attributes that name them."""
_PRESSED = frozenset({"submit", "button", "image"})
_NO_HOLES = frozenset({"input", "a", "span", "br", "hr", "col", "i", "ins"})
"""Elements that are empty on ordinary pages."""
_NOT_PICTURES = re.compile(
    r"logo|icon|avatar|gravatar|emoji|pixel|spinner|loading|loader|captcha|tracking|badge|sprite", re.IGNORECASE
)
_SCHEME = re.compile(r"//|[A-Za-z][A-Za-z0-9+.-]*:")
"""What an absolute link, or one without a scheme, begins with (RFC 3986 §4.2)."""
_REFRESH = re.compile(r"^\s*(\d{1,6})(?:\.\d*)?\s*(?:[;,]\s*(?:url\s*=\s*)?[\"']?\s*([^\"'>]*))?", re.IGNORECASE)
_TINY_PICTURE = 3
"""Pixels up to which a picture counts visits."""
_NAMES_CHARACTERS = 200
"""Characters of names of an element; of longer ones none are alike."""
_INLINE_CHARACTERS = 4_000
"""Beginning of an inline script that is searched."""
_WHOLE_POST = 120
"""Words for readers without scripts, or in a dialog, from which on they are the post rather than a request."""
_CONTENT = 60
"""Words in an element named as a paywall from which on it is the post that is to be paid for, and is there."""
_GRANTED = "client_id="
_FREE = "isAccessibleForFree"
_MAX_LOGINS = 20
_MAX_HEADINGS = 200

# Regions of a page, as bits: an element has those of its ancestors.
UNSEEN, FRAME, COMMENTS, CONSENT, FORM, LINK, HEADING, NOSCRIPT, CONTROL, DIALOG, PAYWALL = (1 << n for n in range(11))
_TAGS = {
    **dict.fromkeys(_NEVER_SEEN, UNSEEN),
    **dict.fromkeys(_CONTROLS, CONTROL),
    **dict.fromkeys(_HEADINGS, HEADING),
    "noscript": NOSCRIPT,
    "form": FORM,
    "a": LINK,
    "dialog": DIALOG,
}
_NOT_MAIN = UNSEEN | FRAME | COMMENTS | CONSENT | NOSCRIPT | CONTROL | DIALOG


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of a page."""

    text: str
    level: int
    flags: int
    links_to: str | None
    """The absolute URL that it is a link to."""


@dataclass(slots=True, kw_only=True)
class Signs:
    """What the structure of a page shows; numbers are words."""

    url: str
    titles: list[str] = field(default_factory=list)
    """The titles in the head: `title`, `og:title`, the headline in JSON-LD."""
    headings: list[Heading] = field(default_factory=list)
    main: list[str] = field(default_factory=list)
    """Pieces of the text that readers see, without navigation, sidebars, footers, comments, dialogs and controls."""
    seen: list[str] = field(default_factory=list)
    """Pieces of all the text that readers see as text."""
    aside: list[str] = field(default_factory=list)
    """Pieces of text in consent dialogs, comments, controls, and for readers without scripts."""
    notices: list[str] = field(default_factory=list)
    """Those of them in consent dialogs and for readers without scripts."""
    running: int = 0
    """Words of `main` outside of headings, links and forms."""
    in_forms: int = 0
    """Words of `main` in forms."""
    main_words: int = 0
    noscript: int = 0
    consent: int = 0
    """Words in what is named as a consent dialog and is seen."""
    media: int = 0
    """Pictures, players and embedded pages in the main part."""
    scripts: int = 0
    holes: int = 0
    """Elements of the main part with a name and nothing in it, such as those that scripts fill."""
    articles: int = 0
    """Elements marked up as a post, and JSON-LD about one."""
    times: int = 0
    own_links: int = 0
    """Links to other pages of the same site."""
    feeds: int = 0
    """Feeds that the page declares."""
    login: str | None = None
    """A form to log in that is in the main part: what marks it."""
    buttons: int = 0
    """Buttons in the main part."""
    login_in_post: bool = False
    """It is in what is marked up as a post."""
    challenge: str | None = None
    """What marks a challenge."""
    is_challenge: bool = False
    """It is on no other pages."""
    consent_mark: str | None = None
    paywall: str | None = None
    """The name of an element that is seen instead of the rest of a post."""
    walled: int = 0
    """Words in it."""
    not_free: bool = False
    """JSON-LD says that it is not."""
    noindex: bool = False
    refresh: tuple[int, str] | None = None
    """Seconds and absolute URL of a meta refresh."""
    canonical: str | None = None
    og_url: str | None = None
    own: HtmlElement | None = None
    """The element that is marked up as the post, or as its body; None if there are several."""
    own_text: str = ""
    """The text of it that readers see."""
    has_body: bool = False
    """It is marked up as the body of a post."""
    names_error: bool = False
    """The page is named as an error page, in its markup."""

    @property
    def is_bare(self) -> bool:
        """Whether nothing on the page connects it with a blog."""
        return not (self.articles or self.times or self.own_links or self.feeds)

    @property
    def main_text(self) -> str:
        """The text of the main part."""
        return "".join(self.main)


def may_be_walled(elements: Iterable[HtmlElement]) -> bool:
    """Whether anything among the elements of a page is named as a paywall, or says that the page is not free."""
    return any(
        names_paywall(f"{element.get('class') or ''} {element.get('id') or ''}") is not None
        or (element.tag == "script" and _FREE in (element.text or ""))
        for element in elements
    )


def signs_of(tree: HtmlElement, *, url: str, headers: Mapping[str, str] | None = None) -> Signs:
    """Collect the signs of a page in one walk."""
    signs = Signs(url=url)
    base = base_url(tree, url)
    signs.challenge = challenge_in_headers(headers or {})
    signs.is_challenge = signs.challenge is not None
    _read_head(tree, signs, base)
    _Walk(tree, signs, base).run()
    return signs


# -- head


def _read_head(tree: HtmlElement, signs: Signs, base: str) -> None:
    linked_data: list[str] = []
    for element in tree.iter("title", "meta", "link", "script"):
        tag = element.tag
        if tag == "title":
            if element.text and not signs.titles and not _in_svg(element):
                signs.titles.append(collapsed(element.text).strip())
        elif tag == "meta":
            _read_meta(element, signs, base)
        elif tag == "link":
            _read_link(element, signs, base)
        elif (element.get("type") or "").strip().lower() == "application/ld+json":
            linked_data.append(element.text or "")
        else:
            _read_script(element, signs)
    for item in json_ld.items(linked_data):
        _read_item(item, signs)


def _in_svg(element: HtmlElement) -> bool:
    above = element.getparent()
    return above is not None and above.tag == "svg"


def _read_meta(element: HtmlElement, signs: Signs, base: str) -> None:
    content = element.get("content") or ""
    name = (element.get("property") or element.get("name") or element.get("http-equiv") or "").strip().lower()
    if name in ("og:title", "twitter:title") and content.strip():
        signs.titles.append(collapsed(content).strip())
    elif name == "og:type" and content.strip().lower() == "article":
        signs.articles += 1
    elif name == "og:url":
        signs.og_url = signs.og_url or joined(base, content)
    elif name == "robots":
        signs.noindex = signs.noindex or "noindex" in content.lower()
    elif name == "refresh" and (found := _REFRESH.match(content)):
        target = joined(base, found[2] or "") or base
        signs.refresh = signs.refresh or (int(found[1]), target)


def _read_link(element: HtmlElement, signs: Signs, base: str) -> None:
    rel = (element.get("rel") or "").lower().split()
    href = element.get("href") or ""
    if "canonical" in rel and href:
        signs.canonical = signs.canonical or joined(base, href)
    if "alternate" in rel and ("rss" in (kind := (element.get("type") or "").lower()) or "atom" in kind):
        signs.feeds += 1


def _read_script(element: HtmlElement, signs: Signs) -> None:
    source, inline = element.get("src") or "", element.text or ""
    kind = (element.get("type") or "").strip().lower()
    if kind in ("", "module", "text/javascript", "application/javascript", "text/ecmascript", "text/babel"):
        signs.scripts += 1
    _mark(signs, f"{element.get('id') or ''} {source or inline[:_INLINE_CHARACTERS]}", "script")


def _mark_names(signs: Signs, names: str, what: str) -> None:
    """As `_mark`, for what an element is named: a site names many alike, and few as a wall."""
    if len(names) > _NAMES_CHARACTERS or _has_mark(names):
        _mark(signs, names, what)


@lru_cache(maxsize=8_192)
def _has_mark(names: str) -> bool:
    known = walls()
    return any(marked(names, marks) for marks in (known.challenge_pages, known.challenge_marks, known.consent_marks))


def _mark(signs: Signs, text: str, what: str) -> None:
    """Note the names of the software that makes walls."""
    known = walls()
    if not signs.is_challenge and (found := marked(text, known.challenge_pages)):
        signs.challenge, signs.is_challenge = f"{what} {found}", True
    elif signs.challenge is None and (found := marked(text, known.challenge_marks)):
        signs.challenge = f"{what} {found}"
    if signs.consent_mark is None and (found := marked(text, known.consent_marks)):
        signs.consent_mark = f"{what} {found}"


def _read_item(item: dict[str, object], signs: Signs) -> None:
    kinds = item.get("@type")
    named = {kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)}
    if named & json_ld.ARTICLES:
        signs.articles += 1
        if isinstance(headline := item.get("headline"), str):
            signs.titles.append(collapsed(headline).strip())
    if str(item.get(_FREE)).strip().lower() in ("false", "http://schema.org/false"):
        signs.not_free = True


# -- body


class _Walk:
    """One walk through the body of a page, in document order: each element after its ancestors."""

    def __init__(self, tree: HtmlElement, signs: Signs, base: str) -> None:
        self.signs = signs
        self.base = base
        body = tree.find("body")
        for element in (tree, body):
            named = f"{element.get('class') or ''} {element.get('id') or ''}" if element is not None else ""
            signs.names_error = signs.names_error or not walls().error_names.isdisjoint(named.lower().split())
        self.root = body if body is not None else tree
        self.host = _host(signs.url)
        self.path = urlsplit(signs.url).path
        self.flags: dict[HtmlElement, int] = {}
        self.with_post = self._with_post()
        self.logins = 0
        self.bodies: list[HtmlElement] = []
        self.posts: list[HtmlElement] = []
        self.mains: list[HtmlElement] = []

    def _with_post(self) -> frozenset[HtmlElement]:
        """The elements that contain what is marked up as a post, and these themselves."""
        found: set[HtmlElement] = set()
        for element in self.root.iter("article", "main", "div", "section", "h1"):
            if element.tag == "h1" and _is_in(element, "header"):
                continue  # often the name of the site
            if element.tag in ("div", "section") and not _is_post(element.get("class"), element.get("itemprop")):
                continue
            if element.tag == "article" and _is_in(element, "aside", "nav", "footer"):
                continue  # teasers
            at: HtmlElement | None = element
            while at is not None and at not in found:
                found.add(at)
                at = at.getparent()
        return frozenset(found)

    def run(self) -> None:
        above = self.root.getparent()
        self._text(self._element(self.root, self.flags.get(above, 0)), self.root.text)
        for element in self.root.iterdescendants():
            outer = self.flags.get(element.getparent(), 0)
            if isinstance(element.tag, str):
                self._text(self._element(element, outer), element.text)
            # Pieces are not in the page's order: only their words are compared.
            self._text(outer, element.tail)
        if self.signs.walled >= _CONTENT:  # some sites name the part that is to be paid for, not the offer
            self.signs.running += self.signs.walled
            self.signs.walled, self.signs.paywall = 0, None
        self._headings()
        self._logins()
        self._own()

    def _own(self) -> None:
        """Note the post's element."""
        own = next((found[0] for found in (self.bodies, self.posts, self.mains) if found), self.root)
        if len(self.bodies) <= 1 and (self.bodies or len(self.posts) <= 1):
            parts = [own.text or ""]
            for element in own.iterdescendants():
                above = element.getparent()
                if isinstance(element.tag, str) and not self.flags.get(element, 0) & _NOT_MAIN:
                    parts.append(element.text or "")
                if above is not None and not self.flags.get(above, 0) & _NOT_MAIN:
                    parts.append(element.tail or "")
            self.signs.own, self.signs.own_text = own, " ".join(parts)
            self.signs.has_body = bool(self.bodies)

    def _text(self, flags: int, text: str | None) -> None:
        if not text or flags & UNSEEN or text.isspace():
            return
        signs = self.signs
        size = words.count(text)
        piece = f"{text} "
        if flags & NOSCRIPT:
            signs.noscript += size
            signs.aside.append(piece)
            signs.notices.append(piece)
            return
        if flags & (CONSENT | COMMENTS | CONTROL | DIALOG):
            signs.aside.append(piece)
            if flags & CONSENT:
                signs.consent += size
                signs.notices.append(piece)
            return
        signs.seen.append(piece)
        if flags & PAYWALL:
            signs.walled += size
        if flags & FRAME:
            return
        signs.main.append(piece)
        signs.main_words += size
        if flags & FORM and not flags & PAYWALL:
            signs.in_forms += size
        elif not flags & (HEADING | LINK | PAYWALL):
            signs.running += size

    def _element(self, element: HtmlElement, flags: int) -> int:
        """Note an element in the regions of its parent; returns those that it is in."""
        tag = element.tag
        own = _TAGS.get(tag, 0)
        if own and (tag != "noscript" or words.count("".join(element.itertext())) < _WHOLE_POST):
            flags |= own
        is_post = element in self.with_post
        if tag in _FRAMES and not is_post:
            flags |= FRAME
        attributes = dict(element.items())
        known = boilerplate.names_of(element) if attributes else boilerplate.NAMELESS
        if attributes and tag not in ("html", "body"):
            flags |= _named(element, attributes, known, is_post=is_post)
        if attributes and not is_post and not flags & (_NOT_MAIN & ~FRAME) and self._is_paywall(attributes):
            flags |= PAYWALL
        self.flags[element] = flags
        if attributes and tag in _MARKED:
            named = " ".join(value for name in _MARKED_BY if (value := attributes.get(name)))
            _mark_names(self.signs, named[:_INLINE_CHARACTERS], tag)
        if not flags & UNSEEN:
            self._note(element, attributes, flags)
            if not flags & (FRAME | COMMENTS):
                self._note_post(element, attributes, known)
        return flags

    def _note(self, element: HtmlElement, attributes: Mapping[str, str], flags: int) -> None:
        """Count what an element shows."""
        signs, tag = self.signs, element.tag
        is_main = not flags & _NOT_MAIN
        if tag == "a":
            self._link(attributes.get("href") or "")
        elif tag == "article" and not flags & (FRAME | COMMENTS):
            signs.articles += 1
        elif tag == "time":
            signs.times += not flags & (COMMENTS | FRAME)
        elif tag in _MEDIA:
            signs.media += is_main and _is_medium(element)
        elif tag == "button" or (tag == "input" and (attributes.get("type") or "").lower() in _PRESSED):
            signs.buttons += not flags & (FRAME | COMMENTS)
        elif is_main and (attributes.get("id") or "-" in tag) and not len(element) and not (element.text or "").strip():
            signs.holes += tag not in _NO_HOLES

    def _note_post(self, element: HtmlElement, attributes: Mapping[str, str], known: Names) -> None:
        """Note an element that is marked up as a post, or as the body of one."""
        tag = element.tag
        if tag == "main":
            self.mains.append(element)
        if tag == "body":
            return
        item = attributes.get("itemprop")
        is_post = tag == "article" or _is_post(attributes.get("class"), item)
        is_body = (known.is_body or _is_article_body(item)) and tag not in NEVER_BODY
        if is_post:
            self.signs.articles += tag != "article"
            if not self.posts or not _contains(self.posts[-1], element):
                self.posts.append(element)
        if is_body and (not self.bodies or not _contains(self.bodies[-1], element)):
            self.bodies.append(element)

    def _is_paywall(self, attributes: Mapping[str, str]) -> bool:
        found = names_paywall(f"{attributes.get('class') or ''} {attributes.get('id') or ''}")
        if found is not None:
            self.signs.paywall = self.signs.paywall or f"an element named {found}"
        return found is not None

    def _link(self, href: str) -> None:
        """Note where a link leads."""
        if not href or href[0] == "#":
            return
        if not _SCHEME.match(href):
            own = href.partition("?")[0].partition("#")[0]
            self.signs.own_links += bool(own) and own != self.path and not leads_to_login(href)
        else:
            host, path = _place(href)
            self.signs.own_links += host == self.host and path != self.path and not leads_to_login(href)

    def _headings(self) -> None:
        for element in self.root.iter("h1", "h2", "h3"):
            if len(self.signs.headings) >= _MAX_HEADINGS:
                return
            flags = self.flags.get(element, 0)
            text = collapsed(" ".join(element.itertext())).strip()
            if flags & (UNSEEN | NOSCRIPT) or not text:
                continue
            link = next(element.iter("a"), None)
            if link is None and (above := element.getparent()) is not None and above.tag == "a":
                link = above
            href = link.get("href") if link is not None else None
            self.signs.headings.append(
                Heading(text=text, level=int(element.tag[1]), flags=flags, links_to=joined(self.base, href or "#"))
                if href
                else Heading(text=text, level=int(element.tag[1]), flags=flags, links_to=None)
            )

    def _logins(self) -> None:
        """Find a form to log in."""
        for field_ in self.root.iter("input"):
            kind = (field_.get("type") or "text").lower()
            completes = (field_.get("autocomplete") or "").lower()
            if kind == "password" or "current-password" in completes:
                self._login(field_, "a password field")
        for form in self.root.iter("form"):
            action = joined(self.base, form.get("action") or "")
            if action and (form.get("action") or "").strip() and leads_to_login(action):
                self._login(form, "a form that leads to a login")
        if self.signs.login is None:
            may_be_all = _GRANTED in self.base
            for link in self.root.iter("a"):
                href = link.get("href") or ""
                target = joined(self.base, href) if may_be_all or _GRANTED in href else None
                if target and _is_grant(target):
                    self._login(link, "a link to log in with an account elsewhere")

    def _login(self, element: HtmlElement, what: str) -> None:
        flags = self.flags.get(element, 0)
        if self.logins >= _MAX_LOGINS:
            return
        self.logins += 1
        if flags & (UNSEEN | NOSCRIPT | FRAME | COMMENTS | DIALOG):
            return
        self.signs.login = self.signs.login or what
        posts = (*self.bodies, *self.posts)
        self.signs.login_in_post = self.signs.login_in_post or any(_contains(post, element) for post in posts)


def _contains(outer: HtmlElement, element: HtmlElement) -> bool:
    return outer is element or any(above is outer for above in element.iterancestors())


def _is_grant(url: str) -> bool:
    """Whether a URL asks for a grant (RFC 6749 §4.1.1)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return _GRANTED in parts.query and "redirect_uri=" in parts.query


def _is_in(element: HtmlElement, *tags: str) -> bool:
    return next(element.iterancestors(*tags), None) is not None


def _is_post(classes: str | None, item: str | None) -> bool:
    """Whether an element is marked up as a post, by its class and its `itemprop`."""
    return _is_article_body(item) or bool(classes and "entry" in classes and not _POSTS.isdisjoint(classes.split()))


def _is_article_body(item: str | None) -> bool:
    return bool(item) and "articleBody" in (item or "")


def _named(element: HtmlElement, attributes: Mapping[str, str], known: Names, *, is_post: bool) -> int:
    """The regions that the attributes of an element make it.

    Args:
        element: The element.
        attributes: All of them.
        known: What its class and its id say.
        is_post: Whether a post is in it.
    """
    flags, role = 0, (attributes.get("role") or "").lower()
    if boilerplate.is_unseen(element, known):
        flags |= UNSEEN
    if is_post:
        return flags
    if role in _FRAME_ROLES:
        flags |= FRAME
    if role in ("dialog", "alertdialog") or attributes.get("aria-modal") == "true":
        flags |= DIALOG
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    if names == " ":
        return flags
    if known.is_consent:
        flags |= CONSENT
    elif known.is_comments:
        flags |= COMMENTS
    elif _names_dialog(names):
        flags |= DIALOG if words.count("".join(element.itertext())) < _WHOLE_POST else 0
    elif element.tag not in _CONTROLS and names_other_part(names[:200]):
        flags |= FRAME
    return flags


@lru_cache(maxsize=8_192)
def _names_dialog(names: str) -> bool:
    return not _DIALOGS.isdisjoint(re.split(r"[\s_-]+", names.lower()))


def _is_medium(element: HtmlElement) -> bool:
    """Whether an element shows something: it is not an icon, a counter or a widget."""
    names = " ".join(value for name in ("src", "class", "id", "alt", "data-src") if (value := element.get(name)))
    if element.tag == "img" and not any(element.get(name) for name in ("src", "data-src", "srcset", "data-srcset")):
        return False
    sizes = [element.get(name) or "" for name in ("width", "height")]
    if any(size.isdigit() and int(size) <= _TINY_PICTURE for size in sizes):
        return False
    if element.tag == "iframe" and (marked(names, walls().challenge_marks) or marked(names, walls().consent_marks)):
        return False
    return _NOT_PICTURES.search(names) is None


def _host(url: str) -> str:
    return _place(url)[0]


def _place(url: str) -> tuple[str, str]:
    """Host and path of a URL."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").removeprefix("www."), parts.path
    except ValueError:
        return "", ""
