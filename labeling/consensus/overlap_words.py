"""Why another annotator is asked or not, in words."""

from enum import Enum

from labeling.consensus.words import Words


class Ground(Enum):
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
        return self not in {Ground.SURE, Ground.MOST, Ground.BUDGET}

    @property
    def urgency(self) -> int:
        """0 before 1 before 2 where a budget is short."""
        return {Ground.TOO_FEW: 0, Ground.SHARED: 1}.get(self, 2)


def because(
    ground: Ground,
    *,
    votes: int,
    least: int,
    most: int,
    target: float,
    label: str | None,
    confidence: float | None,
    answered: str,
    expected: str,
) -> Words:
    """The reason for one item's decision."""
    sure = "–" if confidence is None else f"{100 * confidence:.0f} %"
    wanted = f"{100 * target:.0f} %"
    sure_zh, wanted_zh = sure.replace(" %", "%"), wanted.replace(" %", "%")
    sentences = {
        Ground.TOO_FEW: Words(
            f"{votes} of at least {least} answers.",
            f"已有 {votes} 个答案，至少需要 {least} 个。",
        ),
        Ground.SHARED: Words(
            f"Drawn at random for {most} annotators, to measure how reliable each is.",
            f"随机抽中，由 {most} 位标注员标注，用于衡量每人的可靠程度。",
        ),
        Ground.ANNOTATORS_DISAGREE: Words(
            f"The annotators disagree: {label} is sure to {sure}, {wanted} is wanted.",
            f"标注员意见不一：{label} 的把握为 {sure_zh}，要求 {wanted_zh}。",
        ),
        Ground.MODEL_DISAGREES: Words(
            f"The answer is {answered}, the model expects {expected}: {label} is sure to "
            f"{sure}, {wanted} is wanted.",
            f"答案为 {answered}，模型预期 {expected}：{label} 的把握为 {sure_zh}，"
            f"要求 {wanted_zh}。",
        ),
        Ground.UNSURE: Words(
            f"{label} is sure to {sure} only, {wanted} is wanted.",
            f"{label} 的把握仅 {sure_zh}，要求 {wanted_zh}。",
        ),
        Ground.SURE: Words(
            f"{label} is sure to {sure}: no further answer is needed.",
            f"{label} 的把握为 {sure_zh}：无需更多答案。",
        ),
        Ground.MOST: Words(
            f"It has {votes} answers, the most an item gets.",
            f"已有 {votes} 个答案，达到上限。",
        ),
        Ground.BUDGET: Words(
            "The budget of answers goes to items that are less sure.",
            "标注预算优先用于把握更低的记录。",
        ),
    }
    return sentences[ground]


def saving_in_words(votes: int, asked: int, fixed: int, most: int) -> Words:
    """What the policy saves against ``most`` answers for every item."""
    if not fixed:
        return Words("There are no records yet.", "还没有记录。")
    saved = fixed - votes - asked
    return Words(
        f"{votes:,} answers given and {asked:,} asked for; {most} for every record would be "
        f"{fixed:,}: {saved:,} saved ({100 * saved / fixed:.0f} %).",
        f"已有 {votes:,} 个答案，另需 {asked:,} 个；若每条记录 {most} 个则需 {fixed:,} 个："
        f"节省 {saved:,} 个（{100 * saved / fixed:.0f}%）。",
    )
