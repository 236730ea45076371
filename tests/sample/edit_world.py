"""Edits of a post's page, each of a kind that is known: as the shared world's `edit.py` makes them, and further ones."""

from __future__ import annotations

import html
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

Post = Mapping[str, Any]
"""A line of the world's truth.jsonl."""
CORRECTIONS = {
    "en": "Correction: an earlier version of this post misstated the year.",
    "de": "Berichtigung: In einer früheren Fassung stand ein falsches Jahr.",
    "es": "Corrección: una versión anterior de este texto daba otro año.",
    "it": "Rettifica: una versione precedente di questo testo riportava un altro anno.",
    "ru": "Исправление: в прежней редакции был указан неверный год.",
}


def sentence_of(page: str, post: Post) -> str | None:
    """A sentence of the lead that stands once and unbroken in the page, as it stands there."""
    for one in re.split(r"(?<=[.!?])\s+", post["lead"]):
        escaped = html.escape(one)
        if len(one) > 30 and page.count(f">{escaped}") + page.count(f" {escaped}") >= 1:
            return escaped
    return None


def _in_lead(change: Callable[[str, Post], str | None]) -> Callable[[str, Post, random.Random], str | None]:
    def edit(page: str, post: Post, _chance: random.Random) -> str | None:
        found = sentence_of(page, post)
        changed = change(found, post) if found else None
        return None if found is None or changed is None else page.replace(found, changed)

    return edit


def _typo(said: str, _post: Post) -> str | None:
    words = said.split(" ")
    place = next((n for n, w in enumerate(words) if len(w) > 5 and w.isalpha() and w[2] != w[3]), None)
    if place is None:
        return None
    word = words[place]
    words[place] = word[:2] + word[3] + word[2] + word[4:]
    return " ".join(words)


def _wording(said: str, _post: Post) -> str:
    words = said.split(" ")
    return " ".join([*words[:2], "almost", "certainly", *words[2:-2], "after", "all", *words[-2:]])


def _number(said: str, _post: Post) -> str:
    if re.search(r"(?<![#x])\d", html.unescape(said)) and "&#" not in said:
        return re.sub(r"\d+", lambda match: str(int(match[0]) + 7), said)
    return f"{said[:-1]} in 47 of 112 cases{said[-1]}"


def _everywhere(before: str, after: str) -> Callable[[str, Post, random.Random], str | None]:
    """A fact of the post, named in its truth, that is replaced wherever the page states it."""

    def edit(page: str, post: Post, _chance: random.Random) -> str | None:
        said = html.escape(post[before])
        return page.replace(said, after.format(said)) if said in page else None

    return edit


def _date(page: str, post: Post, _chance: random.Random) -> str | None:
    day: str = post["date"][:10]
    other = day[:8] + ("01" if day[8:] != "01" else "02")
    return page.replace(day, other) if day in page else None


def _replaced(page: str, post: Post, _chance: random.Random) -> str | None:
    found = sentence_of(page, post)
    if found is None:
        return None
    for kind, words in post["blocks"]:
        if kind == "p":
            page = page.replace(html.escape(words), "This passage has been withdrawn by the author.")
    return page.replace(found, "This post has been withdrawn by its author after a complaint.")


def _paragraphs(page: str, post: Post) -> list[str]:
    """The plain paragraphs of a post that stand once in its page, as they stand there."""
    marked = [f"<p>{html.escape(words)}</p>" for kind, words in post["blocks"] if kind == "p" and len(words) > 60]
    return [one for one in marked if page.count(one) == 1]


def _moved(page: str, post: Post, _chance: random.Random) -> str | None:
    """The first plain paragraph stands behind the last one."""
    found = _paragraphs(page, post)
    if len(found) < 3:
        return None
    return page.replace(found[0], "").replace(found[-1], f"{found[-1]}\n{found[0]}")


def _link(page: str, post: Post, _chance: random.Random) -> str | None:
    """The first link amid the words of a paragraph leads elsewhere."""
    body = page.find(html.escape(post["lead"][:40]))
    found = re.compile(r'<p>[^<]{20,}<a href="(http[^"]+)"[^>]*>[^<]{4,}</a>[^<]{20,}').search(page, max(body, 0))
    return page.replace(f'href="{found[1]}"', 'href="https://other.example/elsewhere/"') if found else None


EDITS: Mapping[str, Callable[[str, Post, random.Random], str | None]] = {
    "typo": _in_lead(_typo),
    "wording": _in_lead(_wording),
    "number": _in_lead(_number),
    "name": _in_lead(lambda said, _: f"{said[:-1]}, according to Helen Marsh{said[-1]}"),
    "correction": _in_lead(lambda said, post: f"{said} {CORRECTIONS[post['lang']]}"),
    "added": _in_lead(
        lambda said, _: (
            f"{said}</p><p>In the meantime two readers wrote in with further evidence, and the figures "
            "above have been checked against the published tables again."
        )
    ),
    "removed": _in_lead(lambda _said, _: ""),
    "replaced": _replaced,
    "headline": _everywhere("title", "{} (and why it matters)"),
    "author": _everywhere("author", "Helen Marsh"),
    "date": _date,
    "moved": _moved,
    "link": _link,
}
"""What makes a page another by one edit of a class; None where the page has nothing of the kind."""
