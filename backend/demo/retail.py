"""A dirty table beside its clean twin, as records with truth.

Reads a folder with ``dirty.csv.gz`` and ``clean.csv.gz`` (same rows, same columns), such as the
retail inventory ``ed_retail_inventory_nt``: 0 / 1 / 2 or more wrong fields = good / fair / poor.
"""

import csv
import gzip
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.demo.truth import GRADES, DemoRecord, Truth
from backend.words import Message

DATASET = "ed_retail_inventory_nt"
KEY = "code"
ISSUES: tuple[dict[str, str], ...] = (
    {"value": "missing_value", "en": "missing value", "zh": "缺失值", "dimension": "completeness"},
    {"value": "typo", "en": "typing error", "zh": "错别字", "dimension": "accuracy"},
    {"value": "wrong_value", "en": "wrong value", "zh": "错误值", "dimension": "accuracy"},
    {"value": "invalid_format", "en": "invalid format", "zh": "格式错误", "dimension": "validity"},
)
SIZE = re.compile(r"(\d+\.?\d*|\.\d+) ?[A-Z]{1,3}", re.IGNORECASE)


class PairedTablesError(ValueError):
    """The two tables cannot be read as a pair; the message names file, line and remedy."""


def default_folder() -> Path:
    """The table's folder below ``ASSAY_DATA``, or below ``../shared/data``."""
    return Path(os.environ.get("ASSAY_DATA", "../shared/data")) / DATASET


def read_pairs(folder: Path) -> Iterator[DemoRecord]:
    """Yield every row of the dirty table with the truth from the clean one, in file order.

    The record id is the row's code and, from its second occurrence on, ``code-2``, ``code-3``.

    Raises:
        PairedTablesError: a file is missing, the tables differ in columns or length, or no column
            names the rows.
    """
    for name in ("dirty.csv.gz", "clean.csv.gz"):
        if not (folder / name).is_file():
            raise PairedTablesError(
                Message(
                    "{file} is missing. Give the folder that holds dirty.csv.gz and clean.csv.gz,"
                    " or set ASSAY_DATA to the folder above it.",
                    file=folder / name,
                )
            )
    seen: dict[str, int] = {}
    with (
        gzip.open(folder / "dirty.csv.gz", "rt", encoding="utf-8", newline="") as dirty_file,
        gzip.open(folder / "clean.csv.gz", "rt", encoding="utf-8", newline="") as clean_file,
    ):
        dirty_rows, clean_rows = csv.DictReader(dirty_file), csv.DictReader(clean_file)
        if dirty_rows.fieldnames != clean_rows.fieldnames:
            raise PairedTablesError(
                Message(
                    "{folder}: dirty.csv.gz has columns {dirty}, clean.csv.gz has {clean}; they "
                    "must be the same.",
                    folder=folder,
                    dirty=dirty_rows.fieldnames or (),
                    clean=clean_rows.fieldnames or (),
                )
            )
        if KEY not in (dirty_rows.fieldnames or ()):
            raise PairedTablesError(
                Message(
                    "{folder}: the tables have no column {column!r}, which names each row; they "
                    "have {dirty}.",
                    folder=folder,
                    column=KEY,
                    dirty=dirty_rows.fieldnames or (),
                )
            )
        for dirty in dirty_rows:
            clean = next(clean_rows, None)
            if clean is None:
                raise PairedTablesError(
                    Message(
                        "{folder}: clean.csv.gz ends before line {line} of dirty.csv.gz; both "
                        "need one line for each record.",
                        folder=folder,
                        line=dirty_rows.line_num,
                    )
                )
            code = clean[KEY]
            seen[code] = seen.get(code, 0) + 1
            record_id = code if seen[code] == 1 else f"{code}-{seen[code]}"
            fields = {name: value for name, value in dirty.items() if name != KEY}
            yield DemoRecord(
                record_id, "inventory", "en", fields, truth_of(record_id, dirty, clean)
            )
        if next(clean_rows, None) is not None:
            raise PairedTablesError(
                Message(
                    "{folder}: clean.csv.gz has more lines than dirty.csv.gz; both need one line "
                    "for each record.",
                    folder=folder,
                )
            )


def truth_of(record_id: str, dirty: dict[str, str], clean: dict[str, str]) -> Truth:
    """Grade by the number of wrong fields, one issue for each kind of difference."""
    wrong = [name for name in clean if dirty[name] != clean[name]]
    issues = dict.fromkeys(issue_of(dirty[name], clean[name]) for name in wrong)
    return Truth(
        record_id=record_id,
        grade=GRADES[min(len(wrong), 2)],
        issues=tuple(issues),
        faulty_fields=tuple(wrong),
        corrected={name: clean[name] for name in wrong},
    )


def issue_of(dirty: str, clean: str) -> str:
    """The kind of difference between a wrong value and the right one.

    Empty: missing value. Right value a date or size and the wrong one no longer such:
    invalid format; still such: wrong value. Anything else: typing error.
    """
    if not dirty.strip():
        return "missing_value"
    if _is_date(clean):
        return "wrong_value" if _is_date(dirty) else "invalid_format"
    if SIZE.fullmatch(clean):
        return "wrong_value" if SIZE.fullmatch(dirty) else "invalid_format"
    return "typo"


def label_schema(fields: tuple[str, ...]) -> dict[str, Any]:
    """The label schema for a table with these fields, as ``LabelSchema`` reads it."""
    return {
        "fields": list(fields),
        "issues": [dict(issue) for issue in ISSUES],
        "instructions_en": "Good: every field is right. Fair: one is wrong. Poor: two or more.",
        "instructions_zh": "优良：所有字段正确。一般：一个字段有误。差：两个及以上字段有误。",
    }


def _is_date(value: str) -> bool:
    try:
        datetime.strptime(value, "%m/%d/%Y")
    except ValueError:
        return False
    return bool(re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", value))
