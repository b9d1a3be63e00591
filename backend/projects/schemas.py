"""What a project declares."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.core.request_body import RequestBody
from labeling.label_schema import LabelSchema

SHORTEST_NAME, LONGEST_NAME = 3, 50
"""Characters of a project's name; Label Studio takes no others."""
NAME_PATTERN = rf"^\s*\S[\s\S]{{{SHORTEST_NAME - 2},{LONGEST_NAME - 2}}}\S\s*$"
"""The same for the OpenAPI document: blanks around a name do not count."""
LARGEST_SEED = 2**32 - 1
"""What numpy and scikit-learn take."""
MOST_ANNOTATORS = 20
"""Answers a record. Chosen: far above what agreement needs; it catches slips of the keyboard."""


def _name_strategies(schema: dict[str, Any]) -> None:
    from active_learning.query_strategies.factory import strategy_names

    schema["enum"] = list(strategy_names())


class LoopPolicy(RequestBody):
    """How the loop of one project turns. Every field has a default that works."""

    model_config = ConfigDict(frozen=True)

    batch_size: int = Field(50, ge=1, le=5_000, description="records pushed a round")
    strategy: str = Field(
        "default",
        description="query strategy; the answer to an unknown one names them",
        json_schema_extra=_name_strategies,
    )
    audit_share: float = Field(
        0.2,
        ge=0.0,
        le=1.0,
        description="share of each batch drawn at random for accuracy; 0: nothing is measured, "
        "models replace each other uncompared, and no machine label can be certified",
    )
    annotators_per_record: int = Field(
        1, ge=1, le=MOST_ANNOTATORS, description="answers wanted a record"
    )
    overlap: Literal["fixed", "adaptive"] = Field(
        "fixed",
        description="ask annotators_per_record people about every record, or one more person, up "
        "to annotators_at_most, only where the answers and the classifier leave doubt",
    )
    annotators_at_most: int = Field(
        3,
        ge=1,
        le=MOST_ANNOTATORS,
        description="most people asked about a record when overlap is adaptive; above "
        "annotators_per_record",
    )
    confidence_wanted: float = Field(
        0.9,
        gt=0.5,
        lt=1.0,
        description="probability of the consensus from which nobody more is asked",
    )
    review_below: float = Field(
        0.75,
        ge=0.0,
        le=1.0,
        description="consensus labels that are less probable than this become review cases",
    )
    gold_share: float = Field(
        0.0,
        ge=0.0,
        le=0.5,
        description="hidden gold records added to each batch, as a share of its size",
    )
    retrain_after: int | None = Field(
        None, ge=1, description="new labelled records that start a retraining; empty: a batch"
    )
    retrain_cron: str | None = Field(None, description="also retrain by cron, e.g. 0 3 * * *")
    refill_at: int = Field(
        0, ge=0, description="choose the next batch when so few tasks are still open"
    )
    max_rounds: int | None = Field(None, ge=1, description="stop pushing after this many rounds")
    is_blind_on_audit: bool = Field(
        True, description="hide the suggestion on audit records, so that it cannot sway them"
    )
    accept_error: float | None = Field(
        None,
        gt=0.0,
        lt=1.0,
        description="share of wrong machine labels that is tolerated; empty: no machine labels",
    )
    accept_delta: float = Field(
        0.1, gt=0.0, lt=1.0, description="probability with which that promise may be broken"
    )
    accept_audit_share: float = Field(
        0.05, gt=0.0, le=1.0, description="share of machine labels checked by people at random"
    )
    fine_tune_after: int | None = Field(
        300,
        ge=50,
        description="labels that start a fine-tuned challenger, and again at half as many more; "
        "empty: never",
    )
    fine_tune_method: Literal["full", "lora"] = Field(
        "full", description="train every weight of the encoder, or low-rank additions"
    )
    explanation_share: float = Field(
        0.9,
        ge=0.0,
        le=1.0,
        description="share of suggestions that show what spoke for and against them; 0: none",
    )
    label_weights: Literal["none", "value"] = Field(
        "none",
        description="how labels count in automatic retrainings: all alike, or each by the "
        "probability that it is right",
    )
    seed: int = Field(
        0, ge=0, le=LARGEST_SEED, description="seed of every random choice of the loop"
    )

    @property
    def labels_before_retraining(self) -> int:
        """New labelled records that start a retraining."""
        return self.retrain_after or self.batch_size


def _as_a_label_schema(schema: dict[str, Any]) -> None:
    described = LabelSchema.model_json_schema()
    parts = described.pop("$defs")
    del described["required"]  # of which there is one: the dataset knows its fields
    schema["anyOf"][0] = _in_place(described, parts)


def _in_place(schema: Any, parts: dict[str, Any]) -> Any:
    """The JSON schema with what it refers to written where it is used."""
    if isinstance(schema, list):
        return [_in_place(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _in_place(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _in_place(each, parts) for name, each in schema.items()}


class ProjectCreate(RequestBody):
    """A request for a new project."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "Shop catalogue", "dataset": "shop", "policy": {"batch_size": 50}}
            ]
        }
    )

    name: str = Field(
        description="3 to 50 characters without blanks around them, as Label Studio wants it",
        json_schema_extra={"pattern": NAME_PATTERN},
    )
    dataset: str = Field(description="name of the dataset whose records are labelled")
    label_schema: dict[str, Any] | None = Field(
        None,
        description="empty: grade good / fair / poor and the default issues; `fields` left out: "
        "those of the dataset",
        json_schema_extra=_as_a_label_schema,
    )
    policy: LoopPolicy = Field(default_factory=LoopPolicy)


def _as_the_policy(schema: dict[str, Any]) -> None:
    settings = LoopPolicy.model_json_schema()["properties"]
    for setting in settings.values():
        del setting["default"]  # what is left out stays
    schema.update(
        properties=settings,
        additionalProperties=False,
        examples=[{"batch_size": 100, "audit_share": 0.3}],
    )


class PolicyChange(RequestBody):
    """Policy settings to change; the others stay."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_as_the_policy)


class ProjectPublic(BaseModel):
    """A project as the API shows it."""

    id: int
    name: str
    dataset_id: int
    label_schema: dict[str, Any]
    policy: LoopPolicy
    label_studio_project_id: int | None
    created_at: datetime
    warnings: list[str] = Field(
        default_factory=list, description="labels that look alike, what the policy gives up"
    )
