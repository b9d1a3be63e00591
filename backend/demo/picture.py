"""The learning curve as a PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from active_learning.picture import axes, drawable
from backend.words import N_, Translate

WORDS = {
    "title": N_("Assay: learning curve"),
    "labels": N_("labelled records"),
    "scale": N_("on the random audit sample, 95 % interval"),
    "audit_accuracy": N_("accuracy"),
    "audit_macro_f1": N_("macro-F1"),
}
COLOURS = {"audit_accuracy": "#1f6feb", "audit_macro_f1": "#d97706"}


def draw_learning_curve(metrics: Sequence[Mapping[str, Any]], path: Path, t: Translate) -> Path:
    """Accuracy and macro-F1 on the audit sample over labels, with 95 % intervals; the path.

    The words are those of ``t`` where fonts of this machine have their letters, else English.
    """
    words = drawable({name: t(text) for name, text in WORDS.items()}, WORDS)
    path.parent.mkdir(parents=True, exist_ok=True)
    with axes(path, words) as plot:
        for key, colour in COLOURS.items():
            points = [(row["labels"], row[key]) for row in metrics if row.get(key)]
            if not points:
                continue
            labels = [label for label, _ in points]
            values = [estimate["value"] for _, estimate in points]
            plot.plot(labels, values, "o-", color=colour, label=words[key])
            plot.fill_between(
                labels,
                [estimate["low"] for _, estimate in points],
                [estimate["high"] for _, estimate in points],
                color=colour,
                alpha=0.15,
            )
        plot.set_xlabel(words["labels"])
        plot.set_ylabel(words["scale"])
        plot.set_ylim(0, 1)
        plot.grid(alpha=0.3)
        if plot.get_legend_handles_labels()[0]:
            plot.legend(loc="lower right")
        plot.set_title(words["title"])
    return path
