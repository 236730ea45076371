"""Object stores: one protocol, three implementations."""

from archive.stores.folder import FolderStore
from archive.stores.open import open_store
from archive.stores.protocol import ObjectStore, ReadableStore

__all__ = ["FolderStore", "ObjectStore", "ReadableStore", "open_store"]
