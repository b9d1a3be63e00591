"""kill -9 from outside, at moments nobody chose: the loop goes on all the same."""

import threading
import time
from random import Random

import pytest

from backend.projects.schemas import LoopPolicy
from labeling.label_studio.client import LabelStudioClient
from tests.e2e.stack import Stack, seed_project
from tests.e2e.test_kill_points import assert_nothing_lost_nothing_twice, label, pushed_batch

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio]

KILLS = 8
LIFE_SECONDS = (0.2, 3.0)


def test_random_kills_of_worker_and_api_while_people_label(
    stack: Stack, label_studio_client: LabelStudioClient
) -> None:
    services, random = stack.services(), Random(11)
    policy = LoopPolicy(batch_size=16, audit_share=0.25, annotators_per_record=2)
    project, truths = seed_project(services, records=100, policy=policy, name="random kills")
    stack.start("serve")
    stack.start("worker")
    stack.until(pushed_batch(services, 1), "batch 1 is pushed")

    people = threading.Thread(target=label, args=(services, project.id, 1, truths))
    people.start()
    for _ in range(KILLS):
        time.sleep(random.uniform(*LIFE_SECONDS))
        victim = random.choice(["serve", "worker-one", "worker-one"])
        stack.kill(victim)
        stack.start(victim.partition("-")[0])
    people.join()

    stack.until(pushed_batch(services, 2), "batch 2 is pushed")
    label(services, project.id, 2, truths)
    stack.until(pushed_batch(services, 3), "batch 3 is pushed")
    assert_nothing_lost_nothing_twice(stack, services, label_studio_client, rounds=3)
