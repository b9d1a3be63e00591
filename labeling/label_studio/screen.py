"""What of a labelling screen that people edited no longer fits its label schema."""

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from labeling.label_schema import LabelSchema
from labeling.label_studio.controls import CORRECTED, FAULTY, FAULTY_LABEL, ISSUES, RATIONALE
from labeling.words import Words

OPTIONS = {"Choice", "Label"}


@dataclass(frozen=True)
class ScreenControl:
    """One question of a screen: what it is about, and the values that its answers can have."""

    about: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class ScreenChange:
    """One question that asks for something else than the label schema does."""

    control: str
    lacks: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    is_gone: bool = False

    @property
    def words(self) -> Words:
        """Such as ``'grade' lacks 'fair' and offers 'okay'``."""
        if self.is_gone:
            return Words("'{control}' is gone", control=self.control)
        values = self._values
        if not self.offers:
            return Words("'{control}' lacks {lacks}", **values)
        if not self.lacks:
            return Words("'{control}' offers {offers}", **values)
        return Words("'{control}' lacks {lacks} and offers {offers}", **values)

    @property
    def remedy(self) -> Words:
        """What to do in Label Studio."""
        if self.is_gone:
            return Words("put the control named '{control}' back", control=self.control)
        values = self._values
        if not self.offers:
            return Words("add to '{control}' {lacks}", **values)
        if not self.lacks:
            return Words("remove from '{control}' {offers}", **values)
        return Words("add to '{control}' {lacks}, remove from '{control}' {offers}", **values)

    @property
    def _values(self) -> dict[str, Any]:
        lacks, offers = _in_quotes(self.lacks), _in_quotes(self.offers)
        return {"control": self.control, "lacks": lacks, "offers": offers}

    def __str__(self) -> str:
        """In English."""
        return str(self.words)


def changes_of_screen(label_config: str, schema: LabelSchema) -> list[ScreenChange]:
    """Where the screen's questions differ from the label schema's, in the schema's order.

    Its looks and questions of people's own are theirs to change. A screen that cannot be read has
    lost every question.
    """
    held = controls_of(label_config)
    changes = []
    for control, values in _controls_wanted(schema).items():
        if control not in held:
            changes.append(ScreenChange(control, is_gone=True))
            continue
        lacks = tuple(value for value in values if value not in held[control].values)
        offers = tuple(value for value in held[control].values if value not in values)
        if lacks or offers:
            changes.append(ScreenChange(control, lacks, offers))
    return changes


def controls_of(label_config: str) -> dict[str, ScreenControl]:
    """The screen's questions by name; none of a screen that cannot be read."""
    try:
        screen = ElementTree.fromstring(label_config)
    except ElementTree.ParseError:
        return {}
    return {
        control.get("name", ""): ScreenControl(
            about,
            tuple(
                option.get("alias") or option.get("value") or ""
                for option in control.iter()
                if option.tag in OPTIONS
            ),
        )
        for control in screen.iter()
        if (about := control.get("toName"))
    }


def _controls_wanted(schema: LabelSchema) -> dict[str, tuple[str, ...]]:
    wanted: dict[str, tuple[str, ...]] = {schema.grade.name: tuple(schema.grades)}
    if schema.issues:
        wanted[ISSUES] = tuple(schema.issue_values)
    if schema.faulty_fields:
        wanted[FAULTY] = (FAULTY_LABEL,)
        if schema.corrected_value:
            wanted[CORRECTED] = ()
    if schema.rationale:
        wanted[RATIONALE] = ()
    return wanted


def _in_quotes(values: tuple[str, ...]) -> list[str]:
    return [f"'{value}'" for value in values]
