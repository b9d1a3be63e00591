"""What annotators are asked: one declaration for screen, classifier, forms and reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from labeling.choice import STORED, Choice, Issue, SchemaPart, Shown, new_rule
from labeling.declaration import broken_rule, faults_of, read_declaration, tell
from labeling.exceptions import LabelSchemaInvalid
from labeling.shown_text import check_name
from labeling.words import Words

# What the labelling screen calls its other parts; a grade of that name would collide.
RESERVED_NAMES = frozenset({"record", "faulty", "corrected", "evidence", "issues", "rationale"})


GOOD_FAIR_POOR = (
    Choice(value="good", en="good", zh="优良"),
    Choice(value="fair", en="fair", zh="一般"),
    Choice(value="poor", en="poor", zh="差"),
)
QUESTION = {True: ("Grade", "等级"), False: ("Class", "类别")}
"""What the single choice is called where the schema has no title of its own, by its order."""


class Grade(SchemaPart):
    """The single choice about the record as a whole.

    ``ordered``: the choices are grades, the best first, so that neighbours differ less than others.
    Own choices are classes without an order unless they are declared to be ordered.
    """

    name: Annotated[str, new_rule(check_name)] = "grade"
    choices: tuple[Choice, ...] = GOOD_FAIR_POOR
    ordered: bool = Field(
        default_factory=lambda held: _is_good_fair_poor(held.get("choices", ())),
        description="left out: only good, fair, poor is ordered",
    )
    en: Shown = Field(default_factory=lambda held: QUESTION[held.get("ordered", True)][0])
    zh: Shown | None = Field(
        default_factory=lambda held: dict(QUESTION.values()).get(held.get("en", "")),
        description="left out: that of the built-in English title, or the English one",
    )

    @field_validator("name")
    @classmethod
    def is_free(cls, name: str) -> str:
        if name in RESERVED_NAMES:
            raise broken_rule(
                Words("is {name!r}, which the screen uses itself", name=name),
                Words("Choose a name that is none of {names}.", names=sorted(RESERVED_NAMES)),
            )
        return name

    @field_validator("choices")
    @classmethod
    def are_several(cls, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        if len(choices) < 2:
            raise broken_rule(
                Words("has {size} value", size=len(choices)), Words("Give at least two.")
            )
        _refuse_repeats([choice.value for choice in choices])
        return choices

    @property
    def question(self) -> str:
        """Chinese and English title on one line."""
        return " / ".join(part for part in (self.zh, self.en) if part)


def _is_good_fair_poor(choices: Sequence[Choice]) -> bool:
    return [each.value for each in choices] == [each.value for each in GOOD_FAIR_POOR]


DEFAULT_ISSUES = (
    Issue(value="missing_value", en="missing value", zh="缺失值", dimension="completeness"),
    Issue(value="wrong_value", en="wrong value", zh="错误值", dimension="accuracy"),
    Issue(value="inconsistent", en="inconsistent", zh="不一致", dimension="consistency"),
    Issue(value="outdated", en="outdated", zh="过期", dimension="timeliness"),
    Issue(value="wrong_format", en="wrong format", zh="格式错误", dimension="validity"),
    Issue(value="duplicate", en="duplicate", zh="重复", dimension="uniqueness"),
    Issue(value="unsafe", en="spam or private data", zh="垃圾或隐私信息", dimension="security"),
)


@dataclass(frozen=True)
class Titles:
    """What people read for the values of a label schema, in one language."""

    question: str = "Grade"
    """The single choice itself."""
    grades: Mapping[str, str] = field(default_factory=dict)
    issues: Mapping[str, str] = field(default_factory=dict)

    def grade(self, value: str) -> str:
        """A grade's title; the value itself where the schema does not have it (any more)."""
        return self.grades.get(value, value)

    def issue(self, value: str) -> str:
        """An issue's title; the value itself where the schema does not have it (any more)."""
        return self.issues.get(value, value)

    def of_reason(self, code: str) -> str:
        """What a reason such as ``issue:odd_price`` or ``field:price`` is about."""
        kind, _, name = code.partition(":")
        return self.issue(name) if kind == "issue" else name or code

    def subject(self, value: str) -> str:
        """Of what a rule is about: a grade, an issue, or a field, which keeps its name."""
        return self.grades.get(value) or self.issue(value)


