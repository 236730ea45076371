"""The archive: captures and texts, kept for good and given back. Knows nothing of feeds."""
