"""The archive's settings: every default, and the one place that reads environment and TOML file."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from archive.errors import SettingsError
from archive.runtime.console import masked
from archive.runtime.times import parse_span

if TYPE_CHECKING:
    from archive.runtime.worker_pool import Limits

PREFIX = "PRESSMARK_"


def _span(value: object) -> object:
    return parse_span(str(value)) if isinstance(value, str | int | float) else value


def _web_address(text: str) -> str:
    if text and urlsplit(text).scheme not in {"http", "https"}:
        raise ValueError("use http://HOST/PATH or https://HOST/PATH")
    return text


Span = Annotated[timedelta, BeforeValidator(_span), Field(ge=timedelta(0), le=timedelta(days=365))]
"""A span such as `6h`; without a unit, seconds."""


def setting(field: str) -> str:
    """Name of the environment variable that sets a field."""
    return PREFIX + field.upper()


class PressmarkSettings(BaseSettings):
    """Reads `PRESSMARK_…` variables, then the TOML file that `PRESSMARK_CONFIG` names (lower case, no prefix)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the TOML file; the first that names a setting decides."""
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        if config := os.environ.get(f"{PREFIX}CONFIG"):
            if not Path(config).is_file():
                raise SettingsError(f"{PREFIX}CONFIG={config}: no such file", hint="Name an existing TOML file.")
            sources = (*sources, TomlConfigSettingsSource(settings_cls, Path(config)))
        return sources


class ArchiveSettings(PressmarkSettings):
    """Where captures and texts are stored, and how texts are extracted."""

    home: Path = Path("pressmark-data")
    """Folder of the defaults below, and of the spool."""

    store: str = ""
    """Object store: `file:PATH`, `s3://BUCKET/PREFIX` or `memory:`; empty: a folder under `home`."""

    database: str = ""
    """SQLAlchemy URL; empty: an SQLite file under `home`."""

    extract_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    """Processes that extract text."""

    extract_seconds: float = Field(default=5.0, gt=0)
    """Wall time that one page's extraction may take before its process is killed."""

    extract_megabytes: int = Field(default=512, ge=256)
    """Address space of one extraction process."""

    extractor: Literal["judged", "pressmark", "trafilatura"] = "judged"
    """Which witness makes the text of a page."""

    site_rules: Path | None = None
    """TOML file with the operator's own rules for the pages of some sites."""

    restless_visits: int = Field(default=3, ge=0)
    """At how many visits in which a place in a post's text was different by chance, such as a counter or a quotation of
    the day, it is no edit any more; 0: every difference is an edit."""

    batch_megabytes: float = Field(default=256.0, gt=0)
    """A batch is committed when its captures reach this size on disk."""

    batch_seconds: float = Field(default=600.0, gt=0)
    """A batch is committed when its first record is this old."""

    spool_megabytes: float = Field(default=4096.0, gt=0)
    """Disk space that batches waiting for the store may take; beyond it, a crawl pauses until some are committed."""

    outage_seconds: float = Field(default=600.0, ge=0)
    """How long a crawl that is finished, or has no room, waits for store, database or disk before it gives up;
    the next one commits what it left in the spool."""

    run_seconds: float | None = Field(default=None, gt=0)
    """Seconds that a run has: after three quarters of them it takes no new work; None: no limit."""

    compact_grace: Span = timedelta(hours=6)
    """How long the objects that a joined one replaces stay in the store."""

    compact_megabytes: float = Field(default=1000.0, gt=0)
    """Largest size of a joined object with captures; of one with texts, a sixteenth of it."""

    timestamp_authority: Annotated[str, AfterValidator(_web_address)] = ""
    """URL of the authority that time-stamps the newest roots of the logs (RFC 3161); empty: none."""

    timestamp_roots: Path | None = None
    """PEM file with the authority's root certificates, against which its signatures are verified; None: none is."""

    @model_validator(mode="after")
    def _fill_from_home(self) -> Self:
        home = self.home.absolute()
        object.__setattr__(self, "home", home)
        if not self.store:
            object.__setattr__(self, "store", f"file:{home / 'store'}")
        if not self.database:
            object.__setattr__(self, "database", f"sqlite:///{home / 'pressmark.db'}")
        return self

    @property
    def spool(self) -> Path:
        """Folder where a batch grows until it is in the store."""
        return self.home / "spool"

    @property
    def extract_limits(self) -> Limits:
        """What extracting one page may use."""
        from archive.runtime.worker_pool import Limits

        return Limits(
            seconds=self.extract_seconds,
            megabytes=self.extract_megabytes,
            seconds_setting=setting("extract_seconds"),
            megabytes_setting=setting("extract_megabytes"),
        )


S = TypeVar("S", bound=PressmarkSettings)


def load(kind: type[S], **overrides: Any) -> S:  # noqa: ANN401  the values are pydantic's to check
    """Read the settings of one package.

    Raises:
        SettingsError: A variable or a line of the TOML file cannot be used; the message names it.
    """
    try:
        return kind(**overrides)
    except ValidationError as e:
        first = e.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{PREFIX}{name}={masked(repr(first['input']))}: {first['msg']}") from e
    except ValueError as e:  # a TOML file that cannot be parsed, a variable that is not JSON
        raise SettingsError(f"settings: {e}", hint="Correct the file that PRESSMARK_CONFIG names.") from e
