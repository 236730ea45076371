"""Where objects are kept for good: one protocol, three stores."""

from archive.stores.protocol import ObjectStore, open_store

__all__ = ["ObjectStore", "open_store"]
