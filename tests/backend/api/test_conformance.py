"""Every operation answers as the OpenAPI document says, whoever asks and whatever is sent.

A wider run: ``ASSAY_CONFORMANCE_EXAMPLES=200 pytest tests/backend/api/test_conformance.py``.
"""

import os

import pytest

from backend.core.security import KEY_ROLES
from tests.backend.api.conformance import faults
from tests.backend.api.conftest import Filled

FEW = 3
"""Random requests of every operation for every role. Chosen: CI has two minutes for all of them."""
NOBODY = "nobody"


def check(filled: Filled, phase: str, role: str = "admin", examples: int = 1) -> None:
    found = faults(filled.app, filled.document, phase, key=filled.keys.get(role), examples=examples)
    assert not found, "\n\n".join(map(str, found))


def test_the_edges_of_every_schema(filled: Filled) -> None:
    check(filled, "coverage")


def test_every_example(filled: Filled) -> None:
    check(filled, "examples")


@pytest.mark.parametrize("role", [NOBODY, *KEY_ROLES])
def test_random_requests(filled: Filled, role: str) -> None:
    examples = int(os.environ.get("ASSAY_CONFORMANCE_EXAMPLES", FEW))
    check(filled, "fuzzing", role, examples)
