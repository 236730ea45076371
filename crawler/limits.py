"""Limits of a crawl on servers, feeds, lists and sitemaps, each with its reason. No I/O."""

from __future__ import annotations

DOMAIN_CONCURRENCY = 16
"""Concurrent exchanges with all hosts of one registrable domain: a name server can invent hosts without end."""
FLIGHT_BYTES = 512 * 1024 * 1024
"""Memory for all responses in flight; beyond that the largest is aborted."""
INTERIM_HEADS = 20
"""Interim responses before the final one: servers send one or two."""
HEAD_BYTES = 2 * 1024 * 1024
"""Head of a response, including interim responses before it: sites that set hundreds of cookies send large ones."""
IDLE_BYTES = 1024 * 1024
"""Bytes on the wire between two looks at what they bring; shorter responses are not looked at before their end."""
LEAST_SHARE = 64
"""How many bytes on the wire must bring one of the decoded payload: chunks of one flushed byte take twelve for each."""
BLANK_BYTES = 32 * 1024 * 1024
"""White space in a row after which no post can be expected; templates gone wrong write a tenth of that."""


ROBOTS_BYTES = 512_000
"""How much of a robots.txt is read; RFC 9309 §2.5 requires at least 500 kibibytes."""
ROBOTS_HELD_BYTES = 4 * 1024 * 1024
"""Text of all robots.txt files whose rules are cached: rules take twenty times the memory of their text."""
ROBOTS_SECONDS = 20.0
"""Time for requesting a robots.txt: all requests to its host wait for it."""
CRAWL_DELAY_SECONDS = 60.0
"""Longest crawl delay in a robots.txt that is obeyed: a longer one would stop a crawl."""
REFRESH_SECONDS = 5.0
"""Longest wait after which a page's refresh counts as a redirect: nobody reads a page in less; tickers wait longer."""
REFRESH_BYTES = 64 * 1024
"""Beginning of a page that is searched for a refresh: pages that only redirect are short."""
REDIRECTS = 8
"""Redirects and refreshes followed from one address."""
COOKIE_RETURNS = 3
"""How often redirects may lead back to one address with other cookies: one suffices, and some sites never stop."""
COOKIES = 50
"""Cookies that one chain of redirects may set; RFC 6265 §6.1 requires browsers to accept as many."""
COOKIE_BYTES = 4_096
"""One of these cookies with its attributes, and all that are sent with a request; servers accept no longer headers."""
CACHE_HEADER_CHARACTERS = 1_000
"""How much of a caching header is read."""
LINK_HEADER_CHARACTERS = 16_384
"""How much of a Link header is read."""
DISCOVERY_REQUESTS = 20
"""Requests spent on discovering the feed of one blog."""
GUESSES_INSTEAD = 2
"""Usual addresses tried if every link to a feed that a page declares is dead: it has said where its feed is."""
LISTING_REQUESTS = 12
"""Requests spent on discovering a listing of posts, if a blog has no feed."""
LISTING_REQUESTS_INSTEAD = 3
"""Requests spent on discovering a listing if the declared feed is there and cannot be had: robots.txt and a sitemap."""
LISTING_SUBSCRIPTIONS = 3
"""Sitemaps of one index that are subscribed to at first, the newest: older posts are a matter of backfill."""
SAVE_FEED_REQUESTS = 3
"""Requests spent on the feed of a page that is saved on its own."""
REASONS = 5
"""Declared feeds of one page whose failure is reported; the others are counted."""
POST_SECONDS = 20.0
"""One request to a hub or webhook, from the name lookup to the last byte: a slow response must not block a job."""
POST_ANSWER_BYTES = 64 * 1024
"""How much of the response of a hub or webhook is read: only its status is needed."""
HUBS_AT_ONCE = 200
"""WebSub subscriptions requested in one run of the job."""


FOLLOWED_ENTRIES = 500
"""Entries of a feed document up to which it is followed which of them leave the feed."""
FEED_ENTRIES = 10_000
"""Entries read of one feed document, the newest ones: three seconds of work, and more than blogs have in a feed."""
LOOKS_AN_HOUR = 4
"""Visits of one archived page within an hour that new or changed entries of feeds may cause."""
POSTS_OF_PAGE = 100
"""Posts of one page, such as the anchors of a changelog, whose texts are made when the page is visited."""
FURTHER_PAGES = 20
"""Pages of one post that are fetched and joined besides the first."""
FEED_CHARACTERS = 64 * 1024 * 1024
"""All entries of one feed document together: entity references and base URLs can inflate a small document."""


UNPACKED_BYTES = 64 * 1024 * 1024
"""A feed or sitemap that is a gzip file, unpacked: more than the largest legitimate ones have."""


DATE_CHARACTERS = 100
"""A date in a feed: date parsers are slow on long input."""
TAGS = 100
"""Tags of one entry; also files attached to it."""
TAG_CHARACTERS = 200
"""One tag; also a media type, or a date as written."""
OPML_BYTES = 64 * 1024 * 1024
"""A list of subscriptions; the largest legitimate ones have a tenth of that."""
STATE_CHANGES = 100
"""Changes of the subscriptions that are stored one after the other before the whole list is stored again."""
OPML_OUTLINES = 1_000_000
"""Entries of a list of subscriptions."""
FIRST_YEAR = 1990
"""The first year of the web: earlier dates of posts are doubtful."""
SITEMAP_BYTES = 50 * 1024 * 1024
"""A sitemap, unpacked; the protocol's own limit."""
SITEMAP_URLS = 50_000
"""URLs of a sitemap, links of a page; the protocol's own limit."""
BACKFILL_LISTINGS = 5_000
"""Listings of one backfill: calendars can be endless."""
BACKFILL_PAGES = 200_000
"""Pages of one backfill: more than any blog has."""


ANSWER_SECONDS = 1.0
"""Time for each answer of a site that is not counted as slowness: honest ones take a fraction of it."""
ENDING_SECONDS = 5
"""How long a run that was asked to end waits for responses on their way; it ends within 30 s, whatever hangs."""
END_SECONDS = 18
"""Longest time from the request to end until a run's process is left, with what it has in the spool: less than the
daemon waits before it kills (20 s), since other programs may wait for no more than 30 s."""
VANISHED_BYTES = 2_000_000
"""How much of a page is searched for signs that it is no longer the post."""
