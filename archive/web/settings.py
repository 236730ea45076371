"""Settings of the web app."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator

from archive.settings import PressmarkSettings


class WebSettings(PressmarkSettings):
    """Settings of the HTTP server."""

    token: SecretStr = SecretStr("")
    """What a request that changes something must carry; empty: none is accepted."""

    public_url: str = ""
    """Where others reach the web app, such as `https://archive.example.org`; goes into the links that we write. Empty:
    as the request's Host header says."""

    replay_url: str = ""
    """Where others reach the replay port, such as `https://replay.example.org`; must be another host or port than
    `public_url`. Empty: as the request's Host header says, with the replay port."""

    @field_validator("public_url", "replay_url")
    @classmethod
    def _checked(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (
            parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query
        ):
            raise ValueError("use http://HOST or https://HOST, without a path")
        return url.rstrip("/")
