"""Fits the weights of the judge between two extractors, and says what it gains.

    python bench/judge.py CORPUS [--left-out 0.5] [--rounds 10] [--processes 2] [--cache FILE]

CORPUS has a folder for each source: `labels.jsonl` and the pages as `ID.html.gz`. A label has `id`, `url`, `site` and
`text`, or the segments `with` and `without`.

The rules of this project were written with such pages in view, so on them our own extractor looks better than it is
elsewhere. The fit therefore sees each page as it looks to rules that do not know it: of the names and headings in
`boilerplate.toml` a share, another one for each site, is left out. Sites are never in both halves of the
cross-validation. Exit code 1 if the judge is worse than our own text alone on pages that the rules do not know.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import math
import pickle
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from archive.errors import ExtractError
from archive.extract import boilerplate, own_extractor, page_metadata, trim
from archive.extract.blocks import plain_text
from archive.extract.evidence import Evidence, Measured
from archive.extract.extractor import Page
from archive.extract.extractors import EXTRACTORS
from archive.extract.judged_extractor import MARGIN, candidates_of
from archive.extract.page_source import Source

NAMES = [one.name for one in fields(Evidence)]
OURS = "pressmark"
SLIGHT = 0.005
"""Difference of two scores below which a pair of candidates teaches nothing."""
MOST = 0.3
"""Difference above which it teaches no more."""
FOLDS = 10
ASKED = 0.25
"""Share of the pages on which the second witness is asked."""
RARE = 5.0
"""How much more a page counts on which the judge chooses another text than ours: they are few."""
STEPS = 12
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+?(?=[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])|\w+")


@dataclass(frozen=True)
class Case:
    """A page with its candidates."""

    key: str
    site: str
    blog: bool
    scores: dict[str, float]
    """F1 of each candidate."""
    recalls: dict[str, float]
    evidence: dict[str, tuple[float, ...]]


def score(text: str, label: dict[str, Any]) -> tuple[float, float]:
    """F1 and recall of a text."""
    if label.get("text") is not None:
        got, gold = (Counter(_TOKEN.findall(one.lower())) for one in (text, label["text"]))
        right, found, wanted = sum((got & gold).values()), sum(got.values()), sum(gold.values())
    else:
        plain = " ".join(text.split())
        right = sum(" ".join(one.split()) in plain for one in label["with"])
        found = right + sum(" ".join(one.split()) in plain for one in label["without"])
        wanted = len(label["with"])
    return (2 * right / (found + wanted) if found + wanted else 1.0), (right / wanted if wanted else 1.0)


def leave_out(share: float, site: str) -> None:
    """Leave out a share of the rules, another one for each site."""
    known = _ALL

    def stays(rule: object) -> bool:
        found = hashlib.sha256(f"{rule}|{site}".encode()).digest()
        return int.from_bytes(found[:4], "big") >= share * 2**32

    def some(rules: frozenset[str]) -> frozenset[str]:
        return frozenset(filter(stays, rules))

    left = replace(
        known,
        classes=some(known.classes),
        ids=some(known.ids),
        id_starts=tuple(filter(stays, known.id_starts)),
        names={mark: some(listed) for mark, listed in known.names.items()},
        headings=some(known.headings),
        comments=some(known.comments),
        lines=some(known.lines),
        starts=tuple(filter(stays, known.starts)),
    )
    boilerplate.rules = lambda: left  # type: ignore[assignment]
    boilerplate._marks.cache_clear()  # noqa: SLF001  its answers were given by other rules
    boilerplate._named.cache_clear()  # noqa: SLF001
    trim._is_own_line.cache_clear()  # noqa: SLF001


_ALL = boilerplate.rules()


def case(label: dict[str, Any], left_out: float) -> Case | None:
    """The candidates of one page."""
    key = f"{label['folder']}/{label['id']}"
    site = label.get("site") or key
    leave_out(left_out, site)
    payload = page_of(label)
    try:
        source = Source.of(payload, label.get("url") or "http://page.example/", None)
    except ExtractError:
        return None
    facts = page_metadata.read(source.tree, url=source.url, latest=None)
    page = Page(source=source, title=facts.title)
    found = own_extractor.find(page)
    if found is None:
        return None
    measured = Measured.of(page.outline)
    listed = candidates_of(page, found, EXTRACTORS["trafilatura"].post(page))
    scored = {name: score(plain_text(blocks), label) for name, blocks in listed.items()}
    return Case(
        key,
        site,
        label.get("blog") in ("strong", "weak"),
        {name: one[0] for name, one in scored.items()},
        {name: one[1] for name, one in scored.items()},
        {name: astuple(measured.evidence(blocks)) for name, blocks in listed.items()},
    )


def dot(weights: Sequence[float], x: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, x, strict=True))


Row = tuple[tuple[float, ...], float, float]
"""Measures, what is to be predicted (0 or 1), and how much the row counts."""


def logistic(rows: list[Row], penalty: float = 1.0) -> list[float]:
    """Weights of a logistic regression without a constant, by Newton's method; large ones are penalised."""
    size = len(rows[0][0])
    scale = [math.sqrt(sum(x[i] ** 2 for x, _, _ in rows) / len(rows)) or 1.0 for i in range(size)]
    scaled = [(tuple(value / by for value, by in zip(x, scale, strict=True)), y, w) for x, y, w in rows]
    weights = [0.0] * size
    for _ in range(STEPS):
        slope = [penalty * weight for weight in weights]
        curve = [[penalty * (i == j) for j in range(size)] for i in range(size)]
        for x, y, w in scaled:
            reached = 1 / (1 + math.exp(-max(-30.0, min(30.0, dot(weights, x)))))
            for i in range(size):
                slope[i] += w * (reached - y) * x[i]
                bent = w * reached * (1 - reached) * x[i]
                for j in range(size):
                    curve[i][j] += bent * x[j]
        weights = [weight - step for weight, step in zip(weights, solved(curve, slope), strict=True)]
    return [weight / by for weight, by in zip(weights, scale, strict=True)]


def solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution of linear equations, by Gaussian elimination; the matrix is positive definite."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i, row in enumerate(rows):
        for other in rows[i + 1 :]:
            share = other[i] / row[i]
            other[:] = [value - share * above for value, above in zip(other, row, strict=True)]
    found: list[float] = []
    for i in range(len(rows) - 1, -1, -1):
        known = sum(value * one for value, one in zip(rows[i][i + 1 : -1], found, strict=True))
        found.insert(0, (rows[i][-1] - known) / rows[i][i])
    return found


def fit(cases: list[Case]) -> list[float]:
    """Weights by which the better of two candidates has the larger sum."""
    rows = []
    for one in cases:
        names = list(one.scores)
        for at, a in enumerate(names):
            for b in names[:at]:
                better = one.scores[a] - one.scores[b]
                x = tuple(p - q for p, q in zip(one.evidence[a], one.evidence[b], strict=True))
                if abs(better) >= SLIGHT and any(x):
                    counts = min(abs(better), MOST)
                    rows += [(x, float(better > 0), counts), (tuple(-value for value in x), float(better < 0), counts)]
    return logistic(rows)


def choice(weights: list[float], one: Case, margin: float = MARGIN) -> str:
    sums = {name: dot(weights, x) + (margin if name == OURS else 0.0) for name, x in one.evidence.items()}
    return max(sums, key=sums.__getitem__)


def fit_doubt(weights: list[float], cases: list[Case]) -> tuple[list[float], float]:
    """Weights and threshold of the doubt by which the second witness is asked on a share of the pages."""
    rows = []
    for one in cases:
        is_other = choice(weights, one) != OURS
        rows.append(((*one.evidence[OURS], 1.0), float(is_other), RARE if is_other else 1.0))
    *doubt, _ = logistic(rows)
    sums = sorted((dot(doubt, one.evidence[OURS]) for one in cases), reverse=True)
    return doubt, sums[int(len(sums) * ASKED)]


def fold_of(site: str) -> int:
    return int(hashlib.sha256(site.encode()).hexdigest(), 16) % FOLDS


