"""What anything from outside may take: one table, with a reason for each row. No I/O.

Those that an operator may want to change are settings (`crawler.settings`, `archive.settings`). docs/security.md shows
the whole table.
"""

# -- exchanges

DOMAIN_CONCURRENCY = 16
"""Exchanges at a time with all hosts of one registrable domain: a name server can make hosts without end."""
FLIGHT_BYTES = 512 * 1024 * 1024
"""What all answers under way may hold in memory; past that the largest is given up."""
INTERIM_HEADS = 20
"""Interim responses before the final one: servers send one or two."""
HEAD_BYTES = 2 * 1024 * 1024
"""Head of a response, those of interim responses before it included: sites that set hundreds of cookies send one."""
HEADER_LINES = 1_000
"""Header lines looked at in one message; the stored bytes are not touched."""
MEDIA_TYPE_CHARACTERS = 200
"""A media type in the index; registered ones are shorter."""
URL_CHARACTERS = 8_192
"""A URL, in feeds, pages and requests; servers take none that are longer."""
ROBOTS_BYTES = 512_000
"""What is read of a robots.txt; RFC 9309 §2.5 asks for 500 kibibytes at least."""
ROBOTS_HELD_BYTES = 4 * 1024 * 1024
"""Text of all robots.txt whose rules are at hand: rules take twenty times their text."""
ROBOTS_SECONDS = 20.0
"""The exchange with which a robots.txt is asked for: all requests to its host wait for it."""
CRAWL_DELAY_SECONDS = 60.0
"""Crawl-delay of a robots.txt that is kept: more would stop a crawl."""
CACHE_HEADER_CHARACTERS = 1_000
"""Of a header that tells of caching so much is read."""
LINK_HEADER_CHARACTERS = 16_384
"""Of a Link header so much is read."""
DISCOVERY_REQUESTS = 20
"""Requests with which the feed of one blog is looked for."""
POST_SECONDS = 20.0
"""One request to a hub or webhook, from looking up its name to the last byte: one that trickles must not hold a job."""
POST_ANSWER_BYTES = 64 * 1024
"""Answer of a hub or webhook that is read: nothing in it is needed but its status."""
HUBS_AT_ONCE = 200
"""Subscriptions asked for in one run of the job."""
NOTIFICATION_BYTES = 10 * 1024 * 1024
"""What a hub sends along: it is checked against its signature and not kept."""

# -- feeds, lists and sitemaps

FEED_ENTRIES = 10_000
"""Entries of one feed document, the newest: three seconds of work, and more than blogs show."""
FEED_CHARACTERS = 64 * 1024 * 1024
"""What all entries of one feed document may say together: references and bases can make much of little."""
ENTRY_CHARACTERS = 1_000_000
"""Markup of one entry that is remembered until its page is read; more would fill the database."""
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
SITEMAP_BYTES = 50 * 1024 * 1024
"""A sitemap, unpacked; the protocol's own limit."""
SITEMAP_URLS = 50_000
"""URLs of a sitemap, links of a page; the protocol's own limit."""
BACKFILL_LISTINGS = 5_000
"""Listings of one backfill: calendars without end."""
BACKFILL_PAGES = 200_000
"""Pages of one backfill: more than any blog has."""

# -- pages

DECODED_BYTES = 100 * 1024 * 1024
"""A payload that is read grows no further while its content coding is undone: more is a bomb or no page."""
PAGE_BYTES = 20 * 1024 * 1024
"""Payload of a page whose text is made; the longest honest posts have a tenth of that."""
TEXT_CHARACTERS = 5_000_000
"""Words of one page, its markdown, its comments: a long novel has a fifth of that, and readers hold it in memory."""
TABLE_COLUMNS = 100
"""Columns of a table that is written as one: each row is as wide as the widest."""
LINKED_DATA_CHARACTERS = 1_000_000
"""One script of linked data in a page; honest ones have a hundredth of that."""
LINKED_DATA_ITEMS = 500
"""Objects of linked data that are looked at in a page."""
GUIDE_CHARACTERS = 2_000_000
"""Of an entry's markup so much guides extraction: it is parsed once more for each page."""
FIELD_CHARACTERS = 1_000
"""Title, author and the like of a text: they stand in lists and headers."""
VANISHED_BYTES = 2_000_000
"""Of a page so much is searched for signs that it is another."""
REQUISITES_BYTES = 5_000_000
"""Of a page or stylesheet so much is searched for what it loads."""
REQUISITES_FOUND = 300
"""Images, stylesheets and fonts noticed in one page."""
REQUISITE_URL_CHARACTERS = 2_000
"""URL of one of these; longer ones carry data."""

