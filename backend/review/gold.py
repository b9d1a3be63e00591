"""Hidden gold records: decided records mixed into a batch, to see how well people answer."""

from collections.abc import Sequence

import numpy as np
from sqlmodel import Session

from backend.consensus import repository as consensus_repository
from backend.core.clock import Clock
from backend.loop.answers import GOLD
from backend.loop.service import LoopService
from backend.models import Project, Task
from backend.projects.service import policy_of
from backend.review import decision_repository, repository
from backend.review.sending_back import copy_key
from backend.words import Message, Worded
from labeling.consensus.gold_records import choose_gold

QUEUE = 0
"""Everybody is served from one queue, so a check is drawn for all at once."""


def add_gold_records(
    session: Session,
    clock: Clock,
    project: Project,
    batch_id: int,
    *,
    reason: Worded,
    seed: int,
) -> int:
    """The batch has its share of hidden gold records; how many.

    They are copies of decided records, each used once, so nobody answers one twice; everybody who
    answers in the project is asked about each. Nothing tells them from other tasks: ``reason`` is
    one that other tasks of the batch have, and no suggestion comes with them.
    """
    policy = policy_of(project)
    if policy.gold_share == 0:
        return 0
    decided = consensus_repository.standing_decisions(session, project.id)
    gold = {
        task_id: decision.grade
        for task_id, decision in decided.items()
        if decision.grade is not None
    }
    used = decision_repository.gold_originals(session, project.id)
    chosen = choose_gold(
        gold,
        {QUEUE: policy.batch_size},
        seen={QUEUE: used},
        share=policy.gold_share,
        seed=seed,
    ).chosen[QUEUE]
    people = len(repository.annotators(session, project.id))
    places = _places(len(chosen), policy.batch_size, seed)
    for place, task_id in zip(places, chosen, strict=True):
        original = repository.task(session, task_id)
        assert original is not None
        attempt = decision_repository.last_attempt(session, original) + 1
        decision_repository.add_task(
            session,
            Task(
                project_id=original.project_id,
                record_id=original.record_id,
                batch_id=batch_id,
                key=copy_key(original, attempt),
                position=place,
                is_audit=False,
                reason=Message.of(reason),
                purpose=GOLD,
                attempt=attempt,
                original_id=task_id,
                annotators_wanted=max(people, policy.annotators_per_record),
            ),
        )
    if chosen:
        LoopService(session, clock).request_asking(project)
    return len(chosen)


def _places(count: int, size: int, seed: int) -> Sequence[int]:
    """Where in the batch they come: anywhere."""
    return [int(place) for place in np.random.default_rng(seed).integers(0, max(1, size), count)]
