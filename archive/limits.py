"""Limits on what comes from outside: one table, with a reason for each row. No I/O.

Those that an operator may want to change are settings (`crawler.settings`, `archive.settings`). docs/security.md shows
the whole table.
"""

# -- clocks

CLOCK_SECONDS = 600
"""How far clocks may differ: what is dated later than this after now was dated by a clock that was ahead."""

# -- exchanges

HEADER_LINES = 1_000
"""Header lines parsed in one message; the stored bytes are unaffected."""
STREAMED_HEAD_BYTES = 4 * 1024 * 1024
"""Head of an archived response whose payload is sent in pieces; those that the crawler stores have half of that."""
MEDIA_TYPE_CHARACTERS = 200
"""A media type in the index; registered ones are shorter."""
URL_CHARACTERS = 8_192
"""A URL, in feeds, pages and requests; servers do not accept longer ones."""

# -- feeds, lists and sitemaps

ENTRY_CHARACTERS = 1_000_000
"""Markup of one entry that is stored until its page is read; more would fill the database."""

# -- pages

DECODED_BYTES = 100 * 1024 * 1024
"""A payload after its content coding is removed; a larger one is a decompression bomb or not a page."""
MEMBERS = 5_000
"""Members of a compressed response that are decoded while it arrives: honest ones have a hundredth of that."""
PAGE_BYTES = 20 * 1024 * 1024
"""A page whose text is extracted, without what fills it; the longest genuine posts have a tenth of that."""
BLANK_CHARACTERS = 1_024
"""White space in a row that a long page keeps: no poem has as much, and parsers drop what follows millions."""
ATTRIBUTES = 256
"""Attributes of one tag in a long page: the time for parsing them grows with their square."""
TEXT_CHARACTERS = 5_000_000
"""Text of one page, its Markdown, its comments: a long novel has a fifth of that, and readers load it into memory."""
RIGHTS_DIRECTIVES = 40
"""Directives for robots that are kept of one response."""
TEXT_LINKS = 2_000
"""Links listed with one text; a long list of links on a blog has a tenth of that. Its Markdown has all of them."""
TEXT_IMAGES = 1_000
"""Pictures listed with one text."""
LINK_CHARACTERS = 300
"""Words of a link, as listed; longer ones are paragraphs."""
TABLE_COLUMNS = 100
"""Columns of a table that is written as a table: each row is as wide as the widest."""
LINKED_DATA_CHARACTERS = 1_000_000
"""One JSON-LD script in a page; genuine ones have a hundredth of that."""
LINKED_DATA_ITEMS = 500
"""JSON-LD objects examined in a page."""
GUIDE_CHARACTERS = 2_000_000
"""Beginning of an entry's markup that guides extraction: it is parsed again for each page."""
FIELD_CHARACTERS = 1_000
"""Title, author and similar fields of a text: they appear in lists and headers."""
DETECTED_BYTES = 64 * 1024
"""Text by which the charset of a page is recognized; a hundredth of it is enough for most."""
REQUISITES_BYTES = 5_000_000
"""Beginning of a page or stylesheet that is searched for the resources it loads."""
REQUISITES_FOUND = 300
"""Images, stylesheets and fonts found in one page."""
REQUISITE_URL_CHARACTERS = 2_000
"""URL of one of these; longer ones contain data."""

# -- files of other tools

RECORD_BYTES = 256 * 1024 * 1024
"""Block of one record in an imported file: it is in memory while it is copied."""
RECORD_HEAD_BYTES = 1 << 17
"""Header of one record in an imported file."""
ARC_LINE_BYTES = 1 << 13
"""First line of one record in an imported ARC file."""
EVENT_RECORDS = 100
"""Records of one capture in an imported file."""
OTHER_RECORDS = 1_000
"""Records of an imported file that wait until it has a capture."""
WAITING_RECORDS = 100_000
"""Imported revisits that wait for the response they refer to."""
WACZ_MEMBERS = 10_000
"""Files within an imported WACZ: a ZIP can name millions in little space."""
WACZ_GROWTH = 100
"""Decompressed bytes of a file within an imported WACZ for each compressed one: more is a decompression bomb."""
WAITING_BYTES = 64 * 1024 * 1024
"""Blocks of records that wait, counted separately: those of one capture, those without a capture, revisits."""
BROKEN_TOLD = 1_000
"""Faults of one file that are reported one by one; the rest are only counted."""
WACZ_JSON_BYTES = 16 << 20
"""Description of an imported WACZ, which is read in one piece."""

# -- requests to the web app

COMPARED_LINES = 5_000
"""Lines that differ, on each side: the work grows with their product."""
QUERY_CHARACTERS = 2_000
"""A search query; people do not type longer ones."""
QUERY_TERMS = 50
"""Terms of a search query: each is an index lookup."""
RANKED_TEXTS = 2_000
"""Matching texts that are ranked, the most recently archived ones."""
INDEXED_WORDS = 100_000
"""Words of one text that can be searched for."""
CARRIED_CHARACTERS = 32_000_000
"""Texts of one batch that wait in memory to be indexed for search; those of a larger one are read from the spool."""
LEARNED_CHARACTERS = 32_000_000
"""New texts that stay in memory to learn from them what recurs on sites; others are read from the store."""
COMPARED_CHARACTERS = 1_000_000
"""Beginning of each of two texts that is compared."""
COMPARED_WORDS = 60_000
"""Words compared one by one: the work grows with their square where nothing matches."""
MARKED_LINES = 5_000
"""Lines of one text by whose marks it is compared with others; further ones are compared as a whole."""
EDITS = 500
"""Edits between two versions that are listed with their classes; where there are more, the post was rewritten."""
EDIT_CHARACTERS = 5_000
"""Words of one edit, on each side; a comparison has all of them."""
PAGE_ALIASES = 32
"""Addresses of one page: one to which more of them lead is a front page or an error page, not a post."""
FOLLOWED_REDIRECTS = 10
"""Redirects followed within the archive, where they may form a loop."""
WACZ_BYTES = 256 * 1024 * 1024
"""One WACZ file: the replay engine loads all of it into the browser."""
WACZ_MAKING = 3
"""WACZ files that are made at the same time: each is in memory more than once."""
WACZ_WAITING = 8
"""Requests that wait for WACZ files which others make: each occupies one of the 40 threads that make pages."""
PACKED_RESOURCES = 500
"""Captures in one WACZ file besides that of the page."""
PACKED_LINKS = 30
"""Linked pages among these."""
SITE_PICTURE_BYTES = 64 * 1024 * 1024
"""One picture that is copied into a static site: it is in memory while it is copied."""

# -- evidence

EVIDENCE_BYTES = 512 * 1024 * 1024
"""Records of one evidence bundle, as they are stored: they are in memory while it is made."""
STAMP_BYTES = 64 * 1024
"""Response of a time stamp authority; those with all their certificates have a tenth of it."""
STAMP_SECONDS = 20
"""Time that a time stamp authority has for its response."""