class LabelSchema(SchemaPart):
    """The questions of one project.

    ``fields`` are the record's fields in the order shown; with ``faulty_fields`` each can
    be marked as faulty, with ``corrected_value`` a marked field can be given a new value.
    """

    fields: tuple[str, ...] = Field(min_length=1)
    grade: Grade = Grade()
    issues: tuple[Issue, ...] = DEFAULT_ISSUES
    faulty_fields: bool = True
    corrected_value: bool = True
    rationale: bool = True
    instructions_en: str | None = None
    instructions_zh: str | None = None

    @field_validator("fields")
    @classmethod
    def fields_differ(cls, fields: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_repeats(fields)
        return fields

    @field_validator("issues")
    @classmethod
    def issues_differ(cls, issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
        _refuse_repeats([issue.value for issue in issues])
        return issues

    @model_validator(mode="after")
    def issues_name_fields(self) -> Self:
        for place, issue in enumerate(self.issues):
            unknown = [name for name in issue.fields or () if name not in self.fields]
            if unknown:
                raise broken_rule(
                    Words(
                        "names {unknown} for {issue!r}, which 'fields' does not have",
                        unknown=str(unknown),
                        issue=issue.value,
                    ),
                    Words("Choose from {fields}.", fields=list(self.fields)),
                    below=f"issues[{place}].fields",
                )
        return self

    @classmethod
    def default(cls, fields: Sequence[str]) -> "LabelSchema":
        """Grade good / fair / poor and one issue for each quality dimension."""
        return cls(fields=tuple(fields))

    @classmethod
    def from_file(cls, path: Path, *, fields: Sequence[str] = ()) -> "LabelSchema":
        """The schema declared in a YAML or JSON file; ``fields`` where it names none.

        Raises:
            LabelSchemaInvalid: unreadable or malformed; names file, place, value, remedy.
        """
        declared = read_declaration(path)
        if fields:
            declared.setdefault("fields", list(fields))
        try:
            return cls.model_validate(declared)
        except ValidationError as error:
            raise LabelSchemaInvalid(
                Words("{path}: {problem}", path=path, problem=tell(faults_of(error, cls)))
            ) from error

    @classmethod
    def from_store(cls, stored: Mapping[str, Any]) -> "LabelSchema":
        """The schema of a project that there is, made under whichever rules."""
        return cls.model_validate(stored, context={STORED: True})

    @property
    def grades(self) -> tuple[str, ...]:
        """The grade's values in order; where it is ordered the best first."""
        return tuple(choice.value for choice in self.grade.choices)

    @property
    def issue_values(self) -> tuple[str, ...]:
        """The issues' values in order."""
        return tuple(issue.value for issue in self.issues)

    def titles(self, language: str) -> Titles:
        """What people read for its values; English where there is no Chinese."""
        is_chinese = language == "zh"

        def title(each: Choice) -> str:
            return (each.zh if is_chinese else None) or each.en or each.value

        return Titles(
            question=(self.grade.zh if is_chinese else None) or self.grade.en,
            grades={each.value: title(each) for each in self.grade.choices},
            issues={each.value: title(each) for each in self.issues},
        )

    @property
    def grade_titles(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Grade's value to its English title, and to its Chinese one."""
        return self.titles("en").grades, self.titles("zh").grades

    def shown_fields(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """What people are shown of a record: the schema's fields in its order, nothing else.

        A field that the record does not have is None.
        """
        return {name: record.get(name) for name in self.fields}


def _refuse_repeats(values: Sequence[str]) -> None:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise broken_rule(
            Words("names {repeated} twice", repeated=str(repeated)), Words("Each may stand once.")
        )
