"""Scores our text and that of other extractors on labelled pages, and prints a table for docs/text.md.

    make peers                                       # once: the others, in an environment of their own
    .venv-peers/bin/python bench/peers.py CORPUS     # CORPUS as for bench/judge.py

The score of a page is the F1 of its words, or, where only segments are labelled, of those that must and must not be
there; a part's score is the mean of its pages. Only the page is given: no feed entry, no site profile. CPU is the median
of milliseconds a page in this one run, metadata included where an extractor gives any.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from judge import labels_of, page_of, score

Extract = Callable[[bytes, str], str]


def ours(name: str) -> Extract:
    from archive.errors import ExtractError
    from archive.extract.method import Method
    from archive.extract.pipeline import extract

    def text(page: bytes, url: str) -> str:
        try:
            return extract(page, url=url, method=Method(extractor=name)).text
        except ExtractError:
            return ""

    return text


def trafilatura() -> Extract:
    from trafilatura import bare_extraction

    def text(page: bytes, url: str) -> str:
        found = bare_extraction(page, url=url, with_metadata=True)
        return (found.text or "") if found else ""

    return text


def readability() -> Extract:
    from lxml.html import fromstring
    from readability import Document

    def text(page: bytes, url: str) -> str:
        return "\n".join(fromstring(Document(page, url=url).summary()).itertext())

    return text


def newspaper() -> Extract:
    from newspaper import Article

    def text(page: bytes, url: str) -> str:
        article = Article(url, fetch_images=False)  # it would ask the live web
        article.download(input_html=page.decode("utf-8", "replace"))
        article.parse()
        return str(article.text)

    return text


def resiliparse() -> Extract:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    return lambda page, _: str(extract_plain_text(bytes_to_str(page, detect_encoding(page)), main_content=True))


def justext() -> Extract:
    import justext as library

    stop_words = frozenset().union(*map(library.get_stoplist, ("English", "German", "French", "Spanish")))

    def text(page: bytes, _: str) -> str:
        return "\n".join(one.text for one in library.justext(page, stop_words) if not one.is_boilerplate)

    return text


EXTRACTORS: dict[str, Callable[[], Extract]] = {
    "Pressmark (judged)": partial(ours, "judged"),
    "Pressmark (own only)": partial(ours, "pressmark"),
    "trafilatura": trafilatura,
    "readability-lxml": readability,
    "newspaper4k": newspaper,
    "resiliparse": resiliparse,
    "jusText": justext,
}


def scored(label: dict[str, Any], name: str) -> tuple[str, bool, float, float]:
    """Part, whether it is a blog's, score and CPU milliseconds of a page."""
    page = page_of(label)
    extract = EXTRACTORS[name]()
    begun = time.process_time()
    try:
        text = extract(page, label.get("url") or "http://page.example/")
    except Exception as e:
        print(f"{name}: {label['id']}: {type(e).__name__}", file=sys.stderr)
        text = ""
    spent = (time.process_time() - begun) * 1e3
    return label["folder"], label.get("blog") in ("strong", "weak"), score(text, label)[0], spent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    labels = labels_of(given.corpus)
    rows: dict[str, dict[str, float]] = {}
    cost: dict[str, float] = {}
    with ProcessPoolExecutor(given.processes) as pool:
        for name in EXTRACTORS:
            parts: dict[str, list[float]] = defaultdict(list)
            spent = []
            for folder, is_blog, reached, milliseconds in pool.map(partial(scored, name=name), labels, chunksize=16):
                spent.append(milliseconds)
                for part in (folder, *([f"{folder}, blogs"] if is_blog else ())):
                    parts[part].append(reached)
            rows[name] = {part: statistics.fmean(found) for part, found in parts.items()}
            cost[name] = statistics.median(spent)
    columns = sorted(next(iter(rows.values())))
    print("| extractor | " + " | ".join([*columns, "CPU ms"]) + " |")
    print("| --- |" + " ---: |" * (len(columns) + 1))
    best = {part: max(found[part] for found in rows.values()) for part in columns}
    for name, found in rows.items():
        cells = [f"**{found[part]:.3f}**" if found[part] == best[part] else f"{found[part]:.3f}" for part in columns]
        print(f"| {name} | " + " | ".join([*cells, f"{cost[name]:.0f}"]) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
