"""The edit form of a guideline: parsed, checked, and as it is filled in again."""

from typing import Annotated, TypeVar

from fastapi import Form
from pydantic import ValidationError

from backend.core.exceptions import InvalidInput
from backend.guidelines.schemas import GuidelineDraft, GuidelineText, Rule
from backend.words import Message

FieldList = Annotated[list[str], Form()]
Text = TypeVar("Text", bound=GuidelineText)


class GuidelineForm:
    """What came in from the form; as a FastAPI dependency."""

    def __init__(
        self,
        *,
        text: Annotated[str, Form()] = "",
        text_zh: Annotated[str, Form()] = "",
        change: Annotated[str, Form()] = "",
        based_on: Annotated[int, Form(ge=1)] = 1,
        rule_name: FieldList = [],  # noqa: B006 - FastAPI copies defaults
        rule_about: FieldList = [],  # noqa: B006
        rule_text: FieldList = [],  # noqa: B006
        rule_text_zh: FieldList = [],  # noqa: B006
    ) -> None:
        self.text = _unix(text)
        self.text_zh = _unix(text_zh)
        self.change = change.strip()
        self.based_on = based_on
        self.rows = [
            {"name": name.strip(), "about": about, "text": _unix(words), "text_zh": _unix(words_zh)}
            for name, about, words, words_zh in zip(
                rule_name, rule_about, rule_text, rule_text_zh, strict=False
            )
        ]

    def says(self) -> GuidelineText:
        """What the guideline would say. A rule without a name is left out.

        Raises:
            InvalidInput: a value cannot be used, or a rule has words and no name.
        """
        self._refuse_nameless()
        return _check_text(GuidelineText, {**self._content(), "rules": self._rules()})

    def draft(self) -> GuidelineDraft:
        """The new version.

        Raises:
            InvalidInput: a value cannot be used, or a rule has words and no name.
        """
        self._refuse_nameless()
        content = {**self._content(), "rules": self._rules()}
        return _check_text(
            GuidelineDraft, {**content, "change": self.change, "based_on": self.based_on}
        )

    def _content(self) -> dict[str, object]:
        return {"text": self.text, "text_zh": self.text_zh}

    def _rules(self) -> list[dict[str, str]]:
        return [row for row in self.rows if row["name"]]

    def _refuse_nameless(self) -> None:
        for row in self.rows:
            if not row["name"] and (row["text"].strip() or row["text_zh"].strip()):
                raise InvalidInput(
                    Message("A rule has a text and no name."),
                    field="rule_name",
                    remedy=Message("Give it a name, or remove its text to remove the rule."),
                )


def rows_of(rules: list[Rule], *, about: str | None = None) -> list[dict[str, str]]:
    """The rules as rows of the form; with ``about`` an empty row for a rule about it."""
    rows = [rule.model_dump() for rule in rules]
    return rows if about is None else [*rows, empty_row(about)]


def empty_row(about: str = "") -> dict[str, str]:
    """A row in which nothing is written yet."""
    return {"name": "", "about": about, "text": "", "text_zh": ""}


def _check_text(kind: type[Text], values: dict[str, object]) -> Text:
    try:
        return kind.model_validate(values, strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "rules"
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(
            Message("{name}: {message}.", name=name, message=message), field=name
        ) from error


def _unix(text: str) -> str:
    """Browsers send line ends as CR LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
