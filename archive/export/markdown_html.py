"""Markdown as sanitized HTML, with its links and pictures where a caller wants them. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

_HEADING = re.compile(r"(</?h)([1-6])(?=>)")
_ELSEWHERE = ("http://", "https://", "mailto:", "#")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_TAGS = {*nh3.ALLOWED_TAGS} - {"img", "map", "area"}
_PICTURE = {"src", "alt"}


@dataclass(frozen=True, slots=True)
class Addresses:
    """What some Markdown links to and shows, as it is written there; each once, in order."""

    links: tuple[str, ...]
    pictures: tuple[str, ...]


def addresses_in(markdown: str) -> Addresses:
    """The addresses in some Markdown."""
    found: dict[str, dict[str, None]] = {"link_open": {}, "image": {}}
    for block in _MARKDOWN.parse(markdown):
        for token in _with_children(block):
            if token.type in found:
                found[token.type][_address(token)] = None
    return Addresses(tuple(found["link_open"]), tuple(found["image"]))


def rendered(
    markdown: str,
    picture: Callable[[str, str], str],
    *,
    links: Mapping[str, str] | None = None,
    shows_pictures: bool = False,
) -> str:
    """HTML of some Markdown; its headings begin at the second level.

    Args:
        markdown: The Markdown.
        picture: Gives the HTML of a picture, from its address and its description, which are not escaped.
        links: Where links lead instead, by their addresses.
        shows_pictures: `img` elements of `picture` stay.
    """
    # Rendered without raw HTML, then sanitized: neither of the two is trusted alone.
    html = nh3.clean(
        _MARKDOWN.render(markdown, {"picture": picture, "links": links or {}}),
        tags=_TAGS | {"img"} if shows_pictures else _TAGS,
        attributes={**nh3.ALLOWED_ATTRIBUTES, "img": _PICTURE},
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https", "mailto"},
    )
    # The page's own title is its only first-level heading.
    return _HEADING.sub(lambda found: f"{found[1]}{min(6, int(found[2]) + 1)}", html)


def described(address: str, words: str) -> str:
    """What a picture is called: its description, or else the name of its file."""
    return words or unquote(address.rpartition("/")[2]) or "untitled"


def with_files(markdown: str, *, links: Mapping[str, str], pictures: Mapping[str, str]) -> str:
    """HTML for a page among files: pictures that it has are shown, of the others there is their description.

    Args:
        markdown: The Markdown.
        links: Relative addresses of pages, by the links that lead there.
        pictures: Relative addresses of pictures, by their addresses in the Markdown.
    """

    def picture(address: str, words: str) -> str:
        if file := pictures.get(address):
            return f'<img src="{escapeHtml(file)}" alt="{escapeHtml(words)}">'
        return f"<em>[Picture, not archived: {escapeHtml(described(address, words))}]</em>"

    return rendered(markdown, picture, links=links, shows_pictures=True)


def _with_children(token: Token) -> Sequence[Token]:
    return (token, *(one for child in token.children or () for one in _with_children(child)))


def _address(token: Token) -> str:
    return str(token.attrs.get("src" if token.type == "image" else "href") or "")


def _image(_: object, tokens: Sequence[Token], at: int, _options: object, env: Mapping[str, object]) -> str:
    picture = env["picture"]
    assert callable(picture)
    return str(picture(_address(tokens[at]), tokens[at].content.strip()))


def _link(_: object, tokens: Sequence[Token], at: int, _options: object, env: Mapping[str, object]) -> str:
    links = env["links"]
    assert isinstance(links, Mapping)
    address = _address(tokens[at])
    target = links.get(address) or (address if address.lower().startswith(_ELSEWHERE) else "")
    title = f' title="{escapeHtml(str(tokens[at].attrs["title"]))}"' if tokens[at].attrs.get("title") else ""
    return f'<a href="{escapeHtml(target)}"{title}>' if target else "<a>"


_MARKDOWN.add_render_rule("image", _image)
_MARKDOWN.add_render_rule("link_open", _link)
