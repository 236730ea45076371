"""Recovery from the archive alone: frontier, state objects, posts without a text."""
