"""The measurements in bench/ follow the code: every name that they import from it is there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

BENCHES = sorted((Path(__file__).parents[1] / "bench").glob("*.py"))
OURS = ("archive", "crawler", "schedules", "sample")


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Modules of ours and the names that a file imports from them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in OURS:
            yield from ((node.module or "", one.name) for one in node.names)


def is_there(module: str, name: str) -> bool:
    """Whether a module has a name, or is a package with such a module."""
    if hasattr(import_module(module), name):
        return True
    try:
        import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.stem)
def test_what_a_measurement_imports_exists(path: Path) -> None:
    missing = [f"{module}.{name}" for module, name in imported(path) if not is_there(module, name)]
    assert not missing
