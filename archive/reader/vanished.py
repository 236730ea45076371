"""Posts that are not online any more: the seam to whoever keeps a ledger of them, and how it is told. No I/O.

The archive does not visit anything, so it cannot know; a crawler that re-checks posts can.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from archive.runtime.times import begin, iso

KINDS: Mapping[str, str] = {
    "gone": "is gone",
    "home": "redirects to the front page",
    "login": "asks for a login",
    "soft-404": "soft 404: an error page answers in its place",
    "unlisted": "taken out of its feed, which still has older posts",
    "blog": "its whole blog is away: neither the feed nor any page of it answers",
}
"""Kinds of deletions, and what they are called where no status says more."""
UNLISTED, BLOG = "unlisted", "blog"
_HOST = re.compile(r"[^\s/?#@%'\"\\]{1,255}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"(\d{1,16})-([0-9a-f]{1,64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanished:
    """A time during which a post was not online."""

    key: str
    """Key of its page."""
    url: str
    kind: str
    """One of `KINDS`."""
    status: int | None
    """HTTP status of the answer that showed it."""
    since: datetime
    """When it was first found gone; aware, UTC."""
    last_seen: datetime | None
    """When it was last seen alive; None if that is not known."""
    proof: str | None
    """WARC-Record-ID of the capture that shows it."""
    back: datetime | None = None
    """When it was found to be back; None while it is gone."""

    @property
    def reason(self) -> str:
        """The kind in words."""
        if self.kind == "gone" and self.status is not None:
            return f"answered {self.status}"
        return KINDS.get(self.kind, self.kind)

    @property
    def place(self) -> str:
        """Where it is not any more, in words: `there`, or in its feed, where its page may be online all the same."""
        return "in its feed" if self.kind == UNLISTED else "there"

    @property
    def alive(self) -> str:
        """How `last_seen` saw it, in words."""
        return "last seen in it" if self.kind == UNLISTED else "last seen alive"

    def line(self) -> str:
        """What a reader has to know, as one sentence without an end."""
        alive = f"{self.alive} {_minute(self.last_seen)}" if self.last_seen else "when it was last alive is not known"
        facts = f"{self.reason}, {alive}, proof: {f'capture {self.proof}' if self.proof else 'none'}"
        if self.back:
            return f"was not {self.place} from {_minute(self.since)} to {_minute(self.back)}, came back: {facts}"
        return f"not {self.place} any more since {_minute(self.since)}: {facts}"

    def as_json(self) -> dict[str, object]:
        """It as programs see it."""
        return {
            "since": iso(self.since),
            "kind": self.kind,
            "reason": self.reason,
            "status": self.status,
            "last_seen": iso(self.last_seen) if self.last_seen else None,
            "proof": self.proof,
            "back": iso(self.back) if self.back else None,
        }


def told(one: Vanished | None) -> dict[str, object]:
    """The fields of a post that say whether it is online: `vanished` while it is gone, `came_back` once it is back."""
    return {
        "vanished": one.as_json() if one and one.back is None else None,
        "came_back": one.as_json() if one and one.back else None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deletions are listed."""

    kind: str | None = None
    host: str | None = None
    """With or without `www.`; its subdomains are other hosts."""
    since: datetime | None = None
    """Only what was found gone, or back, at or after this instant."""
    gone: bool = False
    """Only what is not back."""


EVERY = Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the list of deletions, for the next part."""

    since: datetime
    key: str

    @classmethod
    def of(cls, one: Vanished) -> Place:
        """The place after a deletion."""
        return cls(since=one.since, key=one.key)

    @classmethod
    def parse(cls, written: str) -> Place:
        """The place that `str` wrote.

        Raises:
            ValueError: It wrote no such thing.
        """
        found = _PLACE.fullmatch(written)
        if not found:
            raise ValueError(f"after: {written[:40]!r} is no place in this list: take it from `next`")
        return cls(since=_EPOCH + timedelta(microseconds=int(found[1])), key=found[2])

    def __str__(self) -> str:
        return f"{(self.since - _EPOCH) // timedelta(microseconds=1)}-{self.key}"


class Ledger(Protocol):
    """What somebody who visits posts again knows of those that vanished."""

    def of(self, pages: Collection[str]) -> Mapping[str, Vanished]:
        """For each of these keys of pages, the last time that its post was not online; others are left out."""

    def missing(self, pages: Collection[str], at: datetime) -> Mapping[str, Vanished]:
        """Those of these pages, by their keys, whose post was not online at an instant, each with that time.

        A post that was only taken out of its feed is not missing.
        """

    def listed(self, wanted: Wanted, *, limit: int, after: Place | None = None) -> Sequence[Vanished]:
        """Deletions, those found last first; `after` continues a list."""


class NoLedger:
    """The ledger of an archive whose posts nobody visits again."""

    def of(self, pages: Collection[str]) -> Mapping[str, Vanished]:  # noqa: ARG002  as the protocol has it
        """Nothing."""
        return {}

    def missing(self, pages: Collection[str], at: datetime) -> Mapping[str, Vanished]:  # noqa: ARG002
        """Nothing."""
        return {}

    def listed(self, wanted: Wanted, *, limit: int, after: Place | None = None) -> Sequence[Vanished]:  # noqa: ARG002
        """Nothing."""
        return ()


def wanted_from(*, kind: str | None, host: str | None, since: str | datetime | None) -> Wanted:
    """The filters as somebody wrote them; empty ones do not filter.

    Raises:
        ValueError: One of them means nothing; the message names it and what would.
    """
    kind, host = (kind or "").strip(), (host or "").strip().lower()
    if kind and kind not in KINDS:
        raise ValueError(f"kind: {kind[:20]!r} is not a kind of deletion: use {', '.join(KINDS)}")
    if host and not _HOST.fullmatch(host):
        raise ValueError(f"host: {host[:100]!r} is not a host: use for example blog.example")
    try:
        moment = begin(since) if isinstance(since, str) and since.strip() else since or None
    except ValueError as e:
        raise ValueError(f"since: {e}") from e
    assert not isinstance(moment, str)
    return Wanted(kind=kind or None, host=host.removeprefix("www.") or None, since=moment)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
