"""Refresh: where a page sends its readers by itself, which counts as a redirect if it does so at once. No I/O."""

from __future__ import annotations

import codecs
import re
from typing import Any

from lxml import html as lxml_html
from lxml.etree import LxmlError

from archive.warc.codings import unicode_html
from crawler.limits import REFRESH_BYTES, REFRESH_SECONDS
from crawler.model.url_identity import host_of, is_address, joined, registrable_domain
from crawler.net.credentials import bare

# HTML Living Standard, shared declarative refresh steps
_REFRESH = re.compile(
    r"\s*+(?=[\d.])(\d*+)[\d.]*+(?:\s*+$|(?=[;,\s])\s*+[;,]?+\s*+(?:url\s*+=\s*+)?(.*))",
    re.IGNORECASE | re.DOTALL | re.ASCII,
)
_INERT = frozenset({"template", "textarea", "title", "style", "script", "iframe", "noframes", "noembed", "xmp"})
"""Elements whose content is not part of the page."""
_SPACE = re.compile(rb"\s*+")
_HTML = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_COMMENT_BYTES = 2_000
"""A comment before a page begins."""
_QUOTED = re.compile(r"""["']([^"'\s]{1,2000})["']""")


def is_html(body: bytes) -> bool:
    """Whether a document begins like an HTML page, whatever media type its server states."""
    beginning = body[:REFRESH_BYTES].removeprefix(codecs.BOM_UTF8)
    at = _after_space(beginning, 0)
    while beginning.startswith(b"<!--", at):
        end = beginning.find(b"-->", at + len(b"<!--"), at + len(b"<!---->") + _COMMENT_BYTES)
        if end < 0:
            return False
        at = _after_space(beginning, end + len(b"-->"))
    return _HTML.match(beginning, at) is not None


def _after_space(body: bytes, at: int) -> int:
    found = _SPACE.match(body, at)
    return found.end() if found else at


def may_refresh(body: bytes) -> bool:
    """Whether a page may declare a refresh; most do not, and need not be parsed."""
    beginning = body[:REFRESH_BYTES].lower()
    return b"http-equiv" in beginning and b"refresh" in beginning


def refresh_target(body: bytes, *, url: str, content_type: str | None, header: str | None = None) -> str | None:
    """The URL to which a page sends its readers within seconds, on the same site; None if there is none.

    A refresh for browsers without scripts (`noscript`) counts only if the page sends the others to the same address:
    its scripts or its canonical link name it. Otherwise it leads to a lesser page, or to a demand for scripts.

    Args:
        body: The beginning of the page, content coding removed.
        url: Its URL.
        content_type: Content-Type as the server stated it.
        header: The Refresh header, which browsers obey as well.
    """
    if header and (found := _target(header, url, url)):
        return found
    text = unicode_html(body[:REFRESH_BYTES], content_type)
    try:
        tree = lxml_html.document_fromstring(text.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    except (LxmlError, ValueError):
        return None
    base = next((joined(url, one.get("href").strip()) for one in tree.iter("base") if one.get("href")), None) or url
    for meta in tree.iter("meta"):
        if (meta.get("http-equiv") or "").strip().lower() != "refresh":
            continue
        target = _target(meta.get("content") or "", base, url)
        within = {parent.tag for parent in meta.iterancestors()}
        if target and not within & _INERT and ("noscript" not in within or _named(tree, target, base)):
            return target
    return None


def _target(content: str, base: str, url: str) -> str | None:
    """The URL in a refresh that leads to the same site soon; a refresh without a URL leads to the page itself."""
    found = _REFRESH.match(content)
    if found is None or float(found[1] or 0) > REFRESH_SECONDS:
        return None
    written = (found[2] or "").strip()
    if written[:1] in {'"', "'"}:
        written = written[1:].partition(written[0])[0].strip()
    target = joined(base, written) if written else url
    if target is None or not is_address(target):
        return None
    return bare(target) if _site(target) == _site(url) else None


def _site(url: str) -> str:
    return registrable_domain(host_of(url).removeprefix("www."))


def _named(tree: Any, target: str, base: str) -> bool:  # noqa: ANN401  lxml's element
    """Whether a page's canonical link or a script in it names an address."""
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split() and joined(base, link.get("href") or "") == target:
            return True
    scripts = (script.text or "" for script in tree.iter("script"))
    return any(joined(base, one.replace("\\/", "/")) == target for text in scripts for one in _QUOTED.findall(text))
