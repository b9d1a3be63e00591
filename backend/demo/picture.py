"""The learning curve as a PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.words import N_, Translate

CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Serif CJK SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
    "WenQuanYi Zen Hei",
)
"""What matplotlib's own font lacks, where the machine has one of them."""
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

    The words are those of ``t`` where a font of this machine has their letters, else English.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    fonts = _fonts()
    words = {name: t(text) for name, text in WORDS.items()}
    if not _can_be_drawn("".join(words.values()), fonts):
        words = WORDS
    with mpl.rc_context({"font.family": list(fonts)}):
        figure, axes = pyplot.subplots(figsize=(8, 5), dpi=120)
        for key, colour in COLOURS.items():
            points = [(row["labels"], row[key]) for row in metrics if row.get(key)]
            if not points:
                continue
            labels = [label for label, _ in points]
            values = [estimate["value"] for _, estimate in points]
            axes.plot(labels, values, "o-", color=colour, label=words[key])
            axes.fill_between(
                labels,
                [estimate["low"] for _, estimate in points],
                [estimate["high"] for _, estimate in points],
                color=colour,
                alpha=0.15,
            )
        axes.set_xlabel(words["labels"])
        axes.set_ylabel(words["scale"])
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower right")
        axes.set_title(words["title"])
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
        pyplot.close(figure)
    return path


def _fonts() -> dict[str, str]:
    """Family to file of matplotlib's own font and of the Chinese ones that are there."""
    from matplotlib import font_manager

    there = {font.name: font.fname for font in font_manager.fontManager.ttflist}
    wanted = ("DejaVu Sans", *CHINESE_FONTS)
    return {name: there[name] for name in wanted if name in there}


def _can_be_drawn(text: str, fonts: Mapping[str, str]) -> bool:
    from matplotlib.ft2font import FT2Font

    faces = [FT2Font(file) for file in fonts.values()]
    return all(any(face.get_char_index(ord(letter)) for face in faces) for letter in text)
