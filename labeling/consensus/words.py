"""Why an agreement has no value."""

from labeling.words import Words

NO_LABELS = Words("There are no labels yet.")
ONE_ANNOTATOR = Words("Only one annotator has labelled: there is nobody to compare with.")
NO_OVERLAP = Words("No record has labels of two annotators.")
ONE_CLASS = Words("Only one answer was ever given: agreement beyond chance is not defined.")


def why_undefined(labels: int, annotators: int, overlapping: int) -> Words:
    """Why an agreement has no value, from what there is."""
    if not labels:
        return NO_LABELS
    if annotators == 1:
        return ONE_ANNOTATOR
    return ONE_CLASS if overlapping else NO_OVERLAP
