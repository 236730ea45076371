"""A text's Markdown as sanitized HTML. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

from archive.web.memento_path import quoted

_HEADING = re.compile(r"(</?h)([1-6])(?=>)")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def markdown_html(markdown: str, stamp: str = "2") -> str:
    """HTML of some Markdown; its headings begin at the second level.

    Args:
        markdown: The Markdown.
        stamp: The time whose archived copies its pictures are links to, as in the paths of mementos.
    """
    # Rendered without raw HTML, then sanitized: neither of the two is trusted alone.
    html = nh3.clean(
        _MARKDOWN.render(markdown, {"stamp": stamp}),
        tags={*nh3.ALLOWED_TAGS} - {"img", "map", "area"},
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https", "mailto"},
    )
    # The page's own title is its only first-level heading.
    return _HEADING.sub(lambda found: f"{found[1]}{min(6, int(found[2]) + 1)}", html)


def _picture(_: object, tokens: Sequence[Token], at: int, _options: object, env: Mapping[str, str]) -> str:
    """A picture as a link to its archived copy: the page of a post fetches nothing from the live web."""
    target = quoted(unquote(str(tokens[at].attrs.get("src") or "")))
    label = tokens[at].content.strip() or unquote(target.rpartition("/")[2]) or "untitled"
    return f'<a href="/web/{env["stamp"]}/{escapeHtml(target)}">Picture: {escapeHtml(label)}</a>'


_MARKDOWN.add_render_rule("image", _picture)
