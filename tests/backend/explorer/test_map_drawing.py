"""The job that draws the map."""

import numpy as np
import pytest

from backend.explorer import map_drawing
from backend.explorer.map_folder import MapFolder, is_map_due
from tests.backend.explorer.drawing import draw
from tests.backend.scoring.test_refreshing import change_records, refresh
from tests.backend.training.loop import Loop


def folder(loop: Loop) -> MapFolder:
    return MapFolder(loop.services.settings.maps_dir, loop.project_id)


def test_every_current_record_is_a_point_near_those_like_it(loop: Loop) -> None:
    assert is_map_due(loop.services, loop.project_id)
    result = draw(loop)
    assert result["drawn"]
    assert result["points"] == result["records"]
    drawn = folder(loop).current()
    assert drawn is not None
    ids, places = drawn.points()
    assert ids.tolist() == drawn.record_ids().tolist()
    assert np.abs(places).max() <= 1.0
    assert not is_map_due(loop.services, loop.project_id)
    assert draw(loop) == {"drawn": False, "why": "nothing has changed"}


def test_the_same_records_are_drawn_at_the_same_places(loop: Loop) -> None:
    draw(loop)
    first = folder(loop).current()
    assert first is not None
    ids, places = first.points()
    loop.clock.advance()
    (folder(loop).path / "current").unlink()
    draw(loop)
    second = folder(loop).current()
    assert second is not None
    assert second.points()[0].tolist() == ids.tolist()
    np.testing.assert_array_equal(second.points()[1], places)


def test_new_records_bring_a_new_map_once_they_are_judged(loop: Loop) -> None:
    draw(loop)
    before = folder(loop).current()
    change_records(loop, new=7, changed=3)
    assert not is_map_due(loop.services, loop.project_id)
    refresh(loop)
    assert is_map_due(loop.services, loop.project_id)
    draw(loop)
    after = folder(loop).current()
    assert before is not None
    assert after is not None
    assert after.facts.records == before.facts.records + 7
    assert [each.name for each in folder(loop).path.iterdir() if each.is_dir()] == [
        after.folder.name
    ]


def test_of_many_records_each_grade_has_its_share_and_all_have_codes(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_drawing, "POINTS", 60)
    monkeypatch.setattr(map_drawing, "ROWS_AT_ONCE", 50)
    result = draw(loop)
    drawn = folder(loop).current()
    assert drawn is not None
    assert result["points"] == 60
    assert len(drawn.codes) == len(drawn.scales()) == result["records"] > 60
