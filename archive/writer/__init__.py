"""Writing: spool files, batches, and the commit that makes them part of the archive."""
