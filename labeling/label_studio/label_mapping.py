"""Answers given on another labelling screen, told in the terms of our label schema."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from labeling.declaration import broken_rule
from labeling.label_schema import LabelSchema
from labeling.label_studio.controls import CORRECTED, EVIDENCE, FAULTY, ISSUES, RATIONALE, RECORD
from labeling.label_studio.predictions import mark_field
from labeling.words import Words


class Misfit(NamedTuple):
    """A value of an annotation that has no meaning here, and why."""

    value: object
    reason: Words | str


class _MappingPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ControlMeaning(_MappingPart):
    """What the values of one control (``from_name``) mean: value there to value here."""

    to_name: str | None = Field(None, description="only its answers about that object")
    grade: dict[str, str] | None = None
    issues: dict[str, str] | None = None
    faulty_fields: dict[str, str] | None = None

    @model_validator(mode="after")
    def check(self) -> Self:
        given = [name for name in ("grade", "issues", "faulty_fields") if getattr(self, name)]
        if len(given) != 1:
            raise broken_rule(
                Words("has {given}", given=given or Words("none")),
                Words("Give exactly one of grade, issues and faulty_fields, with values."),
            )
        return self


class RecordMapping(_MappingPart):
    """Which of a task's data are the record."""

    external_id: str | None = Field(
        None, description="key of the data that names the record; none: record_id, else the task"
    )
    kind: str | None = Field(None, max_length=50, description="of every record")
    fields: dict[str, str] | None = Field(
        None, description="key of the data to field name; none: all of the data, under their keys"
    )


class LabelMapping(_MappingPart):
    """What the questions of another labelling screen mean here.

    A control that is not named keeps its meaning if it is one of our screen's own.
    """

    record: RecordMapping = RecordMapping()
    controls: dict[str, Literal["rationale", "ignore"] | ControlMeaning] = Field(
        default_factory=dict, description="from_name to its meaning"
    )
    annotators: dict[str, str] = Field(
        default_factory=dict, description="user id or e-mail there to e-mail here"
    )
    same_server: bool = Field(
        False, description="user ids are those of the Label Studio that is connected here"
    )
    label_schema: dict[str, Any] | None = Field(
        None, description="of a project that the import creates; none: the default one"
    )

    @field_validator("annotators", mode="before")
    @classmethod
    def ids_as_texts(cls, declared: object) -> object:
        """A user id may be written as the number that it is."""
        if not isinstance(declared, Mapping):
            return declared
        return {str(key) if type(key) is int else key: who for key, who in declared.items()}


def translate(
    regions: object,
    mapping: LabelMapping,
    schema: LabelSchema,
    fields: Mapping[str, Any],
    *,
    table_fields: Sequence[str] | None,
) -> tuple[list[dict[str, Any]], list[Misfit]]:
    """The regions as our own screen would have written them, and what could not be told so.

    Args:
        regions: an annotation's ``result``.
        mapping: what its controls mean.
        schema: of the project here.
        fields: of the record, on which faulty fields are marked.
        table_fields: names of the rows of the table that the annotator saw; None: no table.
            Our own screen's marks name a row by its place, so they need the schema's fields.
    """
    found: list[dict[str, Any]] = []
    chosen: dict[str, list[str]] = {"grade": [], "issues": [], "faulty_fields": []}
    remarks: list[str] = []
    problems: list[Misfit] = []
    if not isinstance(regions, list):
        told = Words("the result is a {kind}, not a list", kind=type(regions).__name__)
        return [], [Misfit(regions, told)]
    own = {schema.grade.name, ISSUES, FAULTY, CORRECTED, RATIONALE, EVIDENCE}
    for region in regions:
        if not isinstance(region, Mapping):
            problems.append(Misfit(region, Words("a part of the result is not an object")))
            continue
        name = str(region.get("from_name"))
        meaning = mapping.controls.get(name)
        if meaning == "ignore" or (
            isinstance(meaning, ControlMeaning)
            and meaning.to_name not in (None, region.get("to_name"))
        ):
            continue
        if meaning == "rationale":
            remarks += values_of(region)
        elif isinstance(meaning, ControlMeaning):
            _choose(meaning, name, values_of(region), chosen, problems)
        elif name not in own:
            problems.append(Misfit(name, _unknown_control(name, [*mapping.controls, *own])))
        elif name in (FAULTY, CORRECTED) and tuple(table_fields or ()) != schema.fields:
            reason = Words(
                "{name} marks a row of a table with the fields {fields}; the label schema has "
                "{schema}: take a project that shows the same",
                name=name,
                fields=str(list(table_fields or ())),
                schema=str(list(schema.fields)),
            )
            problems.append(Misfit(name, reason))
        else:
            found.append(dict(region))
    return [*found, *_result_of(chosen, remarks, schema, fields, problems)], problems


def _unknown_control(name: str, known: Sequence[str]) -> Words:
    near = get_close_matches(name, known, n=1)
    if not near:
        return Words("control {name!r} is not in the label schema: map it or ignore it", name=name)
    return Words(
        "control {name!r} is not in the label schema (is it {near!r}?): map it or ignore it",
        name=name,
        near=near[0],
    )


def values_of(region: Mapping[str, Any]) -> list[str]:
    """What a region chooses or says, as texts, whatever its control is."""
    value = region.get("value")
    if not isinstance(value, Mapping):
        return []
    said = value.get(str(region.get("type")), value.get("text"))
    if said is None:
        return []
    listed = said if isinstance(said, list) else [said]
    return [" / ".join(map(str, each)) if isinstance(each, list) else str(each) for each in listed]


def _choose(
    meaning: ControlMeaning,
    name: str,
    values: Sequence[str],
    chosen: dict[str, list[str]],
    problems: list[Misfit],
) -> None:
    for target, found in chosen.items():
        known = getattr(meaning, target)
        if not known:
            continue
        for value in values:
            if value in known:
                found.append(known[value])
            else:
                reason = Words(
                    "{name}: {value!r} has no meaning in the mapping: add it to "
                    "controls.{name}.{target}",
                    name=name,
                    value=value,
                    target=target,
                )
                problems.append(Misfit(value, reason))


def _result_of(
    chosen: Mapping[str, Sequence[str]],
    remarks: Sequence[str],
    schema: LabelSchema,
    fields: Mapping[str, Any],
    problems: list[Misfit],
) -> list[dict[str, Any]]:
    def plain(control: str, kind: str, content: Sequence[str]) -> dict[str, Any]:
        key = "choices" if kind == "choices" else "text"
        value = {key: list(dict.fromkeys(content))}
        return {"from_name": control, "to_name": RECORD, "type": kind, "value": value}

    found = []
    if chosen["grade"]:
        found.append(plain(schema.grade.name, "choices", chosen["grade"]))
    if chosen["issues"]:
        found.append(plain(ISSUES, "choices", chosen["issues"]))
    for name in dict.fromkeys(chosen["faulty_fields"]):
        if name in schema.fields:
            found.append(mark_field(name, fields, schema))
        else:
            reason = Words(
                "faulty_fields: {name!r} is not one of {fields}: map it to one that is",
                name=name,
                fields=str(list(schema.fields)),
            )
            problems.append(Misfit(name, reason))
    if remarks:
        found.append(plain(RATIONALE, "textarea", remarks))
    return found
