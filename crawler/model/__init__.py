"""The values that the crawler's packages exchange. Pure, no I/O."""
