"""What runs on other people's machines: workflows, hooks, and the versions that they install."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import yaml
from conftest import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
WORKFLOW: dict[Any, Any] = yaml.safe_load((PROJECT / ".github" / "workflows" / "ci.yml").read_text())
HOOKS = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"]


def locked(name: str) -> dict[str, str]:
    """Version and marker of each package that a lock file names."""
    lines = (PROJECT / ".ci" / name).read_text().splitlines()
    return dict(line.split("==", 1) for line in lines)


def commands(job: str) -> list[str]:
    return [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]


def test_ci_runs_the_command_of_the_readme() -> None:
    (own,) = [line for line in (PROJECT / ".ci" / "run").read_text().splitlines() if line.startswith("make ")]
    assert f"\n{own} " in (PROJECT / "README.md").read_text()
    assert commands("test") == [".ci/run"]


def test_ci_runs_on_each_python_that_the_package_promises() -> None:
    promised = {
        found[1]
        for classifier in PYPROJECT["project"]["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier))
    }
    assert set(WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]) == promised
    oldest = min(promised, key=lambda version: int(version.partition(".")[2]))
    assert PYPROJECT["project"]["requires-python"] == f">={oldest}"


def test_the_canary_runs_by_itself_on_tests_that_exist() -> None:
    triggers = WORKFLOW[True]  # YAML 1.1 takes the key `on` for a truth value
    assert len(triggers["schedule"]) == 1
    assert "github.event_name == 'schedule'" in WORKFLOW["jobs"]["canary"]["if"]
    *_, install, test = commands("canary")
    assert "git+https://github.com/scrapy/scrapy" in install
    (folder,) = re.findall(r"tests/\S+", test)
    assert list((PROJECT / folder).glob("test_*.py"))


def test_targets_that_workflows_make_exist() -> None:
    made = {
        target
        for job in WORKFLOW["jobs"]
        for command in commands(job)
        if command.startswith("make ")
        for target in command.split()[1:]
    }
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert made
    assert made <= targets


def test_workflows_may_only_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in WORKFLOW["jobs"].values())


def test_hooks_run_the_tools_of_the_environment() -> None:
    assert [repo["repo"] for repo in HOOKS] == ["local"], "nothing is fetched from elsewhere"
    hooks = HOOKS[0]["hooks"]
    tools = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    check = (PROJECT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    assert tools == set(re.findall(r"\$\(BIN\)/(\S+)", check))
    assert all(hook["language"] == "system" and hook["entry"].startswith(".venv/bin/") for hook in hooks)


def test_lower_bounds_are_the_versions_that_are_tested() -> None:
    lowest = locked("lowest.txt")
    for requirement in PYPROJECT["project"]["dependencies"]:
        name, bound = re.match(r"([\w-]+)(?:\[.*?\])?>=([\d.]+)", requirement).groups()  # type: ignore[union-attr]
        assert lowest[name.replace("_", "-").lower()].partition(" ")[0] == bound, name


def test_all_that_is_needed_is_locked() -> None:
    lock = locked("lock.txt")
    needed = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]
    names = {re.match(r"[\w.-]+", requirement)[0].replace("_", "-").lower() for requirement in needed}  # type: ignore[index]
    assert names - lock.keys() == set()
