"""What anything from outside may take: one table, with a reason for each row. No I/O.

Those that an operator may want to change are settings (`crawler.settings`, `archive.settings`). docs/security.md shows
the whole table.
"""

# -- exchanges

HEADER_LINES = 1_000
"""Header lines looked at in one message; the stored bytes are not touched."""
MEDIA_TYPE_CHARACTERS = 200
"""A media type in the index; registered ones are shorter."""
URL_CHARACTERS = 8_192
"""A URL, in feeds, pages and requests; servers take none that are longer."""

# -- feeds, lists and sitemaps

ENTRY_CHARACTERS = 1_000_000
"""Markup of one entry that is remembered until its page is read; more would fill the database."""

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

COMPARED_LINES = 5_000
"""Lines that differ, on each side: the work grows with their product."""
QUERY_CHARACTERS = 2_000
"""A search query; longer ones are no person's."""
QUERY_TERMS = 50
"""Terms of a search query: each is a look into the index."""
RANKED_TEXTS = 2_000
"""Matching texts that are ranked, those archived last."""
INDEXED_WORDS = 100_000
"""Words of one text that can be searched for."""
CARRIED_CHARACTERS = 32_000_000
"""Texts of one batch that wait in memory to be indexed for search; those of a larger one are read from the spool."""
COMPARED_CHARACTERS = 1_000_000
"""Of two texts that are compared so much of each."""
COMPARED_WORDS = 60_000
"""Words compared one by one: the work grows with their square where nothing agrees."""
FOLLOWED_REDIRECTS = 10
"""Redirects followed within the archive, where they may form a ring."""
WACZ_BYTES = 256 * 1024 * 1024
"""One WACZ file: the replay engine loads it into the browser whole."""
PACKED_RESOURCES = 500
"""Captures in one WACZ file beside that of the page."""
PACKED_LINKS = 30
"""Linked pages among these."""
