"""``assay simulate`` on files as people have them."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.core.exceptions import InvalidInput, UnreadableSource


def simulate(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["simulate", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["title", "grade", "only"])
        for n in range(120):
            good = n % 2 == 0
            out.writerow([f"tea pot {n % 50}" if good else f"xx?? {n % 40}", good, "x"])
        out.writerow(["no label", "", "x"])
        out.writerow(["", "True", "x"])
        out.writerow(["long " * 2_000, "False", "x"])
    return path


OPTIONS = ("--label", "grade", "--text", "title", "--encoder", "characters", "--jobs", "1")


def test_results_are_printed_written_and_kept(shop: Path, tmp_path: Path) -> None:
    command = (str(shop), *OPTIONS, "--seeds", "2", "--budget", "40", "--batch", "10")
    command += ("--initial", "10", "--strategies", "margin", "--out", str(tmp_path / "out"))
    code, printed, notes = simulate(*command, "--noise", "0.1", "--annotators", "3", "--json")
    assert code == 0
    assert "1 rows without a label" in notes
    result = json.loads(printed)
    assert set(result["strategies"]) == {"margin", "random"}
    assert result["records"] == 122
    assert (tmp_path / "out" / "simulation.html").is_file()
    runs = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "runs").rglob("*.json")}
    again = json.loads(simulate(*command, "--noise", "0.1", "--annotators", "3", "--json")[1])
    assert again == result
    assert all(path.stat().st_mtime_ns == at for path, at in runs.items())


def test_wrong_input_is_named(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Choose among: title, grade, only"):
        simulate(str(shop), "--label", "class")
    with pytest.raises(InvalidInput, match="two classes"):
        simulate(str(shop), "--label", "only")
    with pytest.raises(InvalidInput, match="Give --budget 92 or less"):
        simulate(str(shop), *OPTIONS, "--budget", "500")
    with pytest.raises(InvalidInput, match="'magic'; choose one of"):
        simulate(str(shop), *OPTIONS, "--strategies", "magic")
    with pytest.raises(UnreadableSource):
        simulate(str(tmp_path / "none.csv"), "--label", "grade")
