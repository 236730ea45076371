"""The operator's own rules for the pages of a site: CSS selectors of what is the post and of what is not.

They are in a TOML file, a table for each host, and hold for its subdomains too:

    ["example.org"]
    keep = ["article .story"]
    drop = [".promo", "#newsletter"]

They win over every extractor.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cssselect import SelectorError
from lxml.cssselect import CSSSelector
from lxml.html import HtmlElement

from archive.errors import SettingsError

if TYPE_CHECKING:
    from archive.extract.page_source import Source

_BYTES = 1_000_000
_SELECTORS = 100
"""Selectors of one kind for one host."""
_FIELDS = frozenset({"keep", "drop"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """The rules for one site."""

    host: str
    keep: tuple[str, ...] = ()
    """Selectors of the elements that are the post, and all of it; if none matches, the page is read as any other."""
    drop: tuple[str, ...] = ()
    """Selectors of elements that are not the post."""

    @property
    def name(self) -> str:
        """Host and digest of the rules, as recorded with a text."""
        said = json.dumps([self.keep, self.drop]).encode()
        return f"{self.host}/{hashlib.sha256(said).hexdigest()[:12]}"

    def without_dropped(self, source: Source) -> Source:
        """The page without what the rules drop."""
        if not self.drop:
            return source

        def again() -> HtmlElement:
            tree = source.again()
            for selector in self.drop:
                for element in CSSSelector(selector, translator="html")(tree):
                    if element.getparent() is not None:
                        element.drop_tree()
            return tree

        return replace(source, tree=again(), again=again)

    def kept(self, tree: HtmlElement) -> list[HtmlElement]:
        """The elements that are the post, in document order, none within another."""
        found = {element for selector in self.keep for element in CSSSelector(selector, translator="html")(tree)}
        return [
            element
            for element in tree.iter("*")
            if element in found and not any(above in found for above in element.iterancestors())
        ]


class Rulebook:
    """The rules for all sites."""

    def __init__(self, by_host: Mapping[str, SiteRules]) -> None:
        """`by_host`: the rules for each host, in lower case."""
        self._by_host = by_host

    @classmethod
    def read(cls, path: Path | None) -> Rulebook:
        """Read a TOML file; None: there are no rules.

        Raises:
            SettingsError: It cannot be read, is not TOML, or contains something else; the message names it.
        """
        if path is None:
            return cls({})
        try:
            said = path.read_bytes()
            if len(said) > _BYTES:
                raise SettingsError(f"{path}: {len(said)} bytes exceed the limit of {_BYTES}")
            tables = tomllib.loads(said.decode())
        except (OSError, ValueError) as e:
            raise SettingsError(f"{path}: {e}", hint="Correct the file that PRESSMARK_SITE_RULES names.") from e
        return cls({host.lower(): _rules(path, host.lower(), table) for host, table in tables.items()})

    def of(self, url: str) -> SiteRules | None:
        """The rules for a URL: those of its host, or else of the nearest domain above it."""
        try:
            host = (urlsplit(url).hostname or "").lower()
        except ValueError:
            return None
        while host:
            if host in self._by_host:
                return self._by_host[host]
            host = host.partition(".")[2]
        return None


def _rules(path: Path, host: str, table: object) -> SiteRules:
    where = f'{path}: ["{host}"]'
    hint = 'Write keep = ["CSS selector"] and drop = ["CSS selector"] under the host.'
    if not isinstance(table, dict):
        raise SettingsError(f"{where} is not a table", hint=hint)
    if unknown := sorted(set(table) - _FIELDS):
        raise SettingsError(f"{where} has an unknown key: {unknown[0]}", hint=hint)
    for name, listed in table.items():
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise SettingsError(f"{where} {name} is not a list of CSS selectors", hint=hint)
        if len(listed) > _SELECTORS:
            raise SettingsError(f"{where} {name} has more than {_SELECTORS} selectors")
        for selector in listed:
            try:
                CSSSelector(selector, translator="html")
            except SelectorError as e:
                raise SettingsError(f"{where} {name}: {selector!r} is not a CSS selector: {e}", hint=hint) from e
    return SiteRules(host=host, keep=tuple(table.get("keep", ())), drop=tuple(table.get("drop", ())))
