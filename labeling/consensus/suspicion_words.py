"""The evidence of a suspicion, in words."""

from labeling.words import Words, class_words


def always_same(label: str, times: int, of: int, chance: float) -> Words:
    """The same answer nearly always."""
    return Words(
        "Answered {grade} {times:,} of {of:,} times; others give it to such records about "
        "{usual:.0f} % of the time.",
        grade=class_words(label),
        times=times,
        of=of,
        usual=100 * chance,
    )


def too_fast(own: float, usual: float, answers: int) -> Words:
    """Far faster than the others."""
    return Words(
        "Takes {own:.3g} s an answer (median of {answers:,}); the others take about {usual:.3g} s.",
        own=own,
        answers=answers,
        usual=usual,
    )


def copies_suggestion(times: int, of: int, chance: float, copied: int, wrong: int) -> Words:
    """The suggestion nearly always."""
    kept = Words(
        "Kept the suggestion {times:,} of {of:,} times; others agree with it about {usual:.0f} % "
        "of the time.",
        times=times,
        of=of,
        usual=100 * chance,
    )
    if wrong:
        return Words(
            "{kept} Of {wrong} suggestions known to be wrong, {copied} were kept.",
            kept=kept,
            wrong=wrong,
            copied=copied,
        )
    return Words(
        "{kept} Somebody very good could do so too: mix in gold records to tell.", kept=kept
    )
