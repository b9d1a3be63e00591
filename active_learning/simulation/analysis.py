"""What simulated curves say: areas, labels needed, gains over random, advice in words."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from active_learning.evaluation import area_under_learning_curve
from active_learning.simulation.grid import FULL
from active_learning.types import Reason

LEVELS = (0.9, 0.95)
"""Shares of the best accuracy to which labels are counted. Chosen."""
BASELINE = "random"
LEAST_SEEDS = 3
"""Fewer tell too little about chance: no interval is given."""
SCORE = (0.0, 1.0)
"""What an accuracy can be; its interval is cut there."""
GAIN = (-1.0, 1.0)
"""What a difference of accuracies can be."""
Points = Sequence[Sequence[float]]


def labels_to_reach(points: Points, target: float) -> float | None:
    """Labels at the first crossing, straight between two points; None if there is none."""
    before: Sequence[float] | None = None
    for point in points:
        labels, value = point
        if value >= target:
            if before is None or value == before[1]:
                return float(labels)
            share = (target - before[1]) / (value - before[1])
            return float(before[0] + share * (labels - before[0]))
        before = point
    return None


def analyse(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """JSON-ready: one entry for each strategy, the full-data score, and the advice.

    A curve that does not reach a level within the budget counts as there at the budget;
    ``censored`` counts them. Means come with the t interval over the seeds, cut to what is
    possible: [0, 1] for scores and areas, [-1, 1] for a gain, [0, budget] for labels. Ratios are
    geometric means over the seeds with the t interval of their logarithms; there is none where a
    strategy has no baseline. With fewer than three seeds every ``low`` and ``high``
    is None.
    """
    full = {run["seed"]: float(run["score"]) for run in runs if run["strategy"] == FULL}
    curves: dict[str, dict[int, Points]] = defaultdict(dict)
    for run in runs:
        if run["strategy"] != FULL:
            curves[run["strategy"]][run["seed"]] = run["points"]
    baseline = curves.get(BASELINE)
    tried = sum(name != BASELINE for name in curves)
    strategies = {name: _strategy(of, full, baseline, tried) for name, of in curves.items()}
    advice = recommend(strategies)
    return {
        "full_score": float(np.mean(list(full.values()))),
        "full_scores": full,
        "seeds": sorted(full),
        "strategies": strategies,
        "recommendation": str(advice),
        "recommendation_message": advice.to_json(),
    }


def _strategy(
    curves: dict[int, Points],
    full: dict[int, float],
    baseline: dict[int, Points] | None,
    tried: int,
) -> dict[str, Any]:
    seeds = sorted(curves)
    areas = np.array([area(curves[seed]) for seed in seeds])
    result: dict[str, Any] = {
        "curve": mean_curve([curves[seed] for seed in seeds]),
        "area": _mean(areas, SCORE),
        "final": _mean(np.array([curves[seed][-1][1] for seed in seeds]), SCORE),
    }
    budget = max(float(curves[seed][-1][0]) for seed in seeds)
    for level in LEVELS:
        mine, missed = _labels_needed(curves, full, seeds, level)
        entry: dict[str, Any] = {"labels": _mean(mine, (0.0, budget)), "censored": missed}
        if baseline is not None:
            theirs, lost = _labels_needed(baseline, full, seeds, level)
            entry |= {"ratio": ratio(mine, theirs), "random_censored": lost}
            entry["ratio_best_of"] = ratio(mine, theirs, tried=tried)
        result[f"reach_{round(level * 100)}"] = entry
    if baseline is not None:
        gaps = [
            mine[1] - theirs[1]
            for seed in seeds
            for mine, theirs in zip(curves[seed], baseline[seed], strict=True)
        ]
        lost_area = np.array([area(baseline[seed]) for seed in seeds]) - areas
        result["above_random"] = float(np.mean(np.array(gaps) >= 0))
        result["area_gain"] = _mean(-lost_area, GAIN)
        result["worst_area_loss"] = max(0.0, float(lost_area.max()))
    return result


def area(points: Points) -> float:
    """Mean height of the curve."""
    return area_under_learning_curve([int(p[0]) for p in points], [float(p[1]) for p in points])


def _labels_needed(
    curves: dict[int, Points], full: dict[int, float], seeds: Sequence[int], level: float
) -> tuple[NDArray[np.float64], int]:
    found = [labels_to_reach(curves[seed], level * full[seed]) for seed in seeds]
    needed = [
        float(curves[seed][-1][0]) if labels is None else labels
        for seed, labels in zip(seeds, found, strict=True)
    ]
    return np.array(needed), found.count(None)


def ratio(
    mine: NDArray[np.float64], theirs: NDArray[np.float64], *, tried: int = 1
) -> dict[str, float | None]:
    """Geometric mean of the paired ratios (seeds,) and the 95 % t interval of their logarithms.

    ``tried`` widens it so that it stays honest for the best of so many (level 1 - 0.05 / tried,
    Bonferroni): all of them hold together in 95 % of simulations. The bootstrap of so few seeds
    is too narrow (normal logarithms, 3 seeds: it covers .71, this .95; 5 seeds: .83 and .95).
    With fewer than three seeds ``low`` and ``high`` are None.
    """
    logs = np.log(mine / theirs)
    middle = float(logs.mean())
    if len(logs) < LEAST_SEEDS:
        return {"value": float(np.exp(middle)), "low": None, "high": None}
    level = stats.t.ppf(1 - 0.025 / max(tried, 1), len(logs) - 1)
    half = float(level * logs.std(ddof=1) / np.sqrt(len(logs)))
    low, high = np.exp([middle - half, middle + half])
    return {"value": float(np.exp(middle)), "low": float(low), "high": float(high)}


def mean_curve(curves: Sequence[Points]) -> list[dict[str, float | None]]:
    """Mean and 95 % t interval over the seeds, within [0, 1], at each label count."""
    return [
        {"labels": float(points[0][0]), **_mean(np.array([point[1] for point in points]), SCORE)}
        for points in zip(*curves, strict=True)
    ]


def _mean(values: NDArray[np.float64], possible: tuple[float, float]) -> dict[str, float | None]:
    """Mean with ``mean ± t(0.975, n - 1) s / sqrt(n)``, cut to the possible values.

    No interval from fewer than three values: t with one degree of freedom is 12.7.
    """
    middle = float(values.mean())
    if len(values) < LEAST_SEEDS:
        return {"value": middle, "low": None, "high": None}
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return {
        "value": middle,
        "low": max(middle - half, possible[0]),
        "high": min(middle + half, possible[1]),
    }


def recommend(strategies: dict[str, dict[str, Any]]) -> Reason:
    """Which strategy to use and how, what was measured, corrected for picking the best of many."""
    rivals = {name: of for name, of in strategies.items() if name != BASELINE and "area_gain" in of}
    if not rivals:
        return Reason("No comparison with random choice was run, so nothing is recommended.")
    name = max(rivals, key=lambda rival: float(rivals[rival]["area"]["value"]))
    gain, entry = rivals[name]["area_gain"], rivals[name]["reach_95"]
    measured = entry["ratio_best_of"]
    value, low, high = measured["value"], measured["low"], measured["high"]
    if low is None:
        return Reason(
            "{strategy} had the largest area ({gain:+.3f} against random), but fewer than three "
            "seeds tell nothing about chance: run at least five.",
            strategy=name,
            gain=gain["value"],
        )
    found = _verdict(name, value, low, high)
    if len(rivals) > 1:
        found = Reason(
            "{reason} It is the best of {tried} tried; the interval allows for that.",
            reason=found,
            tried=len(rivals),
        )
    if entry["censored"] and entry["random_censored"]:
        return Reason(
            "{reason} The level was not reached in every run: a larger budget tells more.",
            reason=found,
        )
    return found


def _verdict(name: str, value: float, low: float, high: float) -> Reason:
    if high < 1.0:
        fewer, least, most = (round(100 * (1 - x)) for x in (value, high, low))
        return Reason(
            "{strategy} needed {fewer} % [{least}, {most}] fewer labels than random for 95 % of "
            "the full score; use it: assay projects set PROJECT strategy={strategy}.",
            strategy=name,
            fewer=fewer,
            least=least,
            most=most,
        )
    return Reason(
        "No strategy is shown to need fewer labels than random here: the best, {strategy}, needed "
        "{ratio:.2f} [{low:.2f}, {high:.2f}] times the labels of random for 95 % of the full "
        "score; keep the default.",
        strategy=name,
        ratio=value,
        low=low,
        high=high,
    )
