"""Jinja templates of all pages; values are escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined, select_autoescape

from archive.web.memento_path import in_path, stamp_of

_ENTRIES = (("/", "Home"), ("/blogs", "Blogs"), ("/search", "Search"), ("/calendar", "Calendar"))
_UNIT = 1_000
_WHOLE_FROM = 100
"""Sizes from here on, in their unit, are shown without decimals."""


class Templates:
    """The templates of this package and of others."""

    def __init__(self, *, packages: dict[str, str] | None = None, entries: Sequence[tuple[str, str]] = ()) -> None:
        """Find templates.

        Args:
            packages: Other packages with a folder `templates`, by the prefix of their templates' names.
            entries: More menu entries: path and name.
        """
        loaders = {
            "archive": PackageLoader("archive.web"),
            **{k: PackageLoader(v) for k, v in (packages or {}).items()},
        }
        self._environment = Environment(
            loader=PrefixLoader(loaders),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            day=lambda moment: f"{moment:%Y-%m-%d}",
            minute=lambda moment: f"{moment:%Y-%m-%d %H:%M}",
            second=lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}",
            stamp=stamp_of,
            urlpath=in_path,
            number=lambda number: f"{number:,}".replace(",", "\u202f"),
            bytes=_bytes,
        )
        self._environment.globals.update(menu=(*_ENTRIES, *entries), release=version("pressmark"))

    def page(self, name: str, **values: object) -> str:
        """Render a template; its name begins with the prefix of its package."""
        return self._environment.get_template(name).render(**values)


def _bytes(count: int | datetime) -> str:
    assert isinstance(count, int)
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < _UNIT:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= _WHOLE_FROM else f"{size:.1f} {unit}"
        size /= _UNIT
    return f"{size:.1f} TB"
