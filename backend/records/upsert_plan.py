"""Which versions an upsert adds, makes current again, or replaces."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from backend.records.content import Content, ValueTypes, is_same_content
from backend.records.repository import Version
from backend.records.schemas import RecordCreate


@dataclass
class UpsertPlan:
    """What is to be done so that each record's content is its current one."""

    added: list[RecordCreate] = field(default_factory=list)
    revived: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    unchanged: int = 0

    def is_current_hash(self, record: RecordCreate, versions: Sequence[Version]) -> bool:
        """True if the record is as it is, to the letter; then it is counted."""
        for version in versions:
            if version.is_current and version.content_hash == record.content_hash:
                self.unchanged += 1
                return True
        return False

    def add(
        self,
        record: RecordCreate,
        versions: Sequence[Version],
        contents: Mapping[int, Content],
        types: ValueTypes,
    ) -> None:
        """The record is planned for, whose ``versions`` say what ``contents`` hold.

        A version with the same hash goes before one that only means the same.
        """
        current = next((each for each in versions if each.is_current), None)
        content = Content(record.kind, record.fields)
        if current is not None:
            if is_same_content(contents[current.id], content, types):
                self.unchanged += 1
                return
            self.replaced.append(current.id)
        for version in _earlier(record, versions):
            is_same = version.content_hash == record.content_hash
            if is_same or is_same_content(contents[version.id], content, types):
                self.revived.append(version.id)
                return
        self.added.append(record)


def _earlier(record: RecordCreate, versions: Sequence[Version]) -> Iterator[Version]:
    earlier = [version for version in versions if not version.is_current]
    yield from sorted(earlier, key=lambda each: (each.content_hash != record.content_hash, each.id))
