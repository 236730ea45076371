"""What anything from outside may take: one table, with a reason for each row. No I/O.

An operator sets those that are settings (`crawler.settings`, `archive.settings`); the defaults of these stand here, too.
docs/security.md shows the whole table.
"""

POST_SECONDS = 20.0
"""A request of our own to a hub or webhook, from looking up the name to the last byte: one that trickles holds no job."""
POST_ANSWER_BYTES = 64 * 1024
"""Answer of a hub or webhook that is read: nothing in it is needed but its status."""
