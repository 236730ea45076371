"""The index: a database of what is stored and where, and the queries on it."""
