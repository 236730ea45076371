"""Full-text search: queries, ranking, snippets."""
