"""news-please, as a library in an environment of its own: articles with texts and metadata, as JSON.

python bench/contenders/news_please.py URLS FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ != "__main__":
    from contender import PROJECT, Contender, count_after, script

    PYTHON = PROJECT / ".venv-news-please" / "bin" / "python"

    CONTENDER = Contender(
        name="news-please",
        keeps="texts, metadata",
        argv=lambda task: [str(PYTHON), *script("news_please")[1:], str(task.urls), str(task.folder)],
        posts=count_after("posts"),
        missing=lambda: None if PYTHON.exists() else "news-please is missing: make news-please",
    )
else:
    import json

    from newsplease import NewsPlease

    found = NewsPlease.from_urls(Path(sys.argv[1]).read_text().split())
    kept = [one.get_serializable_dict() for one in found.values() if getattr(one, "maintext", None)]
    (Path(sys.argv[2]) / "articles.json").write_text("\n".join(json.dumps(one, default=str) for one in kept))
    print("posts", len(kept))
