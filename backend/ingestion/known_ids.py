"""Ids that were floats once, and what a dataset calls them."""

from collections.abc import Sequence
from dataclasses import replace

from backend.records.schemas import RecordCreate
from backend.records.service import RecordsService


def ids_as_before(records: RecordsService, dataset_id: int, ids: Sequence[str]) -> dict[str, str]:
    """Of whole numbers, those that the dataset has only as floats, each with that spelling.

    Earlier imports wrote ``1001.0`` where a column of ids was one of floats.
    """
    floats = {f"{whole}.0": whole for whole in ids}
    there = records.ids_there(dataset_id, [*floats, *ids])
    return {whole: text for text, whole in floats.items() if text in there and whole not in there}


def with_ids(records: Sequence[RecordCreate], ids: dict[str, str]) -> Sequence[RecordCreate]:
    """The records, those whose id is among ``ids`` under the other one."""
    if not ids:
        return records
    return [
        replace(record, external_id=ids.get(record.external_id, record.external_id))
        for record in records
    ]
