"""Whether records that a program brings have the fields and types of the dataset."""

from collections.abc import Mapping, Sequence

from backend.core.exceptions import InvalidInput
from backend.models import Dataset
from backend.records.content import Value, is_of_type
from backend.words import Message

TYPE_NAMES = {
    "number": Message("a number"),
    "time": Message("a time as in ISO 8601"),
    "boolean": Message("true or false"),
}


def check_records(dataset: Dataset, records: Sequence[Mapping[str, Value]]) -> None:
    """Returns if every record has fields of the dataset only, each of its column's type.

    A field that is left out, null or empty is a missing value.

    Raises:
        InvalidInput: names the record's place, the field, the value and what to do.
    """
    known = set(dataset.fields)
    for place, record in enumerate(records):
        for name, value in record.items():
            if name not in known:
                raise InvalidInput(
                    Message(
                        "Dataset {dataset!r} has no field {field!r}.",
                        dataset=dataset.name,
                        field=name,
                    ),
                    field=f"records.{place}.{name}",
                    value=value,
                    remedy=Message("Its fields are: {fields}.", fields=dataset.fields),
                )
            kind = dataset.types.get(name)
            if kind is not None and value not in (None, "") and not is_of_type(value, kind):
                raise InvalidInput(
                    Message("{value!r} is not {kind}.", value=value, kind=TYPE_NAMES[kind]),
                    field=f"records.{place}.{name}",
                    value=value,
                    remedy=Message(
                        "Send {kind}, or null for a missing value.", kind=TYPE_NAMES[kind]
                    ),
                )
