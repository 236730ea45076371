"""Settings of the web app."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator

from archive.settings import PressmarkSettings


class WebSettings(PressmarkSettings):
    """Settings of the HTTP server."""

    token: SecretStr = SecretStr("")
    """Token that a request must carry to change something; empty: no changes are accepted."""

    public_url: str = ""
    """URL at which others reach the web app, such as `https://archive.example.org`; used in the links that we write.
    Empty: as in the request's Host header."""

    replay_url: str = ""
    """URL at which others reach the replay port, such as `https://replay.example.org`; must differ from `public_url` in
    host or port. Empty: as in the request's Host header, with the replay port."""

    cors: str = ""
    """Origins whose pages may read mementos, WARC files and the CDX server (CORS): a comma list, such as
    `https://replay.example.org`, or `*` for all. Empty: on loopback those of this machine, otherwise none but ours."""

    @property
    def open_to(self) -> tuple[str, ...]:
        """The origins in `cors`, and that of the replay port."""
        named = (origin.strip().rstrip("/") for origin in self.cors.split(","))
        return tuple(dict.fromkeys(origin for origin in (*named, self.replay_url) if origin))

    @field_validator("cors")
    @classmethod
    def _origins(cls, cors: str) -> str:
        for origin in filter(None, (part.strip().rstrip("/") for part in cors.split(","))):
            parts = urlsplit(origin)
            is_origin = parts.scheme in {"http", "https"} and parts.hostname and not (parts.path or parts.query)
            if origin != "*" and not is_origin:
                raise ValueError(f"{origin!r} is not an origin: use https://HOST, or * for all")
        return cors

    @field_validator("public_url", "replay_url")
    @classmethod
    def _checked(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (
            parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query
        ):
            raise ValueError("use http://HOST or https://HOST, without a path")
        return url.rstrip("/")
