"""What annotators are asked: one declaration for screen, classifier, forms and reports."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from labeling.exceptions import LabelSchemaInvalid

Dimension = Literal[
    "completeness",
    "accuracy",
    "consistency",
    "timeliness",
    "validity",
    "uniqueness",
    "security",
]


# What the labelling screen calls its other parts; a grade of that name would collide.
RESERVED_NAMES = frozenset({"record", "faulty", "corrected", "evidence", "issues", "rationale"})


class _SchemaPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(_SchemaPart):
    """One value that may be chosen, with its titles for people."""

    value: str = Field(min_length=1, max_length=100)
    en: str | None = None
    zh: str | None = None

    @property
    def title(self) -> str:
        """English and Chinese title on one line."""
        return " ".join(part for part in (self.en or self.value, self.zh) if part)


class Issue(Choice):
    """One kind of fault, the quality dimension it hurts, and where it can occur."""

    dimension: Dimension = "accuracy"
    fields: tuple[str, ...] | None = Field(None, description="empty: any field")


GOOD_FAIR_POOR = (
    Choice(value="good", en="good", zh="优良"),
    Choice(value="fair", en="fair", zh="一般"),
    Choice(value="poor", en="poor", zh="差"),
)
QUESTION = {True: ("Grade", "等级"), False: ("Class", "类别")}
"""What the single choice is called where the schema has no title of its own, by its order."""


class Grade(_SchemaPart):
    """The single choice about the record as a whole.

    ``ordered``: the choices are grades, the best first, so that neighbours differ less than others.
    Own choices are classes without an order unless they are declared to be ordered.
    """

    name: str = "grade"
    choices: tuple[Choice, ...] = GOOD_FAIR_POOR
    ordered: bool = Field(
        default_factory=lambda held: _is_good_fair_poor(held.get("choices", ())),
        description="left out: only good, fair, poor is ordered",
    )
    en: str = Field(default_factory=lambda held: QUESTION[held.get("ordered", True)][0])
    zh: str | None = Field(
        default_factory=lambda held: dict(QUESTION.values()).get(held.get("en", "")),
        description="left out: that of the built-in English title, or the English one",
    )


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


class LabelSchema(_SchemaPart):
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

    @model_validator(mode="after")
    def check(self) -> Self:
        _refuse_repeats("fields", self.fields)
        grades = [choice.value for choice in self.grade.choices]
        if len(grades) < 2:
            raise ValueError(f"grade.choices has {len(grades)} value; give at least two")
        _refuse_repeats("grade.choices", grades)
        if self.grade.name in RESERVED_NAMES:
            raise ValueError(
                f"grade.name is {self.grade.name!r}, which the screen uses itself; choose "
                f"a name that is none of {sorted(RESERVED_NAMES)}"
            )
        _refuse_repeats("issues", [issue.value for issue in self.issues])
        for issue in self.issues:
            unknown = [name for name in issue.fields or () if name not in self.fields]
            if unknown:
                raise ValueError(
                    f"issues: {issue.value!r} names fields {unknown} that are not in 'fields'; "
                    f"choose from {list(self.fields)}"
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
            LabelSchemaInvalid: unreadable or malformed; names file, field, value, remedy.
        """
        declared = read_declaration(path)
        if fields:
            declared.setdefault("fields", list(fields))
        try:
            return cls.model_validate(declared)
        except ValidationError as error:
            raise LabelSchemaInvalid(f"{path}: {describe(error)}") from error

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


def read_declaration(path: Path) -> dict[str, Any]:
    """What a YAML or JSON file declares, not checked yet.

    Raises:
        LabelSchemaInvalid: the file cannot be read, or holds something else than a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        declared = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        why = getattr(error, "strerror", None) or error  # without the path once more
        raise LabelSchemaInvalid(
            f"{path} cannot be read as a label schema: {why}. Write YAML or JSON in UTF-8."
        ) from error
    if not isinstance(declared, dict):
        raise LabelSchemaInvalid(
            f"{path} holds a {type(declared).__name__}; a label schema is a mapping with "
            "'grade' and 'issues', and 'fields' if not all are shown."
        )
    return declared


def describe(error: ValidationError) -> str:
    """A validation error as 'field: value: what is wrong', one for each, on one line."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'schema'}: {item['msg']} (got {item['input']!r:.80})"
        for item in error.errors()
    )


def _refuse_repeats(name: str, values: Sequence[str]) -> None:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"{name} names {repeated} twice; each value may stand once")
