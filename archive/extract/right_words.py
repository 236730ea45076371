"""The words by which texts are found for what others may do with them; cheap to import. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

RESERVED = "tdm-reserved"
LICENSED = "licensed"
_COMMONS = re.compile(r"/(?:licenses|publicdomain)/([a-z+-]{2,20})/(\d\.\d)(?:/|$)")
_COMMONS_HOSTS = frozenset({"creativecommons.org", "www.creativecommons.org"})
_NAMES = {"zero": "cc0", "mark": "pdm"}


def marks(rights: object, license_url: object) -> tuple[str, ...]:
    """The words by which texts are found: directives for every robot, `tdm-reserved`, `licensed` and the licence.

    Args:
        rights: What `archive.extract.rights.stated` returned, as stored.
        license_url: The licence of the post, as stored; one of Creative Commons also gives a word such as `cc-by-4.0`.
    """
    said = rights if isinstance(rights, dict) else {}
    robots = said.get("robots")
    found = [str(one) for one in robots if ":" not in str(one)] if isinstance(robots, list) else []
    if said.get("tdm_reserved") is True:
        found.append(RESERVED)
    if isinstance(license_url, str) and license_url:
        found += [LICENSED, *_license_word(license_url)]
    return tuple(found)


def _license_word(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    if parts.hostname in _COMMONS_HOSTS and (found := _COMMONS.match(parts.path.lower())):
        yield f"{_NAMES.get(found[1], f'cc-{found[1]}')}-{found[2]}"
