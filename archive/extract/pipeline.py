"""The text of a post, extracted from its page. No I/O, no state between calls.

An extractor (`extractors`) finds the post's words, `page_metadata` its metadata; what a feed says about it is added.
Dates are bounded by the date of the capture: the same page gives the same text on every day and in every order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from importlib.metadata import version

from archive.errors import ExtractError
from archive.extract import language, page_metadata, rights, trafilatura_adapter
from archive.extract.extractor import Judgement, Page, Post
from archive.extract.extractors import EXTRACTORS
from archive.extract.feed_hints import FeedHints, feed_only
from archive.extract.method import DEFAULT, Method
from archive.extract.own_extractor import written
from archive.extract.page_signs import Signs
from archive.extract.page_source import Source
from archive.extract.site_profile import Profile
from archive.extract.text import Entry, Facts, Text
from archive.limits import TEXT_CHARACTERS

RULES = "4"
"""Version of the extraction rules; each change gives some pages another text."""
OPTIONS = {
    "comments": "apart",
    "tables": "yes",
    "formatting": "yes",
    "links": "yes",
    "images": "yes",
    "dates": "original",
}
_BY_RULES = "site rules"
_CHOICES = (None, "trafilatura", "joined", _BY_RULES)
"""What a text may be made of, as recorded; None: our own extractor, or the only one that was asked."""

_VERSION = version("pressmark")
DATE_SLACK = timedelta(days=1)
"""How much later than its capture a page may be dated: its time zone may be ahead of UTC."""


def extractor(site: Profile | None = None, method: Method = DEFAULT, chosen: str | None = None) -> dict[str, str]:
    """Name, version and options of an extractor, the site profile and rules in use, and the witness it chose.

    Texts of two witnesses are not compared, like those of two extractors: a difference between them is no edit.
    """
    made = {
        "name": method.extractor,
        "version": _VERSION,
        "trafilatura": trafilatura_adapter.VERSION,
        "rules": RULES,
        **OPTIONS,
    }
    more = {"profile": site and site.name, "site_rules": method.rules and method.rules.name, "chosen": chosen}
    return {**made, **{name: value for name, value in more.items() if value}}


def extractors(site: Profile | None = None, method: Method = DEFAULT) -> list[dict[str, str]]:
    """Every value that `extractor` can have for a text made today."""
    return [extractor(site, method, chosen) for chosen in _CHOICES]


def extract(
    payload: bytes,
    *,
    url: str,
    content_type: str | None = None,
    date: datetime | None = None,
    entry: Entry | None = None,
    site: Profile | None = None,
    method: Method = DEFAULT,
    headers: Mapping[str, str] | None = None,
) -> Text:
    """The clean text and metadata of a page.

    Args:
        payload: The page, without content coding.
        url: The URL of the capture.
        content_type: The header of the response; its charset is used if the bytes fit it.
        date: When the page was captured; dates more than a day later are ignored.
        entry: The post's entry in a feed. Its content shows where on the page the post is and which blocks certainly
            belong to it; the text itself comes from the page only. Its title, author and dates take precedence: they
            are the publisher's own fields, while the page's are guessed from its markup. Impossible dates do not.
        site: The blocks that recur on the site; they are removed, whatever else speaks for them.
        method: The extractor, and the operator's rules for the site.
        headers: The response's headers, for the rights that they state; several of a name joined by commas.

    Raises:
        ExtractError: The page has no text, is not HTML, or is too large.
    """
    text = read(
        Source.of(payload, url, content_type), date=date, entry=entry, site=site, method=method, headers=headers
    )
    if not text.text:
        raise ExtractError("contains no text", url=url)
    return text


def read(
    source: Source,
    *,
    date: datetime | None,
    entry: Entry | None,
    site: Profile | None,
    method: Method = DEFAULT,
    signs: Callable[[], Signs] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Text:
    """The text and metadata of a page as `extract` gives them; the text is empty if the page has none.

    Args:
        source: The page.
        date: As for `extract`, like `entry` and `site`.
        entry: What a feed says about the post.
        site: The blocks that recur on the site.
        method: The extractor, and the operator's rules for the site.
        signs: Reads the structure of the page, if more is known of it than the source; only doubts ask for it.
        headers: As for `extract`.
    """
    tree = source.tree
    if method.rules is not None:
        source = method.rules.without_dropped(source)
    latest = date + DATE_SLACK if date else None
    facts = page_metadata.read(source.tree, url=source.url, latest=latest)
    made = _post(
        Page(
            source=source,
            title=facts.title,
            hints=FeedHints.of(entry.html) if entry else None,
            site=site,
            witness=method.witness,
            read_signs=signs,
        ),
        method,
    )
    code, stated_by = language.of(made.text, stated=facts.language, source=facts.sources.get("language", "page"))
    sources = {**facts.sources, **({"language": stated_by} if code else {})}
    facts = replace(facts, language=code, sources=sources)
    text = Text(
        **{one.name: getattr(facts, one.name) for one in fields(Facts)},
        url=source.url,
        text=made.text[:TEXT_CHARACTERS],
        markdown=made.markdown[:TEXT_CHARACTERS],
        links=made.links,
        images=made.images,
        comments=made.comments[:TEXT_CHARACTERS],
        extractor=extractor(site, method, _recorded(made.judgement)),
        judgement=made.judgement.as_json() if made.judgement else None,
        entry=entry,
        rights=rights.stated(tree, headers or {}, source.url),
    )
    return _with_entry(text, entry, latest) if entry else text


def _post(page: Page, method: Method) -> Post:
    """The words of a page's post."""
    kept = method.rules.kept(page.source.tree) if method.rules is not None else []
    if kept:
        return replace(written(page, kept), judgement=Judgement(_BY_RULES, 1.0, asked=False))
    return EXTRACTORS[method.extractor].post(page)


def _recorded(judgement: Judgement | None) -> str | None:
    return judgement.chosen if judgement and judgement.chosen in _CHOICES else None


def _with_entry(text: Text, entry: Entry, latest: datetime | None) -> Text:
    """The text with the metadata of its feed entry; dates after `latest` are ignored."""
    stated = {
        "title": page_metadata.one_line(entry.title),
        "author": page_metadata.one_line(entry.author or (None if text.author else entry.shared_author)),
        "published": page_metadata.believed(entry.published, latest),
        "modified": page_metadata.believed(entry.modified, latest),
        "license": None if text.license else entry.license,
        "tags": tuple(page_metadata.unique([*entry.tags, *text.tags])) if entry.tags else (),
        # A feed states one language for all its posts, so the text and the page are more reliable.
        "language": None if text.language else language.fold(entry.language),
    }
    won = {name: value for name, value in stated.items() if value}
    won["feed_only"] = feed_only(entry, text.text, text.url)
    sources = {**text.sources, **dict.fromkeys((name for name in won if name != "feed_only"), "feed")}
    replaced = {name: getattr(text, name) for name in ("title", "author", "published", "modified") if name in won}
    says = {name: value if isinstance(value, str) else value.isoformat() for name, value in replaced.items() if value}
    return replace(text, **won, sources=sources, page_says=says)  # type: ignore[arg-type]
