"""``assay projects`` and ``assay export`` on a real store; what is said to wrong input."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from backend.cli import COMMANDS, app
from backend.core.exceptions import InvalidInput
from tests.backend.cli.test_import import assay, store

__all__ = ["store"]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("- grade\n", "holds a list"),
        (":\n - [", "cannot be read as a label schema"),
        (None, "No such file or directory. Write YAML"),
    ],
)
def test_a_library_s_error_is_one_line_too(
    store: Path, capsys: pytest.CaptureFixture[str], written: str | None, words: str
) -> None:
    file = store / "schema.yaml"
    if written is not None:
        file.write_text(written)
    with pytest.raises(SystemExit) as end:
        app(["projects", "create", "Shop", "--dataset", "shop", "--label-schema", str(file)])
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"Label schema invalid: {file}")
    assert words in said


def test_a_label_schema_asks_about_all_fields_unless_it_names_some(store: Path) -> None:
    assay("datasets", "create", "shop", "--field", "title", "--field", "price")
    file = store / "labels.yaml"
    file.write_text("\ufeffgrade: {choices: [{value: keep}, {value: drop}]}\nissues: []\n")
    assay("projects", "create", "Shop", "--dataset", "shop", "--label-schema", str(file))
    schema = json.loads(assay("projects", "show", "Shop")[1])["label_schema"]
    assert schema["fields"] == ["title", "price"]
    assert [choice["value"] for choice in schema["grade"]["choices"]] == ["keep", "drop"]
    file.write_text("grade: {choices: [{value: keep}, {value: drop}]}\nfields: [colour]\n")
    with pytest.raises(InvalidInput, match="does not have: colour"):
        assay("projects", "create", "More", "--dataset", "shop", "--label-schema", str(file))
    file.write_text("grade: {choices: keep}\n")
    with pytest.raises(InvalidInput, match=r"grade\.choices is 'keep'; a list is wanted"):
        assay("projects", "create", "More", "--dataset", "shop", "--label-schema", str(file))


@pytest.mark.parametrize(
    "noun", [name for name, entry in COMMANDS.items() if isinstance(entry.command(), typer.Typer)]
)
def test_a_noun_alone_shows_its_commands(noun: str) -> None:
    shown = CliRunner().invoke(app, [noun])
    assert "Commands" in shown.output
    assert "Missing command" not in shown.output


def test_projects_need_a_dataset_with_fields_and_are_listed(store: Path) -> None:
    assay("datasets", "create", "bare")
    with pytest.raises(InvalidInput, match="has no fields yet") as refused:
        assay("projects", "create", "Shop", "--dataset", "bare")
    assert "Import records first." in str(refused.value)
    assay("datasets", "create", "shop", "--field", "title")
    assay("projects", "create", "Shop [1]", "--dataset", "shop", "--set", "batch_size=7")
    listed = assay("projects", "list")[1]
    for words in ("Shop [1]", "shop", "batch_size=7"):
        assert words in listed, listed
    assert "audit_share" not in listed


def test_an_export_s_format_is_that_of_its_name(store: Path) -> None:
    assay("datasets", "create", "shop", "--field", "title")
    assay("projects", "create", "Shop", "--dataset", "shop", "--no-start")
    assert assay("export", "Shop", "--out", "labels.csv")[0] == 0
    written = (store / "labels.csv").read_text(encoding="utf-8-sig")
    assert written.startswith("external_id,kind,")
    with pytest.raises(InvalidInput, match=r"end in \.xlsx"):
        assay("export", "Shop", "--out", "labels.xlsx")
