"""Posts older than the feed shows: finds them in listings. Pure, no I/O."""
