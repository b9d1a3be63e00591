"""A fine-tuned encoder has seen the labels; they are judged on the one from before."""

from collections.abc import Callable

import numpy as np
import pytest

from backend.core.database import Database
from backend.registry.service import RegistryService
from backend.suspected_labels import assessment as assessing
from backend.suspected_labels.service import LabelFindings
from backend.training.service import TrainingService
from tests.backend.training.loop import Loop


def test_labels_are_judged_and_weighed_without_the_tuned_encoder(
    new_loop: Callable[..., Loop],
    sqlite_database: Database,
    tiny_transformer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = new_loop(
        sqlite_database,
        records=120,
        encoder=tiny_transformer,
        batch_size=80,
        audit_share=0.25,
        fine_tune_after=50,
        max_rounds=1,
    )
    loop.ask_for_batch()
    loop.run()
    seen: list[np.ndarray] = []
    original = assessing.find_label_errors

    def watched(classifier, features, *rest, **options):  # type: ignore[no-untyped-def]
        seen.append(np.asarray(features))
        return original(classifier, features, *rest, **options)

    monkeypatch.setattr(assessing, "find_label_errors", watched)
    loop.turn(1)
    assert loop.failed == []
    _, tuned = loop.versions
    assert tuned.encoder_folder is not None
    assert len(seen) == 2  # each version's labels, without anybody asking
    with sqlite_database.reading() as session:
        findings = LabelFindings(session, loop.clock)
        assert findings.page(loop.project(), "all").model_version == tuned.number
    np.testing.assert_array_equal(seen[0], seen[1])  # the same vectors for both versions
    with sqlite_database.transaction() as session:
        champion = RegistryService(session, loop.clock).champion(loop.project_id)
        if champion is None or champion.id != tuned.id:
            RegistryService(session, loop.clock).rollback(
                loop.project_id, tuned.number, reason="for the test", actor="test"
            )
        TrainingService(session, loop.clock).request_retraining(
            loop.project(), actor="test", weights="value"
        )
    loop.run()
    assert loop.failed == []
    weighed = loop.versions[-1]
    assert (weighed.encoder_folder, weighed.metrics["label_weights"]) == (
        tuned.encoder_folder,
        "value",
    )
