"""What anything from outside may take: one table, with a reason for each row. No I/O.

Those that an operator may want to change are settings (`crawler.settings`, `archive.settings`); their defaults stand
here, too. docs/security.md shows the whole table.
"""

FEED_ENTRIES = 10_000
"""Entries of one feed document, the newest: three seconds of work, and more than blogs show."""
FEED_SECONDS = 15.0
"""Reading one feed document: the largest honest ones take a third of that on a machine that is busy."""
ROBOTS_BYTES = 512_000
"""What is read of a robots.txt; RFC 9309 §2.5 asks for 500 kibibytes at least."""
ROBOTS_SECONDS = 20.0
"""The exchange with which a robots.txt is asked for: all requests to its host wait for it."""
POST_SECONDS = 20.0
"""One request to a hub or webhook, from looking up its name to the last byte: one that trickles must not hold a job."""
POST_ANSWER_BYTES = 64 * 1024
"""Answer of a hub or webhook that is read: nothing in it is needed but its status."""
