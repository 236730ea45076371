"""Batches set aside: their own bytes or values were refused, so they wait in a folder that no run searches.

Nothing of them is lost. Beside each lies why, and `bring_back` returns them to the spool to be tried again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.errors import ArchiveError, ObjectExistsError
from archive.runtime.durable import sync_folder
from archive.writer.recover import batch_name

FOLDER = "aside"
"""Folder within the spool."""
REASON = "reason"
"""First word of the file that says why, and how the rest of its name begins."""
REMEDY = "pressmark seal --again tries it again"
_UNKNOWN = "set aside by an earlier version of Pressmark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A batch that was set aside."""

    name: str
    folder: Path
    reason: str
    """What was said when it was to be committed."""

    def line(self) -> str:
        """The batch as people see it."""
        return f"{self.name} is set aside in {self.folder}: {self.reason}; {REMEDY}"


def set_aside(spool: Path, paths: Sequence[Path], error: Exception) -> Aside:
    """Move the files of a batch to the folder, with the reason beside them.

    Raises:
        OSError: They cannot be moved; what was moved is found again by `bring_back`.
    """
    folder = spool / FOLDER
    folder.mkdir(exist_ok=True)
    name = batch_name(paths[0])
    reason = str(error) if isinstance(error, ArchiveError) else f"{type(error).__name__}: {error}"
    # An object of its name has other bytes: it will need another name.
    said = {"batch": name, "reason": reason, "taken": isinstance(error, ObjectExistsError)}
    with _reason(folder, name).open("w", encoding="utf-8") as out:
        json.dump(said, out, ensure_ascii=False)
        out.flush()
        os.fsync(out.fileno())
    for path in paths:
        path.rename(folder / path.name)
    sync_folder(folder)
    return Aside(name=name, folder=folder, reason=reason)


def found(spool: Path) -> tuple[Aside, ...]:
    """The batches that are set aside, in all parts of a spool, oldest first."""
    batches = {
        (batch_name(path), path.parent)
        for folder in (spool / FOLDER, *spool.glob(f"*/{FOLDER}"))
        for path in folder.glob("*-*")
        if not path.name.startswith(f"{REASON}-")
    }
    return tuple(
        Aside(name=name, folder=folder, reason=str(_said(folder, name).get("reason", _UNKNOWN)))
        for name, folder in sorted(batches)
    )


def told(batches: Sequence[Aside]) -> str:
    """Batches that are set aside, in one line, with the reason of the first."""
    folders = ", ".join(sorted({str(one.folder) for one in batches}))
    count = f"{len(batches)} batch" + ("" if len(batches) == 1 else "es")
    return f"{count} set aside in {folders}: {batches[0].reason}; {REMEDY}"


def bring_back(spool: Path, maker: str) -> int:
    """Return the batches of a maker to the spool, those whose name is taken under another one; returns their number.

    Raises:
        OSError: They cannot be moved.
    """
    folder = spool / FOLDER
    names = [one.name for one in found(spool) if one.folder == folder and one.name.startswith(f"{maker}-")]
    for name in names:
        # Batches of earlier versions do not say; another name does no harm.
        again = _renamed(name) if _said(folder, name).get("taken", True) else name
        for path in sorted(folder.glob(f"*-{name}.*")):
            if not path.name.startswith(f"{REASON}-"):
                path.rename(spool / path.name.replace(name, again))
        sync_folder(spool)
        _reason(folder, name).unlink(missing_ok=True)
    return len(names)


def _renamed(name: str) -> str:
    """Another name for a batch of the same maker and time."""
    return f"{name.rpartition('-')[0]}-{secrets.token_hex(4)}"


def _reason(folder: Path, name: str) -> Path:
    return folder / f"{REASON}-{name}.json"


def _said(folder: Path, name: str) -> dict[str, object]:
    try:
        said = json.loads(_reason(folder, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # of an earlier version, or lost
        return {}
    return said if isinstance(said, dict) else {}
