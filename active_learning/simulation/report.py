"""A simulation's results as JSON, a PNG and one HTML page that needs nothing else."""

import base64
import html
import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

from active_learning.picture import axes, drawable
from active_learning.simulation.analysis import BASELINE, LEAST_SEEDS, recommend
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
NAME, TITLE, PICTURE = (
    Reason("Assay: simulation"),
    Reason("Learning curves"),
    Reason("learning curves"),
)
METRICS = {"macro_f1": Reason("macro-F1"), "accuracy": Reason("accuracy")}
PAGE = """<!doctype html>
<html lang="{tag}"><head><meta charset="utf-8"><title>{name}</title><style>
body{{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse}}th,td{{border:1px solid #ccc;padding:.3rem .6rem}}
td+td{{text-align:right}}img{{max-width:100%}}small{{color:#555}}</style></head><body>
<h1>{title}</h1>
{advice}
{pictures}
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
{footing}
<details><summary>JSON</summary><pre>{data}</pre></details></body></html>
"""
IMAGE = '<img lang="{tag}" alt="{words}" src="data:image/png;base64,{png}">'
FOLDED = '<details lang="{tag}"><summary>{title}</summary>{image}</details>'
SPAN = '<span lang="{tag}">{words}</span>'
Languages: TypeAlias = Mapping[str, LookUp]
"""Tag of a language, as HTML has it, to its words; all of them stand in the page, and the first is
the reader's: in its words is the picture that is seen at once."""
ENGLISH: Languages = {"en": english}


def write_report(
    result: dict[str, Any], folder: Path, languages: Languages = ENGLISH
) -> dict[str, Path]:
    """``simulation.json``, ``.png`` and ``.html`` in the folder; their paths by suffix.

    The PNG is in the first language, the page has a picture for each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {suffix: folder / f"simulation.{suffix}" for suffix in ("json", "png", "html")}
    text = json.dumps(result, indent=2, ensure_ascii=False)
    paths["json"].write_text(text, "utf-8")
    pictures = {tag: draw(result, look_up) for tag, look_up in languages.items()}
    paths["png"].write_bytes(next(iter(pictures.values())))
    paths["html"].write_text(page(result, pictures, languages), "utf-8")
    return paths


def page(result: dict[str, Any], pictures: Mapping[str, bytes], languages: Languages) -> str:
    """The HTML page in these languages, with the PNG that ``pictures`` has for each inside."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in table(result)
    )
    footing = Reason(
        '{metric} on held-out records, {spread}; score of all labels {full:.3f}. "≥": the level '
        "was not reached in every run, which then counts as reached at the budget.",
        metric=metric_words(result),
        spread=average_words(result),
        full=result["full_score"],
    )
    advice = recommend(result["strategies"])
    first = next(iter(languages))
    return PAGE.format(
        tag=first,
        name=html.escape(NAME.render(languages[first])),
        title=_in_each(TITLE, languages, SPAN, " · "),
        advice=_in_each(advice, languages, '<p lang="{tag}"><b>{words}</b></p>'),
        pictures=_images(pictures, languages),
        head="".join(f"<th>{_in_each(each, languages, SPAN, '<br>')}</th>" for each in HEADINGS),
        rows=rows,
        footing=_in_each(footing, languages, '<p lang="{tag}"><small>{words}</small></p>'),
        data=html.escape(json.dumps(result, indent=1, ensure_ascii=False)),
    )


def _images(pictures: Mapping[str, bytes], languages: Languages) -> str:
    """The first picture; below it those of other languages, each folded in."""
    tags: dict[bytes, str] = {}
    for tag, png in pictures.items():
        tags.setdefault(png, tag)  # where no font has a language's letters, its picture is English
    first, *further = (_image(png, tag, languages[tag]) for png, tag in tags.items())
    folded = (
        FOLDED.format(tag=tag, title=html.escape(TITLE.render(languages[tag])), image=image)
        for tag, image in zip(list(tags.values())[1:], further, strict=True)
    )
    return "\n".join([first, *folded])


def _image(png: bytes, tag: str, look_up: LookUp) -> str:
    words = html.escape(PICTURE.render(look_up))
    return IMAGE.format(tag=tag, words=words, png=base64.b64encode(png).decode())


def _in_each(reason: Reason, languages: Languages, form: str, joint: str = "") -> str:
    return joint.join(
        form.format(tag=tag, words=html.escape(reason.render(look_up)))
        for tag, look_up in languages.items()
    )


def metric_words(result: dict[str, Any]) -> Reason:
    """What the score is called."""
    return METRICS.get(result.get("plan", {}).get("metric", ""), Reason("score"))


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


def draw(result: dict[str, Any], look_up: LookUp = english) -> bytes:
    """The mean curves, with 95 % intervals where there are three seeds, as a PNG.

    The words are those of ``look_up`` where fonts of this machine have their letters, else English.
    """
    full = result["full_score"]
    texts = {
        "title": TITLE,
        "labels": Reason("labels"),
        "scale": Reason(
            "{metric}, {spread}", metric=metric_words(result), spread=average_words(result)
        ),
        "full": Reason("all labels: {full:.3f}", full=full),
        "level": Reason("95 % of it"),
    }
    words = drawable(
        {name: text.render(look_up) for name, text in texts.items()},
        {name: str(text) for name, text in texts.items()},
    )
    png = BytesIO()
    with axes(png, words) as plot:
        for name, of in result["strategies"].items():
            _draw_curve(plot, name, of["curve"])
        plot.axhline(full, color="black", linewidth=1, label=words["full"])
        plot.axhline(0.95 * full, color="black", linewidth=1, linestyle=":", label=words["level"])
        plot.set_title(words["title"])
        plot.set_xlabel(words["labels"])
        plot.set_ylabel(words["scale"])
        plot.grid(alpha=0.3)
        plot.legend(loc="lower right", fontsize=8)
    return png.getvalue()


def _draw_curve(plot: Any, name: str, points: Sequence[Mapping[str, Any]]) -> None:
    (line,) = plot.plot(
        [point["labels"] for point in points],
        [point["value"] for point in points],
        "o-",
        markersize=3,
        label=name,
        color="#8b8b8b" if name == BASELINE else None,
    )
    known = [point for point in points if point["low"] is not None]
    plot.fill_between(
        [point["labels"] for point in known],
        [point["low"] for point in known],
        [point["high"] for point in known],
        color=line.get_color(),
        alpha=0.12,
    )
