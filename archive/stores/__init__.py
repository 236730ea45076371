"""Where objects are kept for good: one protocol, three stores."""

from archive.stores.folder import FolderStore
from archive.stores.protocol import ObjectStore, open_store

__all__ = ["FolderStore", "ObjectStore", "open_store"]
