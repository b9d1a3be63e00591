"""What simulated annotators mix up: by true class, how often which answer is given."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.core.exceptions import InvalidInput
from backend.words import Message

Shares = dict[str, dict[str, float]]
"""True class to answer to share; a class's right answer may be left out: it is the rest."""
Matrix = tuple[tuple[float, ...], ...]

ROUNDING = 1e-6
"""Chosen: what is lost where shares were written with six decimals."""
FORMS = Message(
    "CSV: a header row of answers and one row a true class, its name "
    'first; JSON: {"fair": {"poor": 0.2}}.'
)


def confusion_matrix(shares: Shares, classes: Sequence[str], noise: float, field: str) -> Matrix:
    """(classes, classes) true class to answer, rows sum to one.

    A class that ``shares`` does not name errs at ``noise``, spread evenly over the others.

    Raises:
        InvalidInput: an unknown class, or shares of one class that are no distribution.
    """
    rows = []
    for true in classes:
        if true not in shares:
            other = noise / (len(classes) - 1)
            rows.append(tuple(1.0 - noise if name == true else other for name in classes))
            continue
        given = dict(shares[true])
        wrong = math.fsum(share for answer, share in given.items() if answer != true)
        right = given.setdefault(true, 1.0 - wrong)
        if wrong > 1.0 + ROUNDING or abs(wrong + right - 1.0) > ROUNDING:
            raise InvalidInput(
                Message(
                    "The answers to {true!r} add up to {wrong:g}.",
                    true=true,
                    wrong=wrong + shares[true].get(true, 0.0),
                ),
                field=field,
                value=true,
                remedy=Message(
                    "Give shares that add up to 1; without a share of right answers, at most 1."
                ),
            )
        given[true] = max(0.0, 1.0 - wrong)
        rows.append(tuple(given.get(name, 0.0) for name in classes))
    for name in {*shares, *(answer for row in shares.values() for answer in row)}:
        if name not in classes:
            raise _unknown_class(name, classes, field)
    return tuple(rows)


def parse_confusions(pairs: Sequence[str], classes: Sequence[str]) -> Shares:
    """``fair>poor:0.2`` texts: of the records that are fair, a fifth is answered poor.

    Raises:
        InvalidInput: a text of another form, an unknown class, or a pair given twice.
    """
    shares: Shares = {}
    for pair in pairs:
        names, _, number = pair.rpartition(":")
        if ">" not in names:
            raise InvalidInput(
                Message("{pair!r} is not of the form TRUE>ANSWER:SHARE.", pair=pair),
                field="--confuse",
                value=pair,
                remedy=Message('Write for example --confuse "fair>poor:0.2".'),
            )
        true, answer = _split_pair(names, classes)
        share = _share(number, pair, "--confuse")
        if true == answer:
            raise InvalidInput(
                Message("{pair!r} names the right answer.", pair=pair),
                field="--confuse",
                value=pair,
                remedy=Message("Name wrong answers only; what is left over is right."),
            )
        if answer in shares.setdefault(true, {}):
            raise InvalidInput(
                Message("{true}>{answer} is given twice.", true=true, answer=answer),
                field="--confuse",
                value=pair,
                remedy=Message("Give each pair once."),
            )
        shares[true][answer] = share
    return shares


def read_confusions(path: Path) -> Shares:
    """The shares in a CSV or JSON file.

    Raises:
        InvalidInput: it cannot be read, or holds something else.
    """
    try:
        content = path.read_text("utf-8-sig")
        table = _json(content) if path.suffix.lower() == ".json" else _csv(content)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            Message("{path} is no confusion matrix: {error}.", path=path, error=error),
            field="--confusion",
            value=str(path),
            remedy=FORMS,
        ) from error
    return {
        true: {
            answer: _share(value, f"{true}>{answer}", "--confusion")
            for answer, value in row.items()
        }
        for true, row in table.items()
    }


def _json(content: str) -> dict[str, dict[str, Any]]:
    table = json.loads(content)
    if not isinstance(table, dict) or not all(isinstance(row, dict) for row in table.values()):
        raise ValueError("it is not an object of objects")
    return table


def _csv(content: str) -> dict[str, dict[str, Any]]:
    lines = [line for line in csv.reader(content.splitlines(), strict=True) if any(line)]
    if not lines or len(lines[0]) < 2:
        raise ValueError("it has no header row of answers")
    answers = [name.strip() for name in lines[0][1:]]
    table: dict[str, dict[str, Any]] = {}
    for number, (true, *cells) in enumerate(lines[1:], start=2):
        name = true.strip()
        if len(cells) != len(answers):
            raise ValueError(f"row {number} has {len(cells)} shares for {len(answers)} answers")
        if name in table or len(set(answers)) < len(answers):
            raise ValueError("a class stands there twice")
        table[name] = {
            answer: cell for answer, cell in zip(answers, cells, strict=True) if cell.strip()
        }
    return table


def _split_pair(names: str, classes: Sequence[str]) -> tuple[str, str]:
    """The two classes; either may hold a ``>`` itself."""
    parts = names.split(">")
    for cut in range(1, len(parts)):
        true, answer = ">".join(parts[:cut]).strip(), ">".join(parts[cut:]).strip()
        if true in classes and answer in classes:
            return true, answer
    true, answer = parts[0].strip(), ">".join(parts[1:]).strip()
    raise _unknown_class(answer if true in classes else true, classes, "--confuse")


def _share(value: Any, where: str, field: str) -> float:
    try:
        share = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        share = math.nan
    if not 0.0 <= share <= 1.0:
        raise InvalidInput(
            Message("{where}: {value!r} is not a share.", where=where, value=value),
            field=field,
            value=value if isinstance(value, str | int | float) else str(value),
            remedy=Message("Give a number from 0 to 1."),
        )
    return share


def _unknown_class(name: str, classes: Sequence[str], field: str) -> InvalidInput:
    shown = ", ".join(classes[:20]) + (" …" if len(classes) > 20 else "")
    return InvalidInput(
        Message("There is no class {name!r} in the file.", name=name),
        field=field,
        value=name,
        remedy=Message("Its classes are: {shown}.", shown=shown),
    )


def as_shares(matrix: Matrix, classes: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """JSON-ready, without the answers that are never given."""
    return {
        true: {answer: share for answer, share in zip(classes, row, strict=True) if share}
        for true, row in zip(classes, matrix, strict=True)
    }