# -- files of other tools

RECORD_BYTES = 256 * 1024 * 1024
"""Block of one record in an imported file: it lies in memory while it is copied."""
RECORD_HEAD_BYTES = 1 << 17
"""Header of one record in an imported file."""
ARC_LINE_BYTES = 1 << 13
"""First line of one record in an imported ARC file."""
EVENT_RECORDS = 100
"""Records of one capture in an imported file."""
OTHER_RECORDS = 1_000
"""Records that wait for the capture they belong to, for each of them."""
WAITING_RECORDS = 100_000
"""Records that wait in all."""
WACZ_MEMBERS = 10_000
"""Files within an imported WACZ: a ZIP can name millions in little space."""
WACZ_GROWTH = 100
"""Bytes of a file within an imported WACZ for each that it takes there: more is a bomb."""
WAITING_BYTES = 64 * 1024 * 1024
"""Blocks of records that wait for others: those of one capture, those without one, revisits; each for itself."""
BROKEN_TOLD = 1_000
"""Faults of one file that are told one by one; the rest is counted."""
WACZ_JSON_BYTES = 16 << 20
"""Description of an imported WACZ: read at once."""

# -- what is asked of the web app

REQUEST_HEAD_BYTES = 64 * 1024
"""Head of a request to the web app: one URL and a few headers."""
REQUEST_SECONDS = 20.0
"""From connecting, or the answer before, until a request is whole: clients that trickle must not shut others out."""
HEALTH_SECONDS = 15.0
"""A look at one part of the installation; one that does not answer is ill."""
FILTER_SECONDS = 2.0
"""What all expressions of one CDX query may take together."""
PATTERN_REPEATS = 10_000
"""Product of all counted repetitions in an expression: they are unrolled in memory."""
COMPARED_LINES = 5_000
"""Lines that differ, on each side: the work grows with their product."""
PAYLOADS_BYTES = 256 * 1024 * 1024
"""Large answers that are being sent, all together: slow readers keep them in memory."""
QUERY_CHARACTERS = 2_000
"""A search query; longer ones are no person's."""
QUERY_TERMS = 50
"""Terms of a search query: each is a look into the index."""
RANKED_TEXTS = 2_000
"""Matching texts that are ranked, those archived last."""
INDEXED_WORDS = 100_000
"""Words of one text that can be searched for."""
CDX_LINES = 1_000_000
"""Lines of one CDX answer; a resume key leads on."""
CDX_FILTERS = 20
"""Filters of one CDX query: each looks at each line."""
PATTERN_CHARACTERS = 1_000
"""An expression in a CDX filter."""
PATTERN_SECONDS = 0.05
"""An expression's time on one line: some never end."""
CLOSEST_CAPTURES = 100_000
"""Captures of one URL that are sorted by nearness."""
API_ITEMS = 100
"""Items of one answer of the API."""
COMPARED_CHARACTERS = 1_000_000
"""Of two texts that are compared so much of each."""
COMPARED_WORDS = 60_000
"""Words compared one by one: the work grows with their square where nothing agrees."""
SHOWN_CHARACTERS = 100_000
"""Text shown on one page of the web app; the rest is a link away."""
PLAIN_CHARACTERS = 5_000_000
"""Markup that is sanitised for one view."""
PLAIN_SECONDS = 5.0
"""Making one view, in a process of its own: markup can be made that takes a sanitiser minutes."""
PLAIN_IMAGES = 500
"""Images of one view."""
REPLAYED_HEADERS = 200
"""Archived headers given with a memento: clients and proxies refuse more."""
REPLAYED_HEAD_CHARACTERS = 24 * 1024
"""All of them."""
REPLAYED_HEADER_CHARACTERS = 8_000
"""Value of one of them."""
FOLLOWED_REDIRECTS = 10
"""Redirects followed within the archive, where they may form a ring."""
WACZ_BYTES = 256 * 1024 * 1024
"""A WACZ that we make for the replay engine: a browser loads it at once."""
PACKED_RESOURCES = 500
"""Captures that go into one WACZ for the replay engine."""
PACKED_LINKS = 30
"""Linked pages among these."""
FORM_BYTES = 20_000
"""A form sent to the web app: it has a URL and a token."""
