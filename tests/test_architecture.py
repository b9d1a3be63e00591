"""The rooms keep their order, their files their size, their names their meaning."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("active_learning", "labeling", "backend")
LONGEST_FILE = 300
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
SQL_ROOMS = ("backend/core/", "backend/models/", "backend/jobs/")
SQL_READER = "backend/ingestion/readers/sql_table.py"  # reads databases of other people
SQL_WORDS = {"select", "insert", "update", "delete", "text"}

SOURCES = sorted(
    path.relative_to(ROOT)
    for package in (*PACKAGES, "benchmarks")
    for path in (ROOT / package).rglob("*.py")
)


def test_import_contracts_are_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_every_room_has_its_place_in_the_order() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = " ".join(project["tool"]["importlinter"]["contracts"][0]["layers"])
    placed = set(re.findall(r"backend\.(\w+)", layers))
    rooms = {path.parts[1].removesuffix(".py") for path in SOURCES if path.parts[0] == "backend"}
    assert rooms - {"__init__"} <= placed


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_file_is_longer_than_it_should_be(path: Path) -> None:
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{path} has {lines} lines; is it one thing?"


def test_names_say_something() -> None:
    vague = [path for path in SOURCES if {path.stem, *path.parent.parts} & VAGUE_NAMES]
    assert vague == []


def test_every_test_folder_is_a_package() -> None:
    # Without it, tests/active_learning would hide the package of that name.
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_sql_is_written_in_repositories_only() -> None:
    found = []
    for path in SOURCES:
        name = path.as_posix()
        if not name.startswith("backend/") or name.startswith(SQL_ROOMS):
            continue
        if path.stem.endswith("repository") or name == SQL_READER:
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                ("sqlmodel", "sqlalchemy")
            ):
                found += [f"{name}: {a.name}" for a in node.names if a.name in SQL_WORDS]
    assert found == []


def test_services_never_commit() -> None:
    found = []
    for path in SOURCES:
        if path.stem not in ("service", "repository"):
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("commit", "rollback"):
                if isinstance(node.value, ast.Name) and node.value.id == "session":
                    found.append(f"{path}:{node.lineno}")
                if isinstance(node.value, ast.Attribute) and "session" in node.value.attr:
                    found.append(f"{path}:{node.lineno}")
    assert found == []
