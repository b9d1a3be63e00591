"""Numbers with their nouns in English sentences."""


def amount(number: int, noun: str, plural: str | None = None) -> str:
    """Such as ``1 record``, ``2,000 records`` or, with a ``plural``, ``3 entries``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
