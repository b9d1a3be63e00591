"""Every way into Label Studio is the queue, and one place makes the addresses."""

import re
from pathlib import Path

from labeling.label_studio.addresses import own_task_address, queue_address

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"/projects/[^\s\"]*/data\b|[?&]task=|labeling=1")


def test_the_queue_and_not_the_data_manager_is_opened() -> None:
    assert queue_address("http://ls", 3) == "http://ls/projects/3/data?labeling=1"


def test_a_copy_for_one_person_is_opened_by_itself() -> None:
    assert own_task_address("http://ls", 3, 50) == "http://ls/projects/3/data?task=50"


def test_no_other_file_makes_addresses_of_label_studio_s_pages() -> None:
    files = [
        path
        for package in ("active_learning", "labeling", "backend")
        for pattern in ("*.py", "*.html", "*.js")
        for path in (ROOT / package).rglob(pattern)
        if "vendor" not in path.parts
    ]
    assert len(files) > 300
    found = {
        str(path.relative_to(ROOT))
        for path in files
        if ADDRESS.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"labeling/label_studio/addresses.py"}


def test_only_the_page_of_one_s_own_work_opens_single_tasks() -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "backend").rglob("*.py")
        if "own_task_address" in path.read_text(encoding="utf-8")
    }
    assert users == {"backend/overview/own_work.py"}
