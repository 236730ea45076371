"""The container image and the compose file, as far as they can be tried without an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
import yaml
from conftest import PROJECT
from sample.services import BIN, end, free_port, wait_for

from archive.settings import PREFIX, PressmarkSettings

INSTRUCTIONS = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "USER",
                "VOLUME", "WORKDIR"}  # fmt: skip
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())


@dataclass(frozen=True)
class Instruction:
    name: str
    rest: str

    @property
    def argv(self) -> list[str]:
        """Of the exec form, which is JSON."""
        return list(json.loads(self.rest[self.rest.index("[") :]))


def stages(text: str) -> list[list[Instruction]]:
    """The instructions of each stage; those before the first FROM belong to it."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: list[list[Instruction]] = [[]]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        if name == "FROM" and any(one.name == "FROM" for one in found[-1]):
            found.append([])
        found[-1].append(Instruction(name, rest.strip()))
    return found


def setting_names() -> set[str]:
    """The environment variable of every setting there is."""
    for package in ("archive", "crawler", "schedules"):
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            if module.name.rpartition(".")[2] in {"settings", "options"}:
                import_module(module.name)
    kinds, fields = [PressmarkSettings], set[str]()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        fields |= set(kind.model_fields)
    return {f"{PREFIX}{name.upper()}" for name in fields} | {f"{PREFIX}CONFIG"}


BUILD, IMAGE = stages((PROJECT / "Dockerfile").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "examples" / "compose.yaml").read_text())
(SERVICE,) = COMPOSE["services"].values()


def one(name: str) -> Instruction:
    (found,) = [instruction for instruction in IMAGE if instruction.name == name]
    return found


def variables(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in shlex.split(text))


def test_each_instruction_is_one_that_docker_has() -> None:
    assert {instruction.name for instruction in [*BUILD, *IMAGE]} <= INSTRUCTIONS
    assert [instruction.rest.split()[0] for instruction in [*BUILD, *IMAGE] if instruction.name == "FROM"] == [
        "python:${PYTHON}-slim-trixie"
    ] * 2
    default = next(instruction for instruction in BUILD if instruction.name == "ARG").rest.removeprefix("PYTHON=")
    assert f"Programming Language :: Python :: {default}" in PYPROJECT["project"]["classifiers"]


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    sources = [
        source
        for instruction in BUILD
        if instruction.name == "COPY"
        for source in instruction.rest.split()[:-1]
    ]  # fmt: skip
    assert sources
    for source in sources:
        assert (PROJECT / source).exists(), source
        assert f"!{source}" in ignored, source


def test_all_that_the_wheel_needs_is_copied() -> None:
    sources = {source for i in BUILD if i.name == "COPY" for source in i.rest.split()[:-1]}
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = {PYPROJECT["project"]["readme"], *PYPROJECT["project"]["license-files"], "pyproject.toml"}
    assert {*wheel, *files} <= sources
    assert any("--constraint .ci/lock.txt" in i.rest for i in BUILD if i.name == "RUN")


def test_a_stage_copies_from_where_an_earlier_one_installed() -> None:
    (copied,) = [i.rest for i in IMAGE if i.name == "COPY"]
    stage, source, target = re.fullmatch(r"--from=(\S+) (\S+) (\S+)", copied).groups()  # type: ignore[union-attr]
    assert next(i for i in BUILD if i.name == "FROM").rest.endswith(f" AS {stage}")
    assert source == target, "a virtual environment does not work in another folder"
    assert any(f"-m venv {source}" in i.rest for i in BUILD if i.name == "RUN")
    assert variables(one("ENV").rest)["PATH"].split(":")[0] == f"{target}/bin"


def test_it_runs_as_a_user_of_its_own_on_a_volume_that_is_its() -> None:
    user = one("USER").rest
    (made,) = [i.rest for i in IMAGE if i.name == "RUN"]
    assert user not in {"root", "0"}
    assert re.search(rf"useradd .*\b{user}\b", made)
    home = variables(one("ENV").rest)["PRESSMARK_HOME"]
    assert one("VOLUME").rest == home
    assert re.search(rf"install .*--owner={user} .*{home}\b", made)


def test_the_entry_point_is_a_script_of_the_project_and_answers() -> None:
    (script,) = one("ENTRYPOINT").argv
    assert script in PYPROJECT["project"]["scripts"]
    done = subprocess.run([BIN / script, one("CMD").argv[0], "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for option in one("CMD").argv[1:]:
        assert not option.startswith("--") or option in done.stdout


def test_variables_are_settings() -> None:
    known = setting_names()
    assert len(known) > 40
    ours = [*variables(one("ENV").rest), *SERVICE["environment"]]
    used = re.findall(r"\$\{(\w+)", (PROJECT / "examples" / "compose.yaml").read_text())
    assert used
    assert {name for name in [*ours, *used] if name.startswith(PREFIX)} - known == set()


def test_the_daemon_starts_as_the_image_says_and_is_healthy(tmp_path: Path) -> None:
    port = str(free_port())
    own = one("EXPOSE").rest

    def put(argv: list[str]) -> list[str]:
        return [part.replace(own, port) for part in argv]

    triggers = {name: "off" for name in setting_names() if name.endswith("_EVERY")}
    environment = {**os.environ, **triggers, "PRESSMARK_HOME": str(tmp_path)}
    check = put(one("HEALTHCHECK").argv)
    assert check[0] == "python"

    def healthy() -> bool:
        return subprocess.run([sys.executable, *check[1:]], capture_output=True, check=False).returncode == 0

    assert not healthy(), "nothing listens yet"
    with (tmp_path / "log").open("wb") as log:
        argv = [str(BIN / one("ENTRYPOINT").argv[0]), *put(one("CMD").argv)]
        process = subprocess.Popen(argv, cwd=PROJECT, env=environment, stdout=log, stderr=log)
    try:
        wait_for(healthy, 60, process)
    finally:
        end(process)
    assert process.returncode == 0, (tmp_path / "log").read_text()


def test_compose_refers_to_what_there_is() -> None:
    assert (PROJECT / "examples" / SERVICE["build"] / "Dockerfile").is_file()
    assert SERVICE["command"] == one("CMD").argv
    assert SERVICE["healthcheck"]["test"] == ["CMD", *one("HEALTHCHECK").argv]
    (port,) = SERVICE["ports"]
    address, outside, inside = port.split(":")
    assert address == "127.0.0.1"
    assert inside == one("EXPOSE").rest == SERVICE["command"][SERVICE["command"].index("--port") + 1]
    assert SERVICE["environment"]["PRESSMARK_PUBLIC_URL"].endswith(f":{outside}}}")
    (volume,) = SERVICE["volumes"]
    name, _, target = volume.partition(":")
    assert name in COMPOSE["volumes"]
    assert target == one("VOLUME").rest


def test_nothing_but_the_volume_and_a_scratch_folder_can_be_written() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["tmpfs"] == ["/tmp"]
    assert SERVICE["cap_drop"] == ["ALL"]
    assert not SERVICE.get("privileged")


@pytest.mark.parametrize("option", ["--interval", "--timeout", "--start-period", "--retries"])
def test_compose_checks_health_as_the_image_does(option: str) -> None:
    (value,) = re.findall(rf"{option}=(\S+)", one("HEALTHCHECK").rest)
    assert str(SERVICE["healthcheck"][option.removeprefix("--").replace("-", "_")]) == value
