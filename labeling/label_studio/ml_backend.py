"""Label Studio's ML backend protocol: tasks that ask for predictions, and the answer to them.

Label Studio drops an answer whole, and reports success, unless it has one entry for each task. An
entry is a prediction, or a list of them: an empty list stores nothing, where an empty prediction
would be shown to annotators and kept beside what they answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.exceptions import MalformedTasks
from labeling.label_schema import LabelSchema
from labeling.label_studio.controls import RECORD
from labeling.label_studio.payloads import read_object
from labeling.label_studio.predictions import Suggestion, build_prediction
from labeling.label_studio.screen import ScreenControl, controls_of
from labeling.label_studio.tasks import KEY, build_table
from labeling.words import Words

EXTERNAL_IDS = ("record_id", "external_id")
"""Where a task's data may name its record, the first first; ours is that of ``tasks``."""


@dataclass(frozen=True)
class TaskAsked:
    """One task about which Label Studio asks."""

    data: Mapping[str, Any]

    @property
    def key(self) -> str | None:
        """By which a push of ours knows the task."""
        return _text(self.data.get(KEY))

    @property
    def external_id(self) -> str | None:
        """Of the record that the task is about."""
        named = (_text(self.data.get(name)) for name in EXTERNAL_IDS)
        return next((each for each in named if each), None)


@dataclass(frozen=True)
class PredictionRequest:
    """What Label Studio wants predicted, on what screen."""

    tasks: tuple[TaskAsked, ...]
    screen: Mapping[str, ScreenControl]
    is_interactive: bool = False
    """Asked from the labelling page about the one task that is open there."""


def parse_prediction_request(body: bytes | str) -> PredictionRequest:
    """The request; a task that is none asks about nothing, so that no answer is missing.

    Raises:
        MalformedTasks: not JSON, or no list of tasks.
    """
    payload = read_object(body, MalformedTasks)
    tasks = payload.get("tasks")
    if not isinstance(tasks, list):
        raise MalformedTasks(Words("field 'tasks' is missing or not a list"))
    params = payload.get("params")
    context = params.get("context") if isinstance(params, Mapping) else None
    return PredictionRequest(
        tuple(TaskAsked(_data_of(task)) for task in tasks),
        controls_of(str(payload.get("label_config") or "")),
        is_interactive=context is not None,
    )


def build_prediction_answer(
    request: PredictionRequest,
    predictions: Sequence[Mapping[str, Any] | None],
    model_version: str | None,
) -> dict[str, Any]:
    """One entry for each task, in order; nothing is stored for a task without a prediction."""
    nothing: Any = {"model_version": model_version, "result": []} if request.is_interactive else []
    return {
        "results": [nothing if each is None else each for each in predictions],
        "model_version": model_version,
    }


def build_prediction_on_screen(
    suggestion: Suggestion,
    task: TaskAsked,
    fields: Mapping[str, Any],
    schema: LabelSchema,
    screen: Mapping[str, ScreenControl],
) -> dict[str, Any] | None:
    """The suggestion as far as the screen asks for it; None if it does not offer the grade.

    Values of fields are marked only where the task shows them in a table of ours.
    """
    is_our_table = task.data.get("html") == build_table(fields, schema)
    prediction = build_prediction(suggestion, fields, schema)
    results = [
        fitting
        for result in prediction["result"]
        if (control := screen.get(result["from_name"]))
        and (fitting := _fit(result, control, is_our_table=is_our_table))
    ]
    if not any(result["from_name"] == schema.grade.name for result in results):
        return None
    return {**prediction, "result": results}


def _fit(
    result: Mapping[str, Any], control: ScreenControl, *, is_our_table: bool
) -> dict[str, Any] | None:
    if result["type"] != "choices":
        return dict(result) if is_our_table and control.about == RECORD else None
    choices = [value for value in result["value"]["choices"] if value in control.values]
    if not choices:
        return None
    return {**result, "to_name": control.about, "value": {"choices": choices}}


def _data_of(task: object) -> Mapping[str, Any]:
    data = task.get("data") if isinstance(task, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _text(value: object) -> str | None:
    is_name = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if is_name and value != "" else None
