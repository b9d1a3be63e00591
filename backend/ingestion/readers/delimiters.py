"""Which delimiter a CSV file has."""

import csv
import re
from collections.abc import Sequence

DELIMITERS = (",", "\t", ";", "|")


def named_delimiter(line: str) -> str | None:
    """The delimiter that a first line such as ``sep=;`` names; None for any other line.

    >>> named_delimiter("sep=;\\r\\n"), named_delimiter("sep;name\\n")
    (';', None)
    """
    found = re.fullmatch(r'"?sep=([^"\r\n])"?[\r\n]*', line, re.IGNORECASE)
    return found[1] if found else None


def likely_delimiter(lines: Sequence[str]) -> str:
    """Comma, tab, semicolon or bar: the one that gives most rows as many cells as the header.

    Where that does not tell, the one that the first line has most of outside quotes.

    >>> likely_delimiter(["id,a|b|c\\n", "1,x\\n"]), likely_delimiter(["id;a, b\\n", "1;2\\n"])
    (',', ';')
    """
    unquoted = "".join(lines[0].split('"')[::2]) if lines else ""
    return max(DELIMITERS, key=lambda each: (_fit(lines, each), unquoted.count(each)))


def _fit(lines: Sequence[str], delimiter: str) -> float:
    """The share of rows that have as many cells as the header, 0 if that is one."""
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0
    if len(widths) < 2 or widths[0] < 2:
        return 0.0
    return widths[1:].count(widths[0]) / (len(widths) - 1)
