from backend.models import ModelVersion
from backend.overview.advice import advice_of, curve_of
from backend.overview.measures import estimate_of
from backend.overview.schemas import EstimatePublic
from tests.fixtures.chinese import in_chinese
from tests.fixtures.model_version import model_version


def _version(labels: int, accuracy: float | None, n: int = 60) -> ModelVersion:
    measured = {"value": accuracy, "low": 0.0, "high": 1.0, "n": n}
    return model_version(
        1,
        metrics={"labels": labels, "audit_accuracy": measured if accuracy is not None else None},
    )


def accuracy_of(version: ModelVersion) -> EstimatePublic | None:
    return estimate_of(version, "audit_accuracy")


def test_no_advice_without_versions_or_records() -> None:
    assert advice_of([], accuracy_of, pool=100) is None
    assert advice_of([_version(50, 0.7)], accuracy_of, pool=0) is None


def test_a_flat_curve_says_stop() -> None:
    rounds = [_version(200 * step, 0.95, 400 * step) for step in range(1, 9)]
    advice = advice_of(rounds, accuracy_of, pool=500)
    assert advice is not None
    assert advice.state == "stop"
    assert advice.more_labels == 500  # no more than there are
    assert advice.reason.startswith("gains are small, stop: 500 more labels")
    assert in_chinese(advice.reason_message).startswith("收益很小")


def test_a_steep_curve_says_go_on() -> None:
    rounds = [_version(50 * n, accuracy, 200) for n, accuracy in ((1, 0.5), (2, 0.62), (3, 0.7))]
    advice = advice_of(rounds, accuracy_of, pool=10_000)
    assert advice is not None
    assert advice.state == "keep labelling"
    assert advice.more_labels == 150  # as many again
    assert advice.gain is not None
    assert 0.01 < advice.gain < 0.3


def test_points_grow_in_labels_and_are_measured() -> None:
    rounds = [
        _version(50, 0.6),
        _version(100, 0.8),
        _version(100, 0.7),
        _version(150, None),
        _version(80, 0.65),
        _version(90, 0.66),
    ]
    assert [(point.labels, point.accuracy) for point in curve_of(rounds, accuracy_of)] == [
        (50, 0.6),
        (80, 0.65),
        (90, 0.66),
    ]
