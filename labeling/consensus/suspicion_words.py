"""The evidence of a suspicion, in words."""

from labeling.consensus.words import Words


def always_same(label: str, label_zh: str, times: int, of: int, chance: float) -> Words:
    """The same answer nearly always."""
    usual = f"{100 * chance:.0f}"
    return Words(
        f"Answered {label} {times:,} of {of:,} times; others give it to such records about "
        f"{usual} % of the time.",
        f"{of:,} 次中有 {times:,} 次回答 {label_zh}；"
        f"其他人对这类记录约有 {usual}% 的情况给出该答案。",
    )


def too_fast(own: float, usual: float, answers: int) -> Words:
    """Far faster than the others."""
    return Words(
        f"Takes {own:.3g} s an answer (median of {answers:,}); the others take about "
        f"{usual:.3g} s.",
        f"每个答案用时 {own:.3g} 秒（{answers:,} 个的中位数）；其他人约 {usual:.3g} 秒。",
    )


def copies_suggestion(times: int, of: int, chance: float, copied: int, wrong: int) -> Words:
    """The suggestion nearly always."""
    usual = f"{100 * chance:.0f}"
    en = (
        f"Kept the suggestion {times:,} of {of:,} times; others agree with it about {usual} % "
        f"of the time."
    )
    zh = f"{of:,} 次中有 {times:,} 次保留了建议；其他人约有 {usual}% 的情况与建议一致。"
    if wrong:
        return Words(
            f"{en} Of {wrong} suggestions known to be wrong, {copied} were kept.",
            f"{zh}在 {wrong} 个已知错误的建议中保留了 {copied} 个。",
        )
    return Words(
        f"{en} Somebody very good could do so too: mix in gold records to tell.",
        f"{zh}水平很高的人也可能如此：混入金标准记录可以区分。",
    )
