"""Posts older than the feed shows: the listings that name them. Pure, no I/O."""
