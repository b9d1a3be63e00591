import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from active_learning.exceptions import NoLabels, ShapeMismatch
from active_learning.simulation import grid
from active_learning.simulation.analysis import analyse, labels_to_reach, ratio
from active_learning.simulation.experiment import LabelledData, Plan, Round, run_curve
from active_learning.simulation.grid import FULL, run_grid
from active_learning.simulation.oracle import SimulatedAnnotator, class_dependent, consensus
from active_learning.simulation.report import table, write_report
from active_learning.types import english
from backend.words import Message, translator
from tests.fixtures.chinese import in_chinese

PLAN = Plan(initial=10, batch=10, budget=30)


@pytest.fixture(scope="module")
def data() -> LabelledData:
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=240)
    points = rng.normal(size=(3, 8))[codes] * 2 + rng.normal(size=(240, 8))
    return LabelledData.of_embeddings(points.astype(np.float32), np.array(list("abc"))[codes])


def test_a_repeat_runs_only_what_is_missing(
    data: LabelledData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_grid(data, PLAN, ["margin", "random"], [0, 1], tmp_path)
    (home,) = tmp_path.iterdir()
    assert len(list(home.iterdir())) == 6
    (home / "margin.1.json").write_text('{"strategy": "mar')  # cut off by another program
    ran: list[tuple[str, int]] = []
    real = grid._run

    def watched(*arguments: object) -> None:
        ran.append(arguments[3:5])  # type: ignore[arg-type]
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(grid, "_run", watched)
    assert run_grid(data, PLAN, ["margin", "random"], [0, 1], tmp_path) == first
    assert ran == [("margin", 1)]


KILLED = """
import sys
from pathlib import Path
import numpy as np
from active_learning.simulation.experiment import LabelledData, Plan
from active_learning.simulation.grid import run_grid
stored = np.load(sys.argv[1])
data = LabelledData.of_embeddings(stored["points"], stored["labels"])
run_grid(data, Plan(initial=10, batch=10, budget=30), ["margin", "random"], range(40),
         Path(sys.argv[2]))
"""


def test_a_grid_killed_outright_goes_on_where_it_was(data: LabelledData, tmp_path: Path) -> None:
    stored, folder = tmp_path / "data.npz", tmp_path / "runs"
    points = data.features[:, : data.layout.embedding]
    np.savez(stored, points=points, labels=data.labels)
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(stored), str(folder)])
    try:
        deadline = time.monotonic() + 60
        while len(list(folder.glob("*/*.json"))) < 4:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/*.json")}
    (home,) = folder.iterdir()
    torn, fresh = home / "torn.part", home / "fresh.part"
    torn.write_text("{")
    fresh.write_text("{")
    os.utime(torn, (0, 0))
    resumed = run_grid(data, PLAN, ["margin", "random"], range(2), folder)
    assert resumed == run_grid(data, PLAN, ["margin", "random"], range(2), tmp_path / "whole")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not torn.exists()
    assert fresh.exists()  # another process may be writing it


def test_the_best_of_many_needs_more_evidence() -> None:
    mine, theirs = np.array([70.0, 95.0, 80.0, 90.0, 75.0]), np.full(5, 100.0)
    one, many = ratio(mine, theirs), ratio(mine, theirs, tried=40)
    assert one["value"] == many["value"]
    assert one["high"] is not None
    assert many["high"] is not None
    assert one["high"] < 1.0 < many["high"]


def test_processes_give_what_one_process_gives(data: LabelledData, tmp_path: Path) -> None:
    alone = run_grid(data, PLAN, ["random"], [0, 1], tmp_path / "a")
    assert run_grid(data, PLAN, ["random"], [0, 1], tmp_path / "b", jobs=2) == alone


def test_other_inputs_have_another_key(data: LabelledData) -> None:
    other = LabelledData(data.features, data.layout, data.labels[::-1])
    keys = {
        grid.key_of(data, PLAN),
        grid.key_of(other, PLAN),
        grid.key_of(data, Plan(initial=10, batch=10, budget=30, noise=0.1)),
    }
    assert len(keys) == 3


def test_wrong_choosers_and_impossible_plans_are_refused(data: LabelledData) -> None:
    def same(_state: Round, count: int) -> list[int]:
        return list(range(count))

    with pytest.raises(ShapeMismatch, match="0 of them new"):
        run_curve(data, PLAN, 0, same)
    with pytest.raises(ShapeMismatch, match="lower the budget"):
        run_curve(data, Plan(budget=200), 0, same)
    one = LabelledData(data.features, data.layout, np.full(240, "a"))
    with pytest.raises(NoLabels, match="two classes"):
        run_curve(one, PLAN, 0, same)


def test_votes_of_several_noisy_annotators_beat_one() -> None:
    truth = list("ab") * 500
    said = [SimulatedAnnotator("ab", 0.3, seed=seed).grades(truth) for seed in range(5)]
    agreed = consensus(said, seed=0)
    right = np.mean(np.array(agreed) == np.array(truth))
    assert 0.80 < right < 0.88  # binomial: 0.837


def test_class_dependent_noise() -> None:
    confusion = class_dependent([0.0, 0.4, 0.2])
    assert np.allclose(confusion.sum(axis=1), 1)
    assert np.allclose(np.diag(confusion), [1.0, 0.6, 0.8])
    with pytest.raises(ValueError, match="shares from 0 to 1"):
        class_dependent([1.5])


def test_crossings_and_ratios() -> None:
    points = [[10, 0.2], [20, 0.6], [30, 0.5]]
    assert labels_to_reach(points, 0.4) == 15
    assert labels_to_reach(points, 0.1) == 10
    assert labels_to_reach(points, 0.7) is None
    same = ratio(np.array([50.0, 100.0, 60.0]), np.array([100.0, 200.0, 120.0]))
    assert same["value"] == pytest.approx(0.5)
    assert same["low"] == pytest.approx(0.5)


def runs(ours: float, seeds: int = 5) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for seed in range(seeds):
        rise = [[n, min(1.0, n / (300 + 10 * seed))] for n in range(25, 501, 25)]
        fast = [[n, min(1.0, n / ((300 + 10 * seed) * ours))] for n in range(25, 501, 25)]
        found += [
            {"strategy": FULL, "seed": seed, "score": 1.0},
            {"strategy": "random", "seed": seed, "points": rise},
            {"strategy": "margin", "seed": seed, "points": fast},
        ]
    return found


def test_the_advice_says_what_was_measured(tmp_path: Path) -> None:
    result = analyse(runs(0.6))
    assert result["strategies"]["margin"]["reach_95"]["ratio"]["value"] == pytest.approx(0.6, 0.01)
    advice = result["recommendation"]
    assert "margin needed 40 % [39, 40] fewer labels" in advice
    for text in (advice, in_chinese(Message.from_json(result["recommendation_message"]))):
        assert "assay projects set PROJECT strategy=margin" in text
    assert "No strategy is shown" in analyse(runs(1.0))["recommendation"]
    told = {"en": english, "zh-Hans": translator("zh").look_up}
    paths = write_report(result, tmp_path, told)
    page = paths["html"].read_text("utf-8")
    assert '<p lang="zh-Hans"><b>达到全量得分的 95 % 时，margin 比随机少用 40 %' in page
    assert "Learning curves" in page
    assert "data:image/png;base64," in page
    assert "学习曲线" in page
    assert "http" not in page
    assert json.loads(paths["json"].read_text("utf-8"))["seeds"] == [0, 1, 2, 3, 4]


def noisy_runs(seeds: int) -> list[dict[str, object]]:
    """Curves that differ so much that plain t intervals leave [0, 1] and [0, budget]."""
    found: list[dict[str, object]] = []
    for seed in range(seeds):
        found.append({"strategy": FULL, "seed": seed, "score": 1.0})
        for name, start in (("random", seed % 2), ("margin", 1 - seed % 2)):
            points = [[10, float(start)], [20, 1.0 - 0.9 * (seed == 0)], [30, float(seed != 1)]]
            found.append({"strategy": name, "seed": seed, "points": points})
    return found


def intervals_of(found: object) -> list[dict[str, float | None]]:
    if isinstance(found, list):
        return [each for part in found for each in intervals_of(part)]
    if not isinstance(found, dict):
        return []
    own = [found] if {"value", "low", "high"} <= set(found) else []
    return own + [each for part in found.values() for each in intervals_of(part)]


def test_intervals_stay_within_what_is_possible() -> None:
    strategies = analyse(noisy_runs(3))["strategies"]
    for of in strategies.values():
        for each in (of["area"], of["final"], *of["curve"]):
            assert 0 <= each["low"] <= each["value"] <= each["high"] <= 1
        for level in ("reach_90", "reach_95"):
            labels = of[level]["labels"]
            assert 0 <= labels["low"] <= labels["value"] <= labels["high"] <= 30
        assert -1 <= of["area_gain"]["low"] <= of["area_gain"]["high"] <= 1
    cut = [each for each in intervals_of(strategies) if each["low"] == 0 or each["high"] in (1, 30)]
    assert cut  # the runs are such that the plain formula would have left them


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_have_no_interval(tmp_path: Path, seeds: int) -> None:
    result = analyse(noisy_runs(seeds))
    found = intervals_of(result)
    assert len(found) > 10
    assert all(each["low"] is None and each["high"] is None for each in found)
    assert "fewer than three seeds" in result["recommendation"]
    words = "an interval needs three seeds"
    in_another = lambda *text: english(*text).replace(words, "三个种子")  # noqa: E731
    paths = write_report(result, tmp_path, {"en": english, "zh": in_another})
    page = paths["html"].read_text("utf-8")
    assert words in page
    assert "三个种子" in page
    assert "[" not in "".join(cell for row in table(result) for cell in row)
    assert '"low": null' in paths["json"].read_text("utf-8")


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_ratio_of_few_seeds_is_covered_as_often_as_the_interval_says(seeds: int) -> None:
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(400):
        found = ratio(np.exp(rng.normal(0, 0.2, seeds)), np.ones(seeds))
        assert found["low"] is not None
        assert found["high"] is not None
        hits.append(found["low"] <= 1.0 <= found["high"])
    assert 0.92 <= np.mean(hits) <= 0.98
