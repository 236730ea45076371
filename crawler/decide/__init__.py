"""Rules: what follows from a visit. Pure, no I/O."""
