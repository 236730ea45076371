"""Where objects are kept for good: one protocol, three stores."""

from archive.stores.folder import FolderStore
from archive.stores.open import open_store
from archive.stores.protocol import ObjectStore

__all__ = ["FolderStore", "ObjectStore", "open_store"]
