"""One annotation of an export as an answer here, or every cause why it cannot be one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from backend.annotations.revisions import identity_of
from backend.ingestion.schemas import Reject, short_value
from backend.label_exchange.people import People
from backend.label_exchange.task_file import ImportedTask
from backend.words import Message
from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import ParsedAnnotation, no_grade, parse_annotation
from labeling.label_studio.label_mapping import LabelMapping, Misfit, translate, values_of

LARGEST_ID = 2_147_483_647
"""2**31 - 1: the store keeps Label Studio's ids in 32 bits."""


class AnswerReader:
    """Reads the annotations of a project's import; ``rejects`` lists those that do not fit."""

    def __init__(self, mapping: LabelMapping, schema: LabelSchema, people: People) -> None:
        self._mapping = mapping
        self._schema = schema
        self._people = people
        self.rejects: list[Reject] = []

    def read(self, task: ImportedTask, *, is_ours: bool) -> list[ParsedAnnotation]:
        """The task's annotations that fit; ``is_ours``: the task is of our own Label Studio."""
        found = []
        for number, raw in enumerate(task.annotations, start=1):
            parsed, misfits = self._parse(task, raw, is_ours=is_ours)
            if parsed is None or misfits:
                self._refuse(task.line, _name(raw, number), misfits)
            else:
                found.append(parsed)
        return found

    def _refuse(self, line: int, name: str, misfits: Sequence[Misfit]) -> None:
        reasons = list(dict.fromkeys(misfit.reason for misfit in misfits))
        reason = Message.of(reasons[0])
        for each in reasons[1:]:
            reason = Message("{reason}; {other}", reason=reason, other=each)
        value = short_value(misfits[0].value)
        self.rejects.append(Reject(line=line, field=name, value=value, reason=reason))

    def _parse(
        self, task: ImportedTask, raw: object, *, is_ours: bool
    ) -> tuple[ParsedAnnotation | None, list[Misfit]]:
        if not isinstance(raw, Mapping):
            told = Message("it is no object with id, result and created_at")
            return None, [Misfit(raw, told)]
        misfits = [*_misfits_of_id(raw.get("id")), *_misfits_of_times(raw)]
        result = raw.get("result")
        if "\\u0000" in json.dumps(result):
            told = Message("a NUL character cannot be kept: take it out of the text")
            misfits.append(Misfit(None, told))
        regions, untold = translate(
            result, self._mapping, self._schema, task.fields, table_fields=task.table_fields
        )
        misfits += untold
        if any(each not in untold for each in misfits):
            return None, misfits
        parsed = parse_annotation(
            self._rewrite(raw, regions, is_ours), self._schema, task_id=task.line
        )
        misfits += self._problems(parsed, regions, has_cause=bool(misfits))
        person = self._people.user_id(raw.get("completed_by"), is_ours=is_ours)
        number = parsed.label_studio_id
        return (
            replace(
                parsed,
                label_studio_id=number if is_ours else id_of_imported(number),
                annotator_id=person,
                result=result,
            ),
            misfits,
        )

    def _rewrite(
        self, raw: Mapping[str, Any], regions: Sequence[Mapping[str, Any]], is_ours: bool
    ) -> dict[str, Any]:
        updated_by, snapshot = raw.get("updated_by"), raw.get("prediction")
        return {
            **raw,
            "result": regions,
            "completed_by": None,
            "updated_by": updated_by if is_ours or self._mapping.same_server else None,
            "prediction": snapshot if isinstance(snapshot, dict) else None,
        }

    def _problems(
        self, parsed: ParsedAnnotation, regions: Sequence[Mapping[str, Any]], *, has_cause: bool
    ) -> list[Misfit]:
        """What the answer itself lacks; a grade that got lost for another cause is none."""
        missing = no_grade(self._schema)
        others = [each for each in parsed.problems if each != missing]
        said = "; ".join(
            f"{region.get('from_name')}: {', '.join(values_of(region))}" for region in regions
        )
        misfits = [
            Misfit(
                said,
                Message(
                    "{problem}: say in the mapping what it means, or take a project whose label "
                    "schema has it",
                    problem=each,
                ),
            )
            for each in others
        ]
        if missing in parsed.problems and not others and not has_cause:
            told = Message(
                "{problem}: answer {name!r} there, or say in the mapping which control it is",
                problem=missing,
                name=self._schema.grade.name,
            )
            misfits.append(Misfit(said or None, told))
        return misfits


def id_of_imported(number: int) -> int:
    """The id under which an annotation of another Label Studio is kept: below zero.

    Our own Label Studio gives out ids from 1 upwards. An export of Assay may hold ids below zero,
    which get a place far from the others.
    """
    return -number if number > 0 else -(LARGEST_ID + number)


def _name(raw: object, number: int) -> str:
    told = raw.get("id") if isinstance(raw, Mapping) else None
    return f"annotation {f'number {number}' if told is None else told}"


def _misfits_of_id(number: object) -> list[Misfit]:
    if type(number) is int and 0 < abs(number) < LARGEST_ID:
        return []
    told = Message(
        "its id {number} is no id of Label Studio, a whole number up to {largest}",
        number=repr(number),
        largest=LARGEST_ID - 1,
    )
    return [Misfit(number, told)]


def _misfits_of_times(raw: Mapping[str, Any]) -> list[Misfit]:
    found = []
    for name in ("created_at", "updated_at"):
        told = raw.get(name)
        if told is None and name == "updated_at":
            continue  # it was never changed
        try:
            identity_of(datetime.fromisoformat(told))  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            reason = (
                Message("{name} is missing: write it as 2026-03-01T10:00:05Z", name=name)
                if told is None
                else Message(
                    "{name} {value} is no time: write it as 2026-03-01T10:00:05Z",
                    name=name,
                    value=repr(told),
                )
            )
            found.append(Misfit(told, reason))
    return found
