"""Which addresses a visit shows to be one page: the evidence of redirects, meta refreshes and canonical links. Pure."""

from __future__ import annotations

from archive.index.aliases import Alias, AliasKind
from archive.warc.page_identity import is_front, same_page
from crawler.model.answer import Answer
from crawler.model.url_identity import host_of, registrable_domain

_KINDS: dict[str, AliasKind] = {"301": "redirect", "308": "redirect", "refresh": "refresh"}
"""Ways on that lead to the page's address for good; others lead there only today."""


def aliases_of(answer: Answer, *, record: str) -> tuple[Alias, ...]:
    """The addresses that led to a page for good, in one visit.

    Args:
        answer: The response that shows the page.
        record: WARC-Record-ID of its capture.
    """
    if any(hop.how not in _KINDS for hop in answer.hops):
        return ()
    return tuple(
        Alias(url=hop.url, target=answer.url, kind=_KINDS[hop.how], proof=record, since=answer.at)
        for hop in answer.hops
        if not same_page(hop.url, answer.url)
    )


def may_be_canonical(named: str, url: str) -> bool:
    """Whether a page at `url` may state `named` as its canonical address: one of the same site, not its front page."""
    if same_page(named, url) or is_front(named):
        return False
    return registrable_domain(host_of(named)) == registrable_domain(host_of(url))
