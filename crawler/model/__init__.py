"""The values that the crawler's rooms hand to one another. Pure, no I/O."""
