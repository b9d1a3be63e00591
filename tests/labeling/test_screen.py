"""What people did to a labelling screen is told in the label schema's terms."""

import re

import pytest

from labeling.label_schema import LabelSchema
from labeling.label_studio.label_config import build_label_config
from labeling.label_studio.screen import changes_of_screen

SCHEMA = LabelSchema.default(["title", "price"])
SCREEN = build_label_config(SCHEMA)


def told(screen: str) -> list[str]:
    return [str(change) for change in changes_of_screen(screen, SCHEMA)]


@pytest.mark.parametrize("evidence", [True, False])
@pytest.mark.parametrize("corrected", [True, False])
def test_our_own_screen_has_no_change(evidence: bool, corrected: bool) -> None:
    schema = SCHEMA.model_copy(update={"corrected_value": corrected})
    assert changes_of_screen(build_label_config(schema, evidence=evidence), schema) == []


def test_a_choice_that_was_renamed_removed_or_added() -> None:
    assert told(SCREEN.replace('value="fair"', 'value="okay"')) == [
        "'grade' lacks 'fair' and offers 'okay'"
    ]
    issue = SCHEMA.issue_values[0]
    (lost,) = changes_of_screen(re.sub(f'<Choice value="{issue}".*?/>', "", SCREEN), SCHEMA)
    assert (str(lost), str(lost.remedy)) == (
        f"'issues' lacks '{issue}'",
        f"add to 'issues' '{issue}'",
    )
    added = SCREEN.replace(
        f'<Choice value="{issue}"', f'<Choice value="x"/><Choice value="{issue}"'
    )
    (more,) = changes_of_screen(added, SCHEMA)
    assert (str(more), str(more.remedy)) == ("'issues' offers 'x'", "remove from 'issues' 'x'")


def test_questions_that_are_gone() -> None:
    screen = re.sub(r'<Choices name="issues".*?</Choices>', "", SCREEN, flags=re.DOTALL)
    assert told(screen) == ["'issues' is gone"]
    assert "'grade' is gone" in told("<View>")
    assert "'rationale' is gone" in told("<View/>")


def test_looks_and_questions_of_their_own_are_theirs() -> None:
    own = '<Choices name="mine" toName="record"><Choice value="x"/></Choices><Style>a{}</Style>'
    assert told(SCREEN.replace("</View>", f"{own}</View>", 1)) == []
