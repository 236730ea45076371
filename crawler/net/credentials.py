"""Credentials of an origin (user name and password), and hosts whose certificates are not verified. No I/O."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """User name and password for exactly one origin (Basic authentication, RFC 7617)."""

    origin: str
    user: str
    password: str = field(repr=False)

    @property
    def authorization(self) -> bytes:
        """Value of the Authorization header."""
        return b"Basic " + b64encode(f"{self.user}:{self.password}".encode())


class Origins:
    """Credentials and unverified hosts while a crawl runs."""

    def __init__(self, credentials: Iterable[Credentials], unverified: Iterable[str]) -> None:
        """`unverified` are the hosts whose certificates are not verified."""
        self._credentials = {one.origin: one for one in credentials}
        self._unverified = set(unverified)

    @property
    def any(self) -> bool:
        """Whether there are credentials for any origin."""
        return bool(self._credentials)

    def entrust(self, given: Credentials) -> None:
        """Add credentials; from now on they are sent to their origin."""
        self._credentials[given.origin] = given

    def authorization(self, url: str) -> bytes | None:
        """Value of the Authorization header of a request for a URL; None if there are no credentials for it."""
        found = self._credentials.get(origin(url)) if self._credentials else None
        return found.authorization if found else None

    def trust(self, host: str, *, unverified: bool) -> None:
        """Stop or resume verifying the certificate of a host."""
        (self._unverified.add if unverified else self._unverified.discard)(host)

    def unverified(self, host: str) -> bool:
        """Whether the certificate of a host is not verified."""
        return host in self._unverified


def origin(url: str) -> str:
    """Canonical origin of a URL: scheme, host and port (RFC 6454 §4); empty if it has none."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"
    except (ValueError, KeyError):
        return ""


def bare(url: str) -> str:
    """A URL without credentials."""
    return split(url)[0]


def split(url: str) -> tuple[str, Credentials | None]:
    r"""A URL without credentials, and the credentials if it has any.

    A backslash before the query is a slash, as in browsers: what precedes the `@` in `http://a.example\@b.example/` is
    the host.
    """
    query = min((at for at in (url.find("?"), url.find("#")) if at >= 0), default=len(url))
    if "\\" in url[:query] and url.lstrip().lower().startswith(("http:", "https:")):
        url = url[:query].replace("\\", "/") + url[query:]
    try:
        parts = urlsplit(url)
        if "@" not in parts.netloc:
            return url, None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        without = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    except ValueError:
        return url, None
    if not (user or password):
        return without, None
    return without, Credentials(origin=origin(without), user=user, password=password)
