"""A sentence for people, in both languages of the pages."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The same sentence in English and in Chinese."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en


NO_LABELS = Words("There are no labels yet.", "还没有标注。")
ONE_ANNOTATOR = Words(
    "Only one annotator has labelled: there is nobody to compare with.",
    "只有一位标注员：没有可比较的对象。",
)
NO_OVERLAP = Words(
    "No record has labels of two annotators.",
    "没有任何记录由两位标注员标注。",
)
ONE_CLASS = Words(
    "Only one answer was ever given: agreement beyond chance is not defined.",
    "所有答案都相同：超出偶然的一致性没有定义。",
)


def why_undefined(labels: int, annotators: int, overlapping: int) -> Words:
    """Why an agreement has no value, from what there is."""
    if not labels:
        return NO_LABELS
    if annotators == 1:
        return ONE_ANNOTATOR
    return ONE_CLASS if overlapping else NO_OVERLAP
