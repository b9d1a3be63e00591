"""A simulation's results as JSON, a PNG and one HTML page that needs nothing else."""

import base64
import html
import json
from pathlib import Path
from typing import Any

from active_learning.simulation.analysis import LEAST_SEEDS
from active_learning.types import Reason

WORDS = (
    ("strategy", "策略"),
    ("area under the curve", "曲线下面积"),
    ("labels to 90 %", "达 90 % 所需标签"),
    ("labels to 95 %", "达 95 % 所需标签"),
    ("labels against random (95 %)", "相对随机的标签比 (95 %)"),
    ("points at or above random", "不低于随机的点"),
    ("worst area loss", "最大面积损失"),
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Assay: simulation</title><style>
body{{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse}}th,td{{border:1px solid #ccc;padding:.3rem .6rem}}
td+td{{text-align:right}}img{{max-width:100%}}small{{color:#555}}</style></head><body>
<h1>Learning curves · <span lang="zh">学习曲线</span></h1>
<p><b>{en}</b></p><p lang="zh"><b>{zh}</b></p>
<img alt="learning curves" src="data:image/png;base64,{png}">
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
<p><small>{metric} on held-out records, {spread}; score of all labels {full:.3f}. "≥": the
level was not reached in every run, which then counts as reached at the budget.</small></p>
<p lang="zh"><small>在留出记录上的 {metric},{spread_zh};
全部标签的得分 {full:.3f}。"≥":并非每次都达到,未达到者按预算计。</small></p>
<details><summary>JSON</summary><pre>{data}</pre></details></body></html>
"""


def write_report(result: dict[str, Any], folder: Path) -> dict[str, Path]:
    """``simulation.json``, ``.png`` and ``.html`` in the folder; their paths by suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {suffix: folder / f"simulation.{suffix}" for suffix in ("json", "png", "html")}
    text = json.dumps(result, indent=2, ensure_ascii=False)
    paths["json"].write_text(text, "utf-8")
    draw(result, paths["png"])
    paths["html"].write_text(page(result, paths["png"].read_bytes()), "utf-8")
    return paths


def page(result: dict[str, Any], png: bytes) -> str:
    """The HTML page, in English and Chinese, with the picture inside."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in table(result)
    )
    advice, spread = result["recommendation"], average_words(result)
    return PAGE.format(
        en=html.escape(advice["en"]),
        zh=html.escape(advice["zh"]),
        png=base64.b64encode(png).decode(),
        head="".join(f'<th>{en}<br><span lang="zh">{zh}</span></th>' for en, zh in WORDS),
        rows=rows,
        metric=html.escape(str(result.get("plan", {}).get("metric", "score"))),
        spread=spread.en,
        spread_zh=spread.zh,
        full=result["full_score"],
        data=html.escape(json.dumps(result, indent=1, ensure_ascii=False)),
    )


def average_words(result: dict[str, Any]) -> Reason:
    """Over how many seeds the means are, and with which interval or why with none."""
    seeds = len(result["seeds"])
    if seeds >= LEAST_SEEDS:
        return Reason(
            f"mean and 95 % interval over {seeds} seeds", f"{seeds} 个种子的均值与 95 % 区间"
        )
    if seeds == 1:
        return Reason("one seed; an interval needs three seeds", "1 个种子;区间至少需要三个种子")
    return Reason(
        f"mean of {seeds} seeds; an interval needs three seeds",
        f"{seeds} 个种子的均值;区间至少需要三个种子",
    )


def table(result: dict[str, Any]) -> list[list[str]]:
    """One row of cells for each strategy, the largest area first."""
    ordered = sorted(
        result["strategies"].items(), key=lambda item: -float(item[1]["area"]["value"])
    )
    return [
        [
            name,
            interval(of["area"], 3),
            _labels(of["reach_90"]),
            _labels(of["reach_95"]),
            interval(of["reach_95"]["ratio"], 2) if "ratio" in of["reach_95"] else "",
            f"{of['above_random']:.0%}" if "above_random" in of else "",
            f"{of['worst_area_loss']:.3f}" if "worst_area_loss" in of else "",
        ]
        for name, of in ordered
    ]


def interval(estimate: dict[str, float | None], digits: int) -> str:
    """``0.61 [0.52, 0.70]``; the value alone where there is no interval."""
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    if low is None or high is None or low == high:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _labels(entry: dict[str, Any]) -> str:
    return ("≥ " if entry["censored"] else "") + interval(entry["labels"], 0)


def draw(result: dict[str, Any], path: Path) -> Path:
    """The mean curves, with 95 % intervals where there are three seeds, as a PNG; the path."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), dpi=120)
    for name, of in result["strategies"].items():
        labels = [point["labels"] for point in of["curve"]]
        colour = "#8b8b8b" if name == "random" else None
        (line,) = axes.plot(
            labels, [p["value"] for p in of["curve"]], "o-", markersize=3, label=name, color=colour
        )
        known = [point for point in of["curve"] if point["low"] is not None]
        axes.fill_between(
            [point["labels"] for point in known],
            [point["low"] for point in known],
            [point["high"] for point in known],
            color=line.get_color(),
            alpha=0.12,
        )
    full = result["full_score"]
    axes.axhline(full, color="black", linewidth=1, label=f"all labels: {full:.3f}")
    axes.axhline(0.95 * full, color="black", linewidth=1, linestyle=":", label="95 % of it")
    axes.set_xlabel("labels")
    axes.set_ylabel(f"{result.get('plan', {}).get('metric', 'score')}, {average_words(result).en}")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
    return path
