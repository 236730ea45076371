"""A text's Markdown as sanitized HTML. No I/O."""

from __future__ import annotations

import re

import nh3
from markdown_it import MarkdownIt

_HEADING = re.compile(r"(</?h)([1-6])(?=>)")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def markdown_html(markdown: str) -> str:
    """HTML of some Markdown, without images; its headings begin at the second level."""
    # Rendered without raw HTML, then sanitized: neither of the two is trusted alone.
    html = nh3.clean(
        _MARKDOWN.render(markdown),
        tags={*nh3.ALLOWED_TAGS} - {"img", "map", "area"},
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https", "mailto"},
    )
    # The page's own title is its only first-level heading.
    return _HEADING.sub(lambda found: f"{found[1]}{min(6, int(found[2]) + 1)}", html)
