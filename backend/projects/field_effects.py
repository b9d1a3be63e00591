"""What fields do to a prediction, as pages show it beside the fields' values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.projects.titles import with_titles
from backend.words import Message
from labeling.label_schema import LabelSchema


@dataclass(frozen=True)
class Piece:
    """A part of a value, and what it adds to the grade's log-odds; None: it was not asked."""

    text: str
    contribution: float | None = None


@dataclass(frozen=True)
class FieldEffect:
    """What one field adds to the log-odds of the suggested grade."""

    name: str
    contribution: float
    share: float
    """Of the page's strongest effect, from 0 to 1: the length of its bar."""
    pieces: list[Piece]
    reason: Message

    @classmethod
    def of_mark(
        cls, mark: Mapping[str, Any], strongest: float, schema: LabelSchema
    ) -> "FieldEffect":
        """Of a mark of an explanation, as it is stored."""
        contribution = float(mark["contribution"])
        return cls(
            name=mark["field"],
            contribution=contribution,
            share=abs(contribution) / strongest,
            pieces=split_value(mark["value"], mark.get("tokens") or ()),
            reason=with_titles(Message.from_json(mark["reason"]), schema),
        )


def strongest_of(marks: Sequence[Mapping[str, Any]]) -> float:
    """The largest effect, whatever its sign; 1 where there is none."""
    return max((abs(float(mark["contribution"])) for mark in marks), default=0.0) or 1.0


def split_value(value: str, tokens: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """The whole value in order, cut where a token with a contribution begins or ends."""
    pieces: list[Piece] = []
    done = 0
    for token in sorted(tokens, key=lambda token: int(token["start"])):
        start, end = max(int(token["start"]), done), min(int(token["end"]), len(value))
        if start >= end:
            continue
        if start > done:
            pieces.append(Piece(value[done:start]))
        pieces.append(Piece(value[start:end], float(token["contribution"])))
        done = end
    if done < len(value):
        pieces.append(Piece(value[done:]))
    return pieces
