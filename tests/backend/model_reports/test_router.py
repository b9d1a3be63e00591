from backend.core.services import Services
from tests.backend.conftest import ClientAs
from tests.backend.training.loop import Loop


def test_the_report_over_http(loop: Loop, services: Services, client_as: ClientAs) -> None:
    place = f"/api/v1/projects/{loop.project_id}/models"
    viewer = client_as("viewer")
    told = viewer.get(f"{place}/2/report").json()
    assert told["breakdown"]["accuracy"]["n"] == told["records"]
    assert (told["changes"]["against"], told["comparable"]) == (1, [1])
    assert viewer.get(f"{place}/2/report", params={"against": 9}).status_code == 404
    assert viewer.get(f"{place}/9/report").status_code == 404
    assert viewer.post(f"{place}/measure").status_code == 403
    assert client_as("engineer").post(f"{place}/measure").json() == {"job_id": None}
