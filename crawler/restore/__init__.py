"""What is made anew from the archive alone: frontier, state objects, unread posts."""
