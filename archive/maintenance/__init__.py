"""Jobs on a whole archive: verify, reindex, import, re-extract, learn site profiles."""
