"""The way out: captures, payloads and texts with checked digests; a page's history and its changes."""
