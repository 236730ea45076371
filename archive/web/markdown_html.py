"""A text's Markdown as HTML for the web app: it fetches nothing from the live web. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from archive.export.markdown_html import described, rendered
from archive.web.errors import escape
from archive.web.memento_path import quoted


def markdown_html(markdown: str, stamp: str = "2", links: Mapping[str, str] | None = None) -> str:
    """HTML of some Markdown; its headings begin at the second level.

    Args:
        markdown: The Markdown.
        stamp: The time whose archived copies its pictures are links to, as in the paths of mementos.
        links: Where links lead instead, by their addresses.
    """

    def picture(address: str, words: str) -> str:
        target = quoted(unquote(address))
        return f'<a href="/web/{stamp}/{escape(target)}">Picture: {escape(described(target, words))}</a>'

    return rendered(markdown, picture, links=links)
