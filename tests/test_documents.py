"""The documents say what the code does: every command, option and setting is there, and no link leads nowhere."""

from __future__ import annotations

import ast
import re
import tomllib
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from urllib.parse import unquote

import click
import pytest
from conftest import PROJECT
from pydantic.fields import FieldInfo

from archive.settings import PREFIX, PressmarkSettings
from crawler.decide.feed_alarms import ON_DOCUMENT
from schedules.cli import pressmark

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md", "archive/*.md", ".github/*.md")
    for path in PROJECT.glob(pattern)
)
COMPUTED = {
    "store": "file:$PRESSMARK_HOME/store",
    "database": "sqlite:///$PRESSMARK_HOME/pressmark.db",
    "extract_workers": "number of cores",
    "user_agent": "Pressmark/VERSION (+URL)",
    "recheck_plan": "1h 6h 1d 7d 30d 365d",
    "backfill_gap": "twice PRESSMARK_HOST_GAP",
    "mail_from": "pressmark@HOSTNAME",
}
"""Defaults that depend on something else, as people read them."""


def settings() -> dict[str, FieldInfo]:
    """Every setting of every package, by its variable."""
    for package in ("archive", "crawler", "schedules"):
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            if module.name.rpartition(".")[2] in {"settings", "options"}:
                import_module(module.name)
    kinds, found = [PressmarkSettings], dict[str, FieldInfo]()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found |= kind.model_fields
    return found


def default(name: str, field: FieldInfo) -> str:
    value = field.default
    if name in COMPUTED:
        return COMPUTED[name]
    if isinstance(value, timedelta):
        hours, seconds = divmod(int(value.total_seconds()), 3600)
        if not seconds and not hours % 24:
            return f"{hours // 24}d"
        return f"{hours}h" if not seconds else f"{seconds // 60}m"
    if isinstance(value, int | float):
        return f"{value:g}" if value < 1e6 else str(int(value))
    text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value or "")
    return text or "empty"


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_within_the_repository_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = unquote(target).partition("#")
        found = path.parent / file if file else path
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_every_setting_is_described_with_its_default() -> None:
    rows = re.findall(
        r"^\| `PRESSMARK_(\w+)` \| (.+?) \|", (PROJECT / "docs" / "settings.md").read_text(), re.MULTILINE
    )
    described = {name.lower(): value.replace("`", "") for name, value in rows}
    known = settings()
    assert len(rows) == len(described)
    assert described.pop("config") == "empty"
    assert described == {name: default(name, field) for name, field in known.items()}


def with_subcommands(command: click.Command) -> list[click.Command]:
    """A command, and those that are part of it."""
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    return [command, *(one for part in inner for one in with_subcommands(part))]


def test_every_command_is_described_with_its_options() -> None:
    text = (PROJECT / "docs" / "commands.md").read_text()
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    described = {
        name: section for section in sections for name in re.findall(r"`pressmark ([\w-]+)", section.split("\n")[0])
    }
    assert described.keys() == pressmark.commands.keys()
    for name, command in pressmark.commands.items():
        options = {
            option
            for one in with_subcommands(command)
            for parameter in one.params
            if isinstance(parameter, click.Option)
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert options - set(re.findall(r"--[a-z][\w-]*", described[name])) == set(), name


def test_no_option_is_described_that_is_not_there() -> None:
    every = {
        option
        for command in with_subcommands(pressmark)
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help"}
    described = set(re.findall(r"--[a-z][\w-]*", (PROJECT / "docs" / "commands.md").read_text()))
    assert described - every == set()


def test_variables_that_documents_name_are_settings() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in settings()} | {f"{PREFIX}CONFIG"}
    for path in DOCUMENTS:
        if path.name == "CHANGELOG.md":  # it may name those of the past
            continue
        named = set(re.findall(r"\bPRESSMARK_[A-Z_]*[A-Z]\b", path.read_text()))
        assert named - known == set(), path


def test_the_table_of_alarms_lists_every_kind() -> None:
    """Compares docs/daemon.md with the kinds that the code raises."""
    raised = {
        keyword.value.value
        for package in ("crawler", "schedules")
        for path in (PROJECT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Alarm"
        for keyword in node.keywords
        if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant)
    }
    section = (PROJECT / "docs/daemon.md").read_text("utf-8").partition("## Alarms")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    assert len(raised) >= len(ON_DOCUMENT)
    assert sorted(listed) == sorted(raised)


def test_the_architecture_names_every_room() -> None:
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rooms = {
        room.strip()
        for contract in contracts
        if contract["name"].startswith("rooms of")
        for layer in contract["layers"]
        for room in layer.split("|")
    }
    assert len(rooms) > 30
    document = (PROJECT / "docs" / "architecture.md").read_text()
    assert sorted(room for room in rooms if not re.search(rf"\b{room}\b", document)) == []
