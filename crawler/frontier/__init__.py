"""The frontier: subscriptions, what is due, what was seen, in a database."""
