"""The stored format: captures, HTTP messages, WARC records, files of other tools, urlkeys."""
