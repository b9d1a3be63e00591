"""The learning curve as a PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def draw_learning_curve(metrics: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Accuracy and macro-F1 on the audit sample over labels, with 95 % intervals; the path."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), dpi=120)
    for key, title, colour in (
        ("audit_accuracy", "accuracy", "#1f6feb"),
        ("audit_macro_f1", "macro-F1", "#d97706"),
    ):
        points = [(row["labels"], row[key]) for row in metrics if row.get(key)]
        if not points:
            continue
        labels = [label for label, _ in points]
        values = [estimate["value"] for _, estimate in points]
        axes.plot(labels, values, "o-", color=colour, label=title)
        axes.fill_between(
            labels,
            [estimate["low"] for _, estimate in points],
            [estimate["high"] for _, estimate in points],
            color=colour,
            alpha=0.15,
        )
    axes.set_xlabel("labelled records")
    axes.set_ylabel("on the random audit sample, 95 % interval")
    axes.set_ylim(0, 1)
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")
    axes.set_title("Assay: learning curve")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)
    return path
