"""Records that a program brings one by one or some hundred at a time."""

from collections.abc import Sequence

from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.exceptions import InvalidInput
from backend.ingestion.values import UnusableValue, normalise
from backend.models import Dataset
from backend.records.content import Value
from backend.records.schemas import RecordCreate
from backend.records.service import RecordsService
from backend.scoring.record_check import check_records
from backend.scoring.schemas import ArrivalAnswer, RecordArrival
from backend.words import Message


class Arrivals:
    """Takes records into datasets, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._records = RecordsService(session, clock)

    def take(
        self, dataset: Dataset, arrivals: Sequence[RecordArrival], *, source: str
    ) -> ArrivalAnswer:
        """Each is the current version of its external id; all are taken or none.

        Taking them again changes nothing.

        Raises:
            InvalidInput: two have one external id, or a field, a type or a value is not as the
                dataset has it; the message names the record.
        """
        check_records(dataset, [each.fields for each in arrivals])
        records = [
            RecordCreate(
                external_id=_external_id(place, each),
                kind=_text(place, "kind", each.kind or dataset.kind),
                fields={
                    name: _value(place, name, each.fields.get(name)) for name in dataset.fields
                },
                source=source,
                observed_at=each.observed_at,
            )
            for place, each in enumerate(arrivals)
        ]
        _refuse_repeats([record.external_id for record in records])
        counts = self._records.upsert(dataset.id, records)
        ids = self._records.current_ids(dataset.id, [record.external_id for record in records])
        return ArrivalAnswer(
            new=counts.new,
            changed=counts.changed,
            unchanged=counts.unchanged,
            record_ids=[ids[record.external_id] for record in records],
        )


def _external_id(place: int, arrival: RecordArrival) -> str:
    found = _text(place, "external_id", arrival.external_id).strip()
    if not found:
        raise InvalidInput(
            Message("The external id is empty."),
            field=f"records.{place}.external_id",
            value=arrival.external_id,
            remedy=Message("Send what the record is known by."),
        )
    return found


def _text(place: int, name: str, text: str) -> str:
    value = _value(place, name, text)
    return "" if value is None else str(value)


def _value(place: int, name: str, value: Value) -> Value:
    try:
        found = normalise(value)
        str(found).encode()
    except (UnusableValue, UnicodeEncodeError) as error:
        is_broken = isinstance(error, UnicodeEncodeError)
        reason = Message("half a character") if is_broken else error.args[0]
        raise InvalidInput(
            Message("{field} cannot be kept: {reason}.", field=name, reason=reason),
            field=f"records.{place}.{name}",
            value=None if is_broken else value,
            remedy=Message("Send text, a number, true, false or null."),
        ) from error
    return found


def _refuse_repeats(names: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in first:
            raise InvalidInput(
                Message(
                    "The external id {name!r} is that of record {first} already.",
                    name=name,
                    first=first[name],
                ),
                field=f"records.{place}.external_id",
                value=name,
                remedy=Message("Send each record once."),
            )
        first[name] = place
