"""A picture of curves as a PNG, in fonts that have the letters of its words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

OWN_FONT = "DejaVu Sans"
"""Ships with matplotlib: digits, Latin, Greek and Cyrillic letters."""
LAST_RESORT = "Last Resort High-Efficiency"
"""Ships with matplotlib too: has a box for every letter, and says none of them."""
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Serif CJK SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
    "WenQuanYi Zen Hei",
)
"""Asked before other fonts that have such letters, for theirs may have Japanese shapes."""


def fonts_for(text: str) -> list[str] | None:
    """Families of this machine that together have all letters; None where there are none."""
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist} - {LAST_RESORT}
    first = [name for name in (OWN_FONT, *CHINESE_FONTS) if name in there]
    chosen, missing = [OWN_FONT], {letter for letter in text if not letter.isspace()}
    for name in [*first, *sorted(there.difference(first))]:
        if not missing:
            break
        face = font_manager.get_font(font_manager.findfont(name))
        known = {letter for letter in missing if face.get_char_index(ord(letter))}
        if known and name != OWN_FONT:
            chosen.append(name)
        missing -= known
    return None if missing else chosen


def drawable(words: Mapping[str, str], in_english: Mapping[str, str]) -> Mapping[str, str]:
    """``words`` where fonts of this machine have their letters, else ``in_english``."""
    return in_english if fonts_for("".join(words.values())) is None else words


@contextmanager
def axes(target: Path | IO[bytes], words: Mapping[str, str]) -> Iterator[Any]:
    """Empty axes to draw on, in fonts for ``words``; the PNG is in ``target`` afterwards."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    fonts = fonts_for("".join(words.values())) or [OWN_FONT]
    with mpl.rc_context({"font.family": fonts}):
        figure = Figure(figsize=(8, 5), dpi=120)
        yield figure.subplots()
        figure.tight_layout()
        figure.savefig(target, format="png")