def table(title: str, rows: list[tuple[Case, str, bool]]) -> dict[str, float]:
    """Print what the judge makes of each part; what it makes of all."""
    parts: dict[str, list[tuple[Case, str, bool]]] = defaultdict(list)
    for row in rows:
        source = row[0].key.partition("/")[0]
        for part in (source, *([f"{source} blogs", "all blogs"] if row[0].blog else []), "all"):
            parts[part].append(row)
    print(
        f"\n{title}\n{'':18}{'pages':>6} {'ours':>8} {'other':>8} {'judged':>8} {'best':>8}  asked  recall < .5: ours, judged"
    )
    means: dict[str, float] = {}
    for part in sorted(parts):
        found = parts[part]
        ours, other, judged, best = (
            sum(f(one, name, asked) for one, name, asked in found) / len(found)
            for f in (
                lambda one, *_: one.scores[OURS],
                lambda one, *_: one.scores.get("trafilatura", 0.0),
                lambda one, name, asked: one.scores[name if asked else OURS],
                lambda one, *_: max(one.scores.values()),
            )
        )
        low = [
            sum(one.recalls[OURS] < 0.5 for one, _, _ in found),
            sum(one.recalls[name if asked else OURS] < 0.5 for one, name, asked in found),
        ]
        share = sum(asked for _, _, asked in found) / len(found)
        print(
            f"{part:18}{len(found):6} {ours:8.4f} {other:8.4f} {judged:8.4f} {best:8.4f}  {share:5.2f}  {low[0]}, {low[1]}"
        )
        means |= {f"{part} ours": ours, f"{part} judged": judged}
    return means


def labels_of(corpus: Path) -> list[dict[str, Any]]:
    """The labels that can be scored, each with its `folder`."""
    found = [
        {**json.loads(line), "folder": listed.parent.name, "corpus": str(corpus)}
        for listed in sorted(corpus.glob("*/labels.jsonl"))
        for line in listed.read_text("utf-8").splitlines()
    ]
    return [one for one in found if one.get("text") is not None or one.get("with") is not None]


def page_of(label: dict[str, Any]) -> bytes:
    """The page that is labelled."""
    return gzip.decompress((Path(label["corpus"]) / label["folder"] / f"{label['id']}.html.gz").read_bytes())


def load(corpus: Path, left_out: float, processes: int) -> list[Case]:
    with ProcessPoolExecutor(processes) as pool:
        found = pool.map(partial(case, left_out=left_out), labels_of(corpus), chunksize=16)
        return [one for one in found if one]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--left-out", type=float, default=0.5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    if given.cache and given.cache.exists():
        unknown, known = pickle.loads(given.cache.read_bytes())
    else:
        unknown, known = (load(given.corpus, share, given.processes) for share in (given.left_out, 0.0))
        if given.cache:
            given.cache.write_bytes(pickle.dumps((unknown, known)))
    judged: dict[bool, list[tuple[Case, str, bool]]] = {False: [], True: []}
    for fold in range(FOLDS):
        learned = [one for one in unknown if fold_of(one.site) != fold]
        weights = fit(learned)
        doubt, certain = fit_doubt(weights, learned)
        for is_known, cases in ((False, unknown), (True, known)):
            judged[is_known] += [
                (one, choice(weights, one), dot(doubt, one.evidence[OURS]) >= certain)
                for one in cases
                if fold_of(one.site) == fold
            ]
    means = table("pages as rules see them that do not know them", judged[False])
    table("pages as our rules see them", judged[True])
    weights = fit(unknown)
    doubt, certain = fit_doubt(weights, unknown)
    for name, found in (("WEIGHTS", weights), ("DOUBT", doubt)):
        print(f"{name} = Evidence({', '.join(f'{one}={value:.2f}' for one, value in zip(NAMES, found, strict=True))})")
    print(f"CERTAIN = {certain:.2f}")
    return 0 if means["all judged"] >= means["all ours"] else 1


if __name__ == "__main__":
    sys.exit(main())
