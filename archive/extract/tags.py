"""What HTML's elements are, by their tags. No I/O."""

from __future__ import annotations

BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure"  # noqa: SIM905
    " footer form h1 h2 h3 h4 h5 h6 header hgroup hr html li main menu nav ol p pre section summary table tbody td"
    " tfoot th thead tr ul".split()
)
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
UNREAD = frozenset(
    "script style noscript template svg button select input textarea option canvas object audio video"  # noqa: SIM905
    " iframe head link meta dialog map area applet noembed noframes frame frameset progress meter label".split()
)
"""Elements whose text readers do not see as text."""
WRAPPERS = frozenset("button svg label option select dialog object noscript".split())  # noqa: SIM905
"""Those of them that contain much of the page if its markup is broken, or for readers without scripts."""
