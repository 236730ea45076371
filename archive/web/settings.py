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

    @field_validator("public_url", "replay_url")
    @classmethod
    def _checked(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (
            parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query
        ):
            raise ValueError("use http://HOST or https://HOST, without a path")
        return url.rstrip("/")
