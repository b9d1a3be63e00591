"""A simulation's results as JSON, a PNG and one HTML page that needs nothing else."""

import base64
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from active_learning.simulation.analysis import LEAST_SEEDS, recommend
from active_learning.types import LookUp, Reason, english

HEADINGS = (
    Reason("strategy"),
    Reason("area under the curve"),
    Reason("labels to 90 %"),
    Reason("labels to 95 %"),
    Reason("labels against random (95 %)"),
    Reason("points at or above random"),
    Reason("worst area loss"),
)
TITLE, PICTURE = Reason("Learning curves"), Reason("learning curves")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Assay: simulation</title><style>
body{{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse}}th,td{{border:1px solid #ccc;padding:.3rem .6rem}}
td+td{{text-align:right}}img{{max-width:100%}}small{{color:#555}}</style></head><body>
<h1>{title}</h1>
{advice}
<img alt="{picture}" src="data:image/png;base64,{png}">
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
{footing}
<details><summary>JSON</summary><pre>{data}</pre></details></body></html>
"""
SPAN = '<span lang="{tag}">{words}</span>'
Languages: TypeAlias = Mapping[str, LookUp]
"""Tag of a language, as HTML has it, to its words; all of them stand in the page."""
ENGLISH: Languages = {"en": english}


def write_report(
    result: dict[str, Any], folder: Path, languages: Languages = ENGLISH
) -> dict[str, Path]:
    """``simulation.json``, ``.png`` and ``.html`` in the folder; their paths by suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {suffix: folder / f"simulation.{suffix}" for suffix in ("json", "png", "html")}
    text = json.dumps(result, indent=2, ensure_ascii=False)
    paths["json"].write_text(text, "utf-8")
    draw(result, paths["png"])
    paths["html"].write_text(page(result, paths["png"].read_bytes(), languages), "utf-8")
    return paths


def page(result: dict[str, Any], png: bytes, languages: Languages = ENGLISH) -> str:
    """The HTML page in these languages, with the picture inside."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in table(result)
    )
    footing = Reason(
        '{metric} on held-out records, {spread}; score of all labels {full:.3f}. "≥": the level '
        "was not reached in every run, which then counts as reached at the budget.",
        metric=str(result.get("plan", {}).get("metric", "score")),
        spread=average_words(result),
        full=result["full_score"],
    )
    advice = recommend(result["strategies"])
    return PAGE.format(
        title=_in_each(TITLE, languages, SPAN, " · "),
        advice=_in_each(advice, languages, '<p lang="{tag}"><b>{words}</b></p>'),
        picture=html.escape(str(PICTURE)),
        png=base64.b64encode(png).decode(),
        head="".join(f"<th>{_in_each(each, languages, SPAN, '<br>')}</th>" for each in HEADINGS),
        rows=rows,
        footing=_in_each(footing, languages, '<p lang="{tag}"><small>{words}</small></p>'),
        data=html.escape(json.dumps(result, indent=1, ensure_ascii=False)),
    )


def _in_each(reason: Reason, languages: Languages, form: str, joint: str = "") -> str:
    return joint.join(
        form.format(tag=tag, words=html.escape(reason.render(look_up)))
        for tag, look_up in languages.items()
    )


def average_words(result: dict[str, Any]) -> Reason:
    """Over how many seeds the means are, and with which interval or why with none."""
    seeds = len(result["seeds"])
    if seeds >= LEAST_SEEDS:
        return Reason("mean and 95 % interval over {seeds} seeds", seeds=seeds)
    if seeds == 1:
        return Reason("one seed; an interval needs three seeds")
    return Reason("mean of {seeds} seeds; an interval needs three seeds", seeds=seeds)


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
    axes.set_ylabel(f"{result.get('plan', {}).get('metric', 'score')}, {average_words(result)}")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
    return path
