"""Opens the store that a setting names."""

from __future__ import annotations

from pathlib import Path

from archive.errors import SettingsError
from archive.stores.protocol import ObjectStore


def open_store(location: str) -> ObjectStore:
    """The store that a setting names: `file:PATH`, `s3://BUCKET/PREFIX` or `memory:`.

    Raises:
        SettingsError: It is none of these.
    """
    scheme, _, rest = location.partition(":")
    if scheme == "file" and rest:
        from archive.stores.folder import FolderStore

        return FolderStore(Path(rest.removeprefix("//")))
    if scheme == "s3" and rest.strip("/"):
        from archive.stores.s3 import S3Store

        bucket, _, prefix = rest.strip("/").partition("/")
        return S3Store(bucket, prefix)
    if scheme == "memory":
        from archive.stores.memory import MemoryStore

        return MemoryStore.named(rest)
    raise SettingsError(
        f"PRESSMARK_STORE={location}: no such kind of store",
        hint="Use file:PATH, s3://BUCKET/PREFIX or memory:.",
    )
