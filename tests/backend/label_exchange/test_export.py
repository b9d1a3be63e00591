"""What is exported and with which lineage, on SQLite and PostgreSQL."""

import json
from datetime import timedelta

import pytest

from backend.core.exceptions import InvalidInput
from tests.backend.annotations.conftest import NOW
from tests.backend.label_exchange.conftest import (
    ADA,
    BO,
    ON_SQLITE,
    change_record,
    exported,
    rows,
    suggest,
    task_ids,
)
from tests.backend.review.conftest import Desk


def test_gold_consensus_best_and_answers(labelled: Desk) -> None:
    gold = rows(labelled, what="gold")
    assert {key: (row["label_from"], row["grade"]) for key, row in gold.items()} == {
        "r6": ("gold", "fair"),
        "r7": ("ambiguous", None),
    }
    assert gold["r6"]["issues"] == ["duplicate"]
    assert gold["r6"]["soft_label"] == {"fair": 1.0}
    assert gold["r7"]["soft_label"] == {"good": 0.5, "poor": 0.5}
    consensus = rows(labelled, what="consensus")
    assert {key: row["grade"] for key, row in consensus.items()} == {
        **dict.fromkeys(("r1", "r2", "r3", "r4"), "poor"),
        **dict.fromkeys(("r5", "r6", "r7"), None),  # ties
        "r8": None,  # skipped
        "r10": "fair",
    }
    assert consensus["r6"]["decision_id"] is None
    best = rows(labelled)
    assert best.keys() == consensus.keys()
    assert best["r6"] | {"exported_at": 0} == gold["r6"] | {"exported_at": 0}
    assert best["r1"]["faulty_fields"] == ["price"]
    lines = [json.loads(line) for line in exported(labelled, what="annotations").splitlines()]
    assert len(lines) == 16  # 8 + 6 answers, a skip, one of nobody; the deleted one is not there
    assert [line["was_cancelled"] for line in lines].count(True) == 1
    assert [line["annotator"] for line in lines].count(None) == 1
    order = [(line["task_id"], line["annotation_id"]) for line in lines]
    assert order == sorted(order)


def test_lineage(labelled: Desk) -> None:
    tasks = task_ids(labelled)
    suggest(labelled, tasks[:3])  # the third is an audit record, on which they are hidden
    change_record(labelled, tasks[0])
    found = rows(labelled)
    first, third, gold = found["r1"], found["r3"], found["r6"]
    assert first["content_hash"] == f"{1:064d}"
    assert first["current_content_hash"] not in (None, first["content_hash"])
    assert first["fields"]["price"] == 1
    assert first["task_ids"] == [tasks[0]]
    assert first["label_studio_task_ids"] == [1001]
    assert first["annotators"] == [ADA, BO]
    assert [each["revision"] for each in first["answers"]] == [1, 1]
    assert first["model_version_shown"] == "v4"
    assert (third["is_audit"], third["model_version_shown"]) == (True, None)
    assert first["guideline_version"] == 2
    assert (first["votes"], first["is_complete"]) == (2, True)
    assert len(first["consensus_fingerprint"]) == 64
    assert first["dataset"] == "shop"
    assert gold["decision_author"] == "lea@example.org"
    assert gold["decision_reason"] == "seen it"
    assert gold["decided_at"] > gold["answers"][0]["annotated_at"]
    assert gold["current_content_hash"] == gold["content_hash"]


@ON_SQLITE
def test_pseudonyms_hide_people(labelled: Desk) -> None:
    for what in ("best", "annotations"):
        for form in ("jsonl", "label_studio"):
            text = exported(labelled, what=what, format=form, pseudonyms=True).decode()
            assert "@example.org" not in text
    found = rows(labelled, pseudonyms=True)
    assert found["r6"]["decision_author"] == "reviewer-1"
    assert len(set(found["r1"]["annotators"])) == 2
    assert found["r1"]["annotators"] == found["r2"]["annotators"]


def test_filters(labelled: Desk) -> None:
    assert rows(labelled, grade="fair").keys() == {"r6", "r10"}
    assert rows(labelled, audit_only=True).keys() == {"r3", "r6"}
    assert rows(labelled, kind="review") == {}
    sure = rows(labelled, min_confidence=rows(labelled)["r1"]["confidence"])
    assert {"r1", "r6", "r7"} <= sure.keys()  # what people decided needs no confidence
    assert "r5" not in sure
    decided = max(row["decided_at"] or "" for row in rows(labelled).values())
    assert rows(labelled, since=decided).keys() == {"r7"}
    assert rows(labelled, what="annotations", since=NOW + timedelta(days=9)) == {}
    with pytest.raises(InvalidInput, match="no grade 'superb'"):
        exported(labelled, grade="superb")
    with pytest.raises(InvalidInput, match="no confidence"):
        exported(labelled, what="annotations", min_confidence=0.5)
