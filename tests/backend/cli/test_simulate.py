"""``assay simulate`` on files as people have them."""

import csv
import json
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from active_learning.picture import fonts_for
from backend.cli import app
from backend.core.exceptions import InvalidInput, UnreadableSource
from backend.simulation.confusion import (
    as_shares,
    confusion_matrix,
    parse_confusions,
    read_confusions,
)
from backend.words import language_tag, languages


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


OPTIONS: tuple[str, ...] = (
    "--label",
    "grade",
    "--text",
    "title",
    "--encoder",
    "characters",
    "--jobs",
    "1",
)


def test_a_file_in_another_encoding(shop: Path, tmp_path: Path) -> None:
    text = shop.read_text(encoding="utf-8").replace("tea pot", "茶壶")
    shop.write_bytes(text.encode("gb18030"))
    command = (str(shop), *OPTIONS, "--seeds", "1", "--budget", "50", "--out", str(tmp_path / "o"))
    with pytest.raises(UnreadableSource, match=r"Try --encoding gb18030: .*茶壶"):
        simulate(*command)
    assert simulate(*command, "--encoding", "gb18030")[0] == 0


def test_results_are_printed_written_and_kept(shop: Path, tmp_path: Path) -> None:
    command: tuple[str, ...] = (
        str(shop),
        *OPTIONS,
        "--seeds",
        "2",
        "--budget",
        "40",
        "--batch",
        "10",
    )
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


def test_the_report_is_in_the_language_of_the_command(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, shown = import_module("backend.cli.simulate"), {}
    for language in languages():
        monkeypatch.setattr(module, "command_language", partial(str, language))
        command = (str(shop), *OPTIONS, "--seeds", "1", "--budget", "30", "--strategies", "random")
        assert simulate(*command, "--out", str(tmp_path / "out"), "--json")[0] == 0
        page = (tmp_path / "out" / "simulation.html").read_text("utf-8")
        assert f'<html lang="{language_tag(language)}">' in page
        assert page.count("<h1>") == 1
        assert f'lang="{language_tag("zh")}"' in page
        assert 'lang="en"' in page
        shown[language] = (tmp_path / "out" / "simulation.png").read_bytes()
    if fonts_for("学习曲线"):
        assert shown["zh"] != shown["en"]


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


CLASSES = ["fair", "good", "poor"]


def test_confusions_become_rows_that_sum_to_one() -> None:
    shares = parse_confusions(["fair>poor:0.2", "fair > good : 0.1"], CLASSES)
    matrix = confusion_matrix(shares, CLASSES, 0.5, "--confuse")
    assert matrix[0] == pytest.approx((0.7, 0.1, 0.2))
    assert matrix[1:] == ((0.25, 0.5, 0.25), (0.25, 0.25, 0.5)), "the others err at --noise"
    odd = ["a>b", "a", "b:c"]
    assert parse_confusions(["a>b>b:c:.5"], odd) == {"a>b": {"b:c": 0.5}}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv", "true,fair,good,poor\nfair,0.7,0.1,0.2\ngood,0,1,0\npoor,0,0,1\n"),
        ("m.csv", "\ufefftrue,good,poor\r\nfair,.1,.2\r\n"),
        ("m.json", '{"fair": {"good": 0.1, "poor": 0.2}}'),
    ],
)
def test_a_file_says_the_same(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    matrix = confusion_matrix(read_confusions(path), CLASSES, 0.0, "--confusion")
    assert matrix[0] == pytest.approx((0.7, 0.1, 0.2))
    assert matrix[1:] == ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    assert as_shares(matrix, CLASSES)["good"] == {"good": 1.0}


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["True>Fals:0.2"], "no class 'Fals'.*False, True"),
        (["True:0.2"], "TRUE>ANSWER:SHARE"),
        (["True>False:2"], "'2' is not a share"),
        (["True>False:nan"], "not a share"),
        (["True>True:0.2"], "right answer"),
        (["True>False:0.2", "True>False:0.1"], "given twice"),
    ],
)
def test_wrong_confusions_are_named(shop: Path, pairs: list[str], message: str) -> None:
    options = [part for pair in pairs for part in ("--confuse", pair)]
    with pytest.raises(InvalidInput, match=message):
        simulate(str(shop), *OPTIONS, *options)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.csv", "", "header row"),
        ("m.csv", "true,True,False\nTrue,1\n", "row 2 has 1 shares for 2"),
        ("m.csv", "true,True,False\nTrue,8,2\n", "'8' is not a share"),
        ("m.csv", "true,True,False\nTrue,.8,.1\n", "answers to 'True' add up to 0.9"),
        ("m.csv", "true,True,Maybe\nTrue,.9,.1\n", "no class 'Maybe'"),
        ("m.json", "[1]", "object of objects"),
        ("m.json", "{", "no confusion matrix"),
    ],
)
def test_a_wrong_confusion_file_is_named(
    shop: Path, tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    with pytest.raises(InvalidInput, match=message):
        simulate(str(shop), *OPTIONS, "--confusion", str(path))
    with pytest.raises(InvalidInput, match="no confusion matrix"):
        simulate(str(shop), *OPTIONS, "--confusion", str(tmp_path / "none.csv"))
    with pytest.raises(InvalidInput, match="both given"):
        simulate(str(shop), *OPTIONS, "--confusion", str(path), "--confuse", "True>False:0.1")


def test_runs_of_different_confusions_are_kept_apart(shop: Path, tmp_path: Path) -> None:
    command: tuple[str, ...] = (
        str(shop),
        *OPTIONS,
        "--seeds",
        "1",
        "--budget",
        "20",
        "--batch",
        "10",
    )
    command += ("--initial", "10", "--strategies", "random", "--out", str(tmp_path), "--json")
    plain, swapped = (
        json.loads(simulate(*command, *options)[1])
        for options in ((), ("--confuse", "True>False:1", "--confuse", "False>True:1"))
    )
    assert plain["full_score"] > 0.9
    assert swapped["full_score"] < 0.1, "nothing of the first simulation was taken for the second"
    assert swapped["answers"] == {"False": {"True": 1.0}, "True": {"False": 1.0}}
    assert len(list((tmp_path / "runs").iterdir())) == 2
    again = json.loads(simulate(*command)[1])
    assert again == plain
    assert len(list((tmp_path / "runs").iterdir())) == 2
