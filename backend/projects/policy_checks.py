"""Whether a policy's settings can be followed."""

from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from backend.core.exceptions import InvalidInput
from backend.jobs.schedules import next_time
from backend.projects.schemas import MOST_ANNOTATORS, LoopPolicy
from backend.words import Message

ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC)
"""Whether a cron expression ever comes does not depend on it."""


def read_policy(settings: dict[str, Any]) -> LoopPolicy:
    """The policy with these settings.

    Raises:
        InvalidInput: an unknown setting or a value it cannot have; the first one is named.
    """
    try:
        return LoopPolicy.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            Message(
                "The policy's {name} cannot be {value!r}: {problem}.",
                name=name,
                value=first["input"],
                problem=first["msg"],
            ),
            field=f"policy.{name}",
            value=first["input"],
            remedy=Message("Settings are: {settings}.", settings=list(LoopPolicy.model_fields)),
        ) from error


def check_policy(policy: LoopPolicy) -> None:
    """The policy can be followed.

    Raises:
        InvalidInput: unknown strategy or a cron expression that cannot be read.
    """
    from active_learning.query_strategies.factory import strategy_names

    if policy.strategy not in strategy_names():
        raise InvalidInput(
            Message("Unknown query strategy {strategy!r}.", strategy=policy.strategy),
            field="policy.strategy",
            value=policy.strategy,
            remedy=Message("Choose one of: {strategies}.", strategies=strategy_names()),
        )
    if policy.retrain_cron is not None:
        try:
            next_time(policy.retrain_cron, ANY_TIME)
        except InvalidInput as error:
            error.field = "policy.retrain_cron"
            raise


def check_overlap(policy: LoopPolicy) -> None:
    """Adaptive overlap may ask at least one person more.

    Raises:
        InvalidInput: annotators_at_most is not above annotators_per_record, so nobody more would
            ever be asked.
    """
    least, most = policy.annotators_per_record, policy.annotators_at_most
    if policy.overlap != "adaptive" or most > least:
        return
    raise InvalidInput(
        Message(
            "The policy's annotators_at_most is {most}, not above "
            "annotators_per_record, which is {least}: adaptive overlap would "
            "never ask one more person.",
            most=most,
            least=least,
        ),
        field="policy.annotators_at_most",
        value=most,
        remedy=(
            Message(
                "Set annotators_at_most to {least} or more, or overlap to fixed.", least=least + 1
            )
            if least < MOST_ANNOTATORS
            else Message(
                "Set annotators_per_record below {least}, or overlap to fixed.", least=least
            )
        ),
    )
