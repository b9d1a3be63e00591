"""Two versions of a guideline line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from backend.guidelines.schemas import GuidelineText
from labeling.label_schema import Titles

CONTEXT = 2
"""Lines around a difference. Chosen: it shows where it is."""
NO_TITLES = Titles()


@dataclass(frozen=True)
class Line:
    """One line: in both versions, only in the earlier or only in the later; or some left out."""

    kind: Literal["same", "removed", "added", "gap"]
    text: str


def compare(before: GuidelineText, after: GuidelineText, titles: Titles = NO_TITLES) -> list[Line]:
    """What is different, with ``CONTEXT`` lines around it; empty where nothing is."""
    old, new = as_lines(before, titles), as_lines(after, titles)
    lines: list[Line] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [Line("same", text) for text in old[i1:i2]]
        else:
            lines += [Line("removed", text) for text in old[i1:i2]]
            lines += [Line("added", text) for text in new[j1:j2]]
    return _shorten(lines)


def as_lines(text: GuidelineText, titles: Titles = NO_TITLES) -> list[str]:
    """All of a guideline as lines of plain text, each part under its name."""
    lines = ["== English", *text.text.splitlines(), "== 中文", *text.text_zh.splitlines()]
    for rule in text.rules:
        lines.append(
            f"== § {rule.name}" + (f" ({titles.subject(rule.about)})" if rule.about else "")
        )
        lines += [*rule.text.splitlines(), *rule.text_zh.splitlines()]
    return lines


def _shorten(lines: Sequence[Line]) -> list[Line]:
    changed = [place for place, line in enumerate(lines) if line.kind != "same"]
    near = {
        place
        for middle in changed
        for place in range(middle - CONTEXT, middle + CONTEXT + 1)
        if 0 <= place < len(lines)
    }
    shown: list[Line] = []
    for place, line in enumerate(lines):
        if place in near:
            shown.append(line)
        elif near and (not shown or shown[-1].kind != "gap"):
            shown.append(Line("gap", "…"))
    return shown
