"""Profiles of sites in the archive: `sites/HOST/VERSION.json`, each written once and stored permanently."""

from __future__ import annotations

import json
import logging
import re
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from archive.errors import ArchiveError
from archive.extract.site_profile import Profile, learned
from archive.limits import LEARNED_CHARACTERS

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.extract.text import Text
    from archive.index.schema import TextRow

log = logging.getLogger(__name__)

PREFIX = "sites/"
_KEY = re.compile(r"sites/([^/]+)/(\d{6})\.json")
_POSTS_READ = 30
"""Newest texts of a site that are read to learn from."""
_STEP, _LATER_STEP, _MANY = 5, 25, 100
"""Number of new posts after which a profile is learned again; less often once the site has many posts."""
_NOT_IN_HOSTS = re.compile(r"[^a-z0-9.-]+")


def site_of(url: str) -> str:
    """The name of a URL's site: its host, and port if that is unusual."""
    try:
        parts = urlsplit(url)
        port = f"-{parts.port}" if parts.port else ""
    except ValueError:
        return "unknown"
    return (_NOT_IN_HOSTS.sub("-", (parts.hostname or "unknown").lower())[:200] + port).strip(".") or "unknown"


class Sites:
    """The newest profile of each site, read when it is first needed."""

    def __init__(self, archive: Archive) -> None:
        """Nothing is read yet."""
        self._archive = archive
        self._known: dict[str, Profile | None] = {}
        self._new: dict[str, set[str]] = {}
        self._texts: dict[str, str] = {}
        self._characters = 0

    def is_known(self, url: str) -> bool:
        """Whether `of` answers for a URL without asking the archive."""
        return site_of(url) in self._known

    def of(self, url: str) -> Profile | None:
        """The profile of a URL's site.

        Raises:
            ArchiveError: Store or database failed.
        """
        site = site_of(url)
        if site not in self._known:
            # Profiles are learned from texts: without one there is none, and a new site costs no request to the store.
            posts = self._archive.index.newest_texts(url, 1)
            keys = (
                sorted(key for key in self._archive.store.keys(f"{PREFIX}{site}/") if _KEY.fullmatch(key))
                if posts
                else ()
            )
            self._known[site] = self._read(keys[-1]) if keys else None
        return self._known[site]

    def made(self, url: str, text: Text) -> None:
        """Remember that a post at that URL has a new text."""
        self._new.setdefault(site_of(url), set()).add(url)
        if self._characters + len(text.text) <= LEARNED_CHARACTERS:
            self._characters += len(text.text)
            self._texts[text.digest] = text.text

    def learn(self, *, seconds: float = 30.0) -> int:
        """Learn the profiles of sites that have enough new posts, those with the most first; returns how many are new.

        What cannot be learned now, or not within the time limit, is learned another time.
        """
        count, end = 0, monotonic() + seconds
        for site, urls in sorted(self._new.items(), key=lambda item: -len(item[1])):
            if monotonic() > end:
                log.info("no time to learn more sites=%d", len(self._new))
                break
            try:
                count += self._learn(site, urls)
            except ArchiveError as e:
                log.warning("no profile is learned site=%s error=%s", site, e)
        self._new.clear()
        self._texts.clear()
        self._characters = 0
        return count

    def _learn(self, site: str, new: set[str]) -> bool:
        url = min(new)
        total = self._archive.index.posts_of_host(url)
        step = _STEP if total < _MANY else _LATER_STEP
        if (total - len(new)) // step == total // step:
            return False
        before = self.of(url)
        rows = self._archive.index.newest_texts(url, _POSTS_READ)
        found = learned(site, before, [self._text(row).split("\n") for row in rows])
        if found is None or found is before:
            return False
        data = json.dumps({"site": site, "version": found.version, "blocks": sorted(found.blocks)}).encode()
        self._archive.store.put(f"{PREFIX}{site}/{found.version:06d}.json", data)
        self._known[site] = found
        log.info("learned site=%s version=%d blocks=%d", site, found.version, len(found.blocks))
        return True

    def _text(self, row: TextRow) -> str:
        known = self._texts.get(row.digest)
        return self._archive.read_text(row).text if known is None else known

    def _read(self, key: str) -> Profile:
        return _profile(self._archive.store.read(key))


def fault(data: bytes) -> str | None:
    """Why a stored profile cannot be read; None if it can."""
    try:
        _profile(data)
    except (ValueError, KeyError, TypeError) as e:
        return f"is not the profile of a site: {type(e).__name__}: {e}"
    return None


def _profile(data: bytes) -> Profile:
    said = json.loads(data)
    return Profile(site=str(said["site"]), version=int(said["version"]), blocks=frozenset(map(str, said["blocks"])))
