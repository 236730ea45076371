"""The name of this machine: chosen once for a home folder, kept in its file `worker`."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
from datetime import datetime
from pathlib import Path

from archive.runtime import durable
from archive.runtime.durable import spool_errors, sync_folder
from crawler.frontier.machines import Machine

log = logging.getLogger(__name__)

_NAME = re.compile(r"[0-9a-f]{16}")
_FILE = "worker"
_MACHINE_ID = Path("/etc/machine-id")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def machine_name(home: Path) -> str:
    """The name of this machine, the same after a crash; a new one if the file is missing or holds none.

    Raises:
        SpoolError: The folder is not writable.
    """
    path = home / _FILE
    with spool_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        name = _read(path)
        if name is None and path.exists():
            log.warning("the name of this machine is damaged, it gets a new one file=%s", path)
            path.unlink(missing_ok=True)
        return name or _choose(path)


def _read(path: Path) -> str | None:
    try:
        text = path.read_bytes().decode("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    return text if _NAME.fullmatch(text) else None


def _choose(path: Path) -> str:
    """Write a name, durable before it has its place; if another process has just chosen one, it is that."""
    name = secrets.token_hex(8)
    new = path.with_name(f"{_FILE}-{name}.new")
    try:
        with new.open("x") as out:
            out.write(name + "\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(new, path)
        except FileExistsError:
            return _read(path) or name
    finally:
        new.unlink(missing_ok=True)
    sync_folder(path.parent)
    return name


def clean(home: Path, before: datetime) -> int:
    """Delete what was left before an instant by processes that were killed while they chose a name; returns how many.

    Raises:
        SpoolError: The folder is not writable.
    """
    return durable.clean(home, f"{_FILE}-*.new", before)


def this_machine(home: Path) -> Machine:
    """This home folder as the others see it.

    Raises:
        SpoolError: The folder is not writable.
    """
    name = machine_name(home)
    with spool_errors(home):
        place = (home / _FILE).resolve()
        marks = (_text(_MACHINE_ID), str(place), str(place.stat().st_ino))
    identity = hashlib.sha256("\n".join(marks).encode("utf-8", "surrogateescape")).hexdigest()
    return Machine(name=name, identity=identity, boot=_text(_BOOT_ID)[:64])


def _text(path: Path) -> str:
    """What the system says there; empty on systems without that file."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
