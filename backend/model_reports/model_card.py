"""The model card: what a model version is, how good it is, and what it is not for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from active_learning.encoders.parts import EncoderPart
from backend.model_reports.schemas import Breakdown, FoundName, MeasuredShare, ModelReport
from backend.models import ModelVersion
from backend.words import Language, Message, Translate, translator
from labeling.label_schema import LabelSchema

EXAMPLE = """```python
from active_learning.portable import load_model

model = load_model("FOLDER")
model.score([{{{fields}}}])
```"""


@dataclass(frozen=True)
class CardFacts:
    """What the card tells of."""

    project: str
    version: ModelVersion
    report: ModelReport
    schema: LabelSchema
    encoder: Sequence[EncoderPart]
    is_fine_tuned: bool
    fields: Sequence[str]


def model_card(facts: CardFacts, language: Language) -> str:
    """The card as Markdown."""
    t = translator(language)
    blocks = [
        _title(1, t(Message("{project}, model version {number}", **_names(facts)))),
        *_about(facts, t),
        _title(2, t(Message("How good it is"))),
        *_measures(facts, t, language),
        _title(2, t(Message("What it is for, and what not"))),
        *_limits(facts, t),
        _title(2, t(Message("How to use it"))),
        EXAMPLE.format(fields=", ".join(f'"{name}": "…"' for name in facts.fields)),
        t(
            Message(
                "Fields that a record lacks are missing values. Every file is checked when the "
                "model is loaded; no store and no server is needed."
            )
        ),
        _title(2, t(Message("Encoder and licences"))),
        *_licences(facts, t),
    ]
    return "\n\n".join(blocks) + "\n"


def _names(facts: CardFacts) -> dict[str, object]:
    return {"project": _one_line(facts.project), "number": facts.version.number}


def _about(facts: CardFacts, t: Translate) -> list[str]:
    version = facts.version
    return [
        t(
            Message(
                "Answers one question about a record, which of these grades it has: {grades}. It "
                "also says which issues it has and which fields are faulty.",
                grades=list(facts.schema.grades),
            )
        ),
        t(
            Message.ngettext(
                "Trained on {n:,} label on {day}.",
                "Trained on {n:,} labels on {day}.",
                n=version.training_labels,
                day=f"{version.created_at:%Y-%m-%d}",
            )
        ),
    ]


def _measures(facts: CardFacts, t: Translate, language: Language) -> list[str]:
    report, titles = facts.report, facts.schema.titles(language)
    found = report.breakdown
    if found is None:
        return [t(Message("It has not been measured on audit records."))]
    return [
        t(
            Message.ngettext(
                "Measured on {n:,} record that was drawn at random and never trained on, "
                "with 95 % intervals:",
                "Measured on {n:,} records that were drawn at random and never trained on, "
                "with 95 % intervals:",
                n=report.records,
            )
        ),
        _overall(found, t),
        _table(found.grades, t, t(Message("grade")), titles.grades),
        _table(found.issues, t, t(Message("issue")), titles.issues),
    ]


def _overall(found: Breakdown, t: Translate) -> str:
    rows = [
        (t(Message("accuracy")), _share(found.accuracy, t)),
        (t(Message("macro-F1")), _share(found.macro_f1, t)),
        (t(Message("expected calibration error")), f"{100 * found.ece:.1f} %"),
    ]
    return "\n".join(f"- {name}: {value}" for name, value in rows)


def _table(rows: Sequence[FoundName], t: Translate, what: str, titles: Mapping[str, str]) -> str:
    head = [
        what,
        t(Message("records that have it")),
        t(Message("precision")),
        t(Message("recall")),
    ]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        title = titles.get(row.name, row.name)
        shares = [_share(row.precision, t), _share(row.recall, t)]
        lines.append([_one_line(title), str(row.present), *shares])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share(share: MeasuredShare, t: Translate) -> str:
    if share.value is None or share.low is None or share.high is None:
        return t(
            Message.ngettext("{n} more record needed", "{n} more records needed", n=share.missing)
        )
    return f"{100 * share.value:.1f} % ({100 * share.low:.1f} – {100 * share.high:.1f})"


def _limits(facts: CardFacts, t: Translate) -> list[str]:
    lines = [
        Message(
            "Made for records like those of its dataset: its fields are {fields}. How good it is "
            "on others is not known.",
            fields=list(facts.fields),
        ),
        Message(
            "Its answers are suggestions with calibrated probabilities, not decisions; people "
            "should look at what matters."
        ),
        Message(
            "It judges a value beside the values that its columns had when it was trained: after "
            "the data have changed, train again."
        ),
        Message(
            "Grades and issues of which too few audit records were there have no figure above; "
            "nothing is promised about them."
        ),
        Message(
            "The file classifier/signals.json holds frequent values of the columns: give the "
            "folder only to people who may see the data."
        ),
    ]
    return ["\n".join(f"- {t(line)}" for line in lines)]


def _licences(facts: CardFacts, t: Translate) -> list[str]:
    lines = []
    for part in facts.encoder:
        licence = part.licence or t(Message("licence: see where it comes from"))
        package = f" ({part.package})" if part.package else ""
        lines.append(f"- {part.name}{package}: {licence}")
    told = ["\n".join(lines)]
    if facts.is_fine_tuned:
        told.append(
            t(
                Message(
                    "The transformer was trained further on this project's labels; it lies in the "
                    "folder encoder and keeps the licence of the one that it comes from."
                )
            )
        )
    return told


def _title(level: int, text: str) -> str:
    return f"{'#' * level} {text}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
