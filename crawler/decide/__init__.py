"""Rules: what a visit of a feed or page changes. Pure, no I/O."""
