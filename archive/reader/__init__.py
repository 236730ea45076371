"""Reading: captures, payloads and texts with verified digests; a page's history and its changes."""
