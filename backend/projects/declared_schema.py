"""The label schema that a new project declares."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from pydantic import ValidationError

from backend.core.exceptions import InvalidInput
from backend.models import Dataset
from backend.words import Message
from labeling.declaration import DeclarationFault, faults_of
from labeling.label_schema import LabelSchema


def read_label_schema(declared: dict[str, Any] | None, dataset: Dataset) -> LabelSchema:
    """The label schema as declared, or the default one over the dataset's fields.

    Raises:
        InvalidInput: malformed, or it names fields that the dataset does not have.
    """
    if not dataset.fields:
        raise InvalidInput(
            Message(
                "The dataset {dataset!r} has no fields yet, so there is nothing to label.",
                dataset=dataset.name,
            ),
            field="dataset",
            value=dataset.name,
            remedy=Message("Import records first."),
        )
    try:
        if declared is None:
            return LabelSchema.default(dataset.fields)
        schema = LabelSchema.model_validate({"fields": dataset.fields, **declared})
    except ValidationError as error:
        raise _unusable(faults_of(error, LabelSchema)) from error
    unknown = [name for name in schema.fields if name not in dataset.fields]
    if unknown:
        raise InvalidInput(
            Message(
                "The label schema names fields that dataset {dataset!r} does not have: {unknown}.",
                dataset=dataset.name,
                unknown=unknown,
            ),
            field="label_schema.fields",
            value=unknown,
            remedy=Message("Its fields are: {fields}.", fields=dataset.fields),
        )
    return schema


def _unusable(faults: Sequence[DeclarationFault]) -> InvalidInput:
    problems = [
        Message("{place} {problem}", place=each.place, problem=each.problem) for each in faults
    ]
    remedies = [
        Message("{place}: {remedy}", place=each.place, remedy=each.remedy) for each in faults
    ]
    return InvalidInput(
        Message("The label schema cannot be used: {problem}.", problem=reduce(_and_then, problems)),
        field=f"label_schema.{faults[0].place}",
        value=faults[0].value,
        remedy=Message.of(faults[0].remedy) if len(faults) == 1 else reduce(_and_next, remedies),
    )


def _and_then(first: Message, second: Message) -> Message:
    return Message("{first}; {second}", first=first, second=second)


def _and_next(first: Message, second: Message) -> Message:
    return Message("{fact} {remedy}", fact=first, remedy=second)
