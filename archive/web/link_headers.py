"""Link headers and TimeMaps (RFC 7089, RFC 6690). Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from archive.index.lookup import Neighbours
from archive.web.memento_path import http_date, quoted, stamp_of

LINK_FORMAT = "application/link-format"


def memento_url(base: str, moment: datetime, url: str, modifier: str = "") -> str:
    """URI-M: the URL of a memento."""
    return f"{base}/web/{stamp_of(moment)}{modifier}/{quoted(url)}"


def around(base: str, url: str, near: Neighbours | None = None) -> str:
    """The Link header of a TimeGate or a memento (RFC 7089 §2.2)."""
    shown = quoted(url)
    timemap = f'<{base}/web/timemap/link/{shown}>; rel="timemap"; type="{LINK_FORMAT}"'
    if near and near.first and near.last:
        timemap += f'; from="{http_date(near.first)}"; until="{http_date(near.last)}"'
    parts = [f'<{shown}>; rel="original"', f'<{base}/web/{shown}>; rel="timegate"', timemap]
    if near:
        named: dict[str, list[str]] = {}
        moments: dict[str, datetime] = {}
        for rel, moment in (("first", near.first), ("prev", near.before), ("next", near.after), ("last", near.last)):
            if moment is not None:
                named.setdefault(stamp_of(moment), []).append(rel)
                moments[stamp_of(moment)] = moment
        parts.extend(
            f'<{memento_url(base, moments[stamp], url)}>; rel="{" ".join(rels)} memento"; '
            f'datetime="{http_date(moments[stamp])}"'
            for stamp, rels in named.items()
        )
    return ", ".join(parts)


def timemap(base: str, url: str, moments: Sequence[datetime]) -> Iterator[str]:
    """A TimeMap in link format (RFC 7089 §5); `moments` are in order, at least one, each second at most once."""
    shown = quoted(url)
    first, last = moments[0], moments[-1]
    yield f'<{shown}>; rel="original",\n'
    yield (
        f'<{base}/web/timemap/link/{shown}>; rel="self"; type="{LINK_FORMAT}"; '
        f'from="{http_date(first)}"; until="{http_date(last)}",\n'
    )
    yield f'<{base}/web/{shown}>; rel="timegate",\n'
    end = len(moments) - 1
    for number, moment in enumerate(moments):
        rel = ("first " if number == 0 else "") + ("last " if number == end else "") + "memento"
        yield (
            f'<{base}/web/{stamp_of(moment)}/{shown}>; rel="{rel}"; datetime="{http_date(moment)}"'
            + (",\n" if number < end else "\n")
        )


def seconds(moments: Sequence[datetime]) -> list[datetime]:
    """Each second once, in order."""
    return list({moment.replace(microsecond=0): None for moment in moments})
