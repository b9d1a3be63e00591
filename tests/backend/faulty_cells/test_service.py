"""Cells that are probably wrong, from the fields that people marked in the loop."""

from collections.abc import Callable

import pytest

from backend.core.database import Database
from backend.core.exceptions import Conflict, InvalidInput
from backend.faulty_cells.service import FaultyCells
from tests.backend.training.loop import Loop
from tests.fixtures.chinese import in_chinese

NewLoop = Callable[..., Loop]


def test_marks_of_a_round_find_the_faults_of_the_other_records(loop: Loop) -> None:
    loop.turn(1)
    ranking = FaultyCells(loop.services, loop.project())
    assert ranking.marked_records == 24
    cells = list(ranking.ranking(1000, with_marked=True))
    assert [c.probability for c in cells] == sorted((c.probability for c in cells), reverse=True)
    # loop.py: of three records one has no price, one a price of -1; people mark both.
    faulty = {str(n) for n in range(90) if n % 3}
    named = {cell.external_id for cell in cells}
    assert {cell.field for cell in cells} == {"price"}
    assert len(named & faulty) >= 0.95 * len(faulty)
    assert not named - faulty
    found = list(ranking.ranking(1000))
    assert not any(cell.is_marked for cell in found)
    assert {cell.external_id for cell in cells if not cell.is_marked} == {
        cell.external_id for cell in found
    }
    assert len(found) > 30
    assert all(cell.row()["evidence"] and in_chinese(cell.evidence[0]) for cell in cells)
    assert len(list(ranking.ranking(5))) == 5


@pytest.mark.parametrize("sampler", ["mixture", "clustering", "random"])
def test_records_worth_marking_have_no_mark_yet(loop: Loop, sampler: str) -> None:
    loop.turn(1)
    done = {task.record_id for task in loop.tasks(1)}
    chosen = FaultyCells(loop.services, loop.project()).worth_marking(10, sampler)
    assert len(set(chosen)) == 10
    # Records were added in the order of their external ids, from 0.
    assert not {int(name) + 1 for name in chosen} & done


def test_without_labels_the_remedy_is_named(loop: Loop) -> None:
    ranking = FaultyCells(loop.services, loop.project())
    with pytest.raises(Conflict, match="0 records are labelled") as caught:
        list(ranking.ranking(10))
    assert "--choose" in (caught.value.remedy or "")
    assert len(ranking.worth_marking(4, "mixture")) == 4
    with pytest.raises(InvalidInput, match="mixture"):
        ranking.worth_marking(4, "psychic")
    with pytest.raises(InvalidInput, match="without a mark there are 90"):
        ranking.worth_marking(91, "mixture")


def test_an_empty_dataset_says_so(new_loop: NewLoop, sqlite_database: Database) -> None:
    empty = new_loop(sqlite_database, records=0)
    with pytest.raises(Conflict, match="no records"):
        FaultyCells(empty.services, empty.project())
