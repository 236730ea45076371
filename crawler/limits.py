"""Limits of a crawl: what servers, feeds, lists and sitemaps may take, each with its reason. No I/O."""

from __future__ import annotations

DOMAIN_CONCURRENCY = 16
"""Concurrent exchanges with all hosts of one registrable domain: a name server can invent hosts without end."""
FLIGHT_BYTES = 512 * 1024 * 1024
"""Memory for all responses in flight; past that the largest is abandoned."""
INTERIM_HEADS = 20
"""Interim responses before the final one: servers send one or two."""
HEAD_BYTES = 2 * 1024 * 1024
"""Head of a response, those of interim responses before it included: sites that set hundreds of cookies send one."""


ROBOTS_BYTES = 512_000
"""What is read of a robots.txt; RFC 9309 §2.5 asks for 500 kibibytes at least."""
ROBOTS_HELD_BYTES = 4 * 1024 * 1024
"""Text of all robots.txt whose rules are cached: rules take twenty times the memory of their text."""
ROBOTS_SECONDS = 20.0
"""The request for a robots.txt: all requests to its host wait for it."""
CRAWL_DELAY_SECONDS = 60.0
"""Longest Crawl-delay of a robots.txt that is obeyed: more would stop a crawl."""
CACHE_HEADER_CHARACTERS = 1_000
"""How much of a caching header is read."""
LINK_HEADER_CHARACTERS = 16_384
"""How much of a Link header is read."""
DISCOVERY_REQUESTS = 20
"""Requests spent on discovering the feed of one blog."""
POST_SECONDS = 20.0
"""One request to a hub or webhook, from looking up its name to the last byte: one that trickles must not hold a job."""
POST_ANSWER_BYTES = 64 * 1024
"""Answer of a hub or webhook that is read: nothing in it is needed but its status."""
HUBS_AT_ONCE = 200
"""WebSub subscriptions requested in one run of the job."""


FEED_ENTRIES = 10_000
"""Entries of one feed document, the newest: three seconds of work, and more than blogs show."""
FEED_CHARACTERS = 64 * 1024 * 1024
"""What all entries of one feed document may say together: references and bases can make much of little."""


DATE_CHARACTERS = 100
"""A date in a feed: readers of dates are slow on long ones."""
TAGS = 100
"""Tags of one entry, and files that go with it."""
TAG_CHARACTERS = 200
"""One of them; a media type, a date as it is written."""
OPML_BYTES = 64 * 1024 * 1024
"""A list of subscriptions; the largest honest ones have a tenth of that."""
OPML_OUTLINES = 1_000_000
"""Its entries."""
FIRST_YEAR = 1990
"""The first year of the web: older dates of posts are doubtful."""
SITEMAP_BYTES = 50 * 1024 * 1024
"""A sitemap, unpacked; the protocol's own limit."""
SITEMAP_URLS = 50_000
"""URLs of a sitemap, links of a page; the protocol's own limit."""
BACKFILL_LISTINGS = 5_000
"""Listings of one backfill: calendars without end."""
BACKFILL_PAGES = 200_000
"""Pages of one backfill: more than any blog has."""


VANISHED_BYTES = 2_000_000
"""How much of a page is searched for signs that it is no longer the post."""
