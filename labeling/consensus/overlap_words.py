"""Why another annotator is asked or not, in words."""

from enum import Enum
from typing import Any

from labeling.words import Words, class_words


class OverlapReason(Enum):
    """What decided about one more annotator."""

    TOO_FEW = "too_few"
    SHARED = "shared"
    ANNOTATORS_DISAGREE = "annotators_disagree"
    MODEL_DISAGREES = "model_disagrees"
    UNSURE = "unsure"
    SURE = "sure"
    MOST = "most"
    BUDGET = "budget"

    @property
    def is_asking(self) -> bool:
        """Whether it asks for another annotator."""
        return self not in {OverlapReason.SURE, OverlapReason.MOST, OverlapReason.BUDGET}

    @property
    def urgency(self) -> int:
        """0 before 1 before 2 where a budget is short."""
        return {OverlapReason.TOO_FEW: 0, OverlapReason.SHARED: 1}.get(self, 2)


def because(
    reason: OverlapReason,
    *,
    votes: int,
    least: int,
    most: int,
    target: float,
    label: str | None,
    confidence: float | None,
    expected: str,
) -> Words:
    """The reason for one item's decision."""
    known: dict[str, Any] = {
        "grade": class_words(label or "–"),
        "sure": 100 * (confidence or 0.0),
        "wanted": 100 * target,
    }
    sentences = {
        OverlapReason.TOO_FEW: Words(
            "{votes} of at least {least} answers.", votes=votes, least=least
        ),
        OverlapReason.SHARED: Words(
            "Drawn at random for {most} annotators, to measure how reliable each is.", most=most
        ),
        OverlapReason.ANNOTATORS_DISAGREE: Words(
            "The annotators disagree, and no answer is more probable than another."
        )
        if label is None
        else Words(
            "The annotators disagree: {grade} is sure to {sure:.0f} %, {wanted:.0f} % is wanted.",
            **known,
        ),
        OverlapReason.MODEL_DISAGREES: Words(
            "The answer is {grade}, the model expects {expected}: {grade} is sure to "
            "{sure:.0f} %, {wanted:.0f} % is wanted.",
            expected=class_words(expected),
            **known,
        ),
        OverlapReason.UNSURE: Words(
            "No record has two answers yet: nothing tells how often people are right."
        )
        if confidence is None
        else Words("{grade} is sure to {sure:.0f} % only, {wanted:.0f} % is wanted.", **known),
        OverlapReason.SURE: Words(
            "{grade} is sure to {sure:.0f} %: no further answer is needed.", **known
        ),
        OverlapReason.MOST: Words("It has {votes} answers, the most an item gets.", votes=votes),
        OverlapReason.BUDGET: Words("The budget of answers goes to items that are less sure."),
    }
    return sentences[reason]


def saving_in_words(votes: int, asked: int, fixed: int, most: int) -> Words:
    """What the policy saves against ``most`` answers for every item."""
    if not fixed:
        return Words("There are no records yet.")
    saved = fixed - votes - asked
    return Words(
        "{votes:,} answers given and {asked:,} asked for; {most} for every record would be "
        "{fixed:,}: {saved:,} saved ({share:.0f} %).",
        votes=votes,
        asked=asked,
        most=most,
        fixed=fixed,
        saved=saved,
        share=100 * saved / fixed,
    )
