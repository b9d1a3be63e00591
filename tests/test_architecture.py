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
SQL_ELSEWHERE = {
    "backend/ingestion/readers/sql_table.py": "reads databases of other people",
    "backend/ingestion/first_lines.py": "a temporary index of its own, beside the store",
    "backend/core/database.py": "opens the store",
    "backend/core/migrations.py": "reads which migration the store is at",
    "backend/models/record.py": "the condition of a partial index",
}
SQL_WORDS = {"select", "insert", "update", "delete", "text", "func", "exists", "and_", "or_"}
SQL_CALLS = {"exec", "execute", "exec_driver_sql", "scalar", "scalars"}

SOURCES = sorted(
    path.relative_to(ROOT)
    for package in (*PACKAGES, "benchmarks", "client")
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


def rooms_of_the_contract() -> list[set[str]]:
    """The rooms of `backend`, a set a layer, from the top down."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    return [set(re.findall(r"backend\.(\w+)", layer)) for layer in layers if "backend." in layer]


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {path.parts[1].removesuffix(".py") for path in SOURCES if path.parts[0] == "backend"}
    assert rooms - {"__init__"} == set().union(*rooms_of_the_contract())


def test_the_picture_of_the_rooms_is_the_contract() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    picture = next(part for part in page.split("```")[1::2] if part.startswith("\ncli\n"))
    drawn = [
        {room.strip() for room in re.split(r"\s{2,}", line, maxsplit=1)[0].split("|")}
        for line in picture.strip().splitlines()
    ]
    assert drawn == [*rooms_of_the_contract(), {"labeling", "active_learning"}]


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
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        name = path.as_posix()
        if not name.startswith("backend/") or path.stem.endswith("repository"):
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            said: set[str] = set()
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                ("sqlmodel", "sqlalchemy")
            ):
                said = SQL_WORDS & {alias.name for alias in node.names}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                said = SQL_CALLS & {node.func.attr}
            if said:
                found.setdefault(name, set()).update(said)
    assert found.keys() == SQL_ELSEWHERE.keys(), found


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


def test_a_row_has_its_id() -> None:
    # ``row_id`` types it ``int``: nobody has to say again that the store has numbered the row.
    found = []
    for path in SOURCES:
        if path.parts[0] not in ("backend", "benchmarks"):
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            said = ""
            if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
                said = ast.unparse(node)
            elif isinstance(node, ast.Assert):
                said = ast.unparse(node.test)
            if re.search(r"\.id (or 0|is not None)\b", said):
                found.append(f"{path}:{node.lineno}")
    assert found == []


def test_a_class_has_its_name_for_itself() -> None:
    places: dict[str, list[str]] = {}
    for path in SOURCES:
        if path.parts[0] not in PACKAGES:
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(f"{path}:{node.lineno}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


PARTICIPLES = re.compile(
    r"_*([a-z]+(ed|ing)|told|held|shown|drawn|found|kept|taken|said|given|seen|known|sent|built"
    r"|written|chosen|broken|done|made|lost|met)(_(of|by|to|as|at|in|on|from|since|through|up))?"
)
NOUNS_AND_VERBS = {
    "_clustering": "noun",
    "_speed": "noun",
    "embed": "verb",
    "labelled": "the pool's two halves",
    "ping": "verb",
    "ranking": "noun",
    "reading": "noun: one consistent view of the store",
    "ring": "verb",
    "standardised": "adjective of a matrix",
    "unlabelled": "the pool's two halves",
}


def test_functions_are_named_by_nouns_and_verbs() -> None:
    found = [
        f"{path}:{node.lineno} {node.name}"
        for path in SOURCES
        if path.parts[0] in PACKAGES
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and PARTICIPLES.fullmatch(node.name)
        and node.name not in NOUNS_AND_VERBS
    ]
    assert found == []
