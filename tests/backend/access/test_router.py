from tests.backend.conftest import ClientAs


def test_keys_are_made_used_listed_and_revoked(client_as: ClientAs) -> None:
    admin = client_as("admin")
    made = admin.post("/api/v1/access/keys", json={"name": "import", "role": "engineer"})
    assert made.status_code == 201
    key = made.json()["key"]
    bearer = {"Authorization": f"Bearer {key}"}
    assert admin.get("/api/v1/access/me", headers=bearer).json()["role"] == "engineer"
    listed = admin.get("/api/v1/access/keys")
    assert key not in listed.text
    assert key[:12] in listed.text
    assert admin.delete(f"/api/v1/access/keys/{key[:12]}").json()["revoked_at"]
    assert admin.get("/api/v1/access/me", headers=bearer).status_code == 401


def test_wrong_input_is_a_problem_that_names_it(client_as: ClientAs) -> None:
    problem = client_as("admin").post("/api/v1/access/keys", json={"name": "x", "role": "owner"})
    assert problem.status_code == 422
    assert problem.json()["field"] == "role"
    assert problem.json()["value"] == "owner"


def test_leads_read_who_did_what(client_as: ClientAs) -> None:
    client_as("admin").post("/api/v1/access/keys", json={"name": "import", "role": "viewer"})
    events = client_as("lead").get("/api/v1/audit", params={"limit": 2}).json()
    assert [event["actor"] for event in events] == ["test", "key:admin"]
    subject = events[1]["subject"]
    assert subject.startswith("api_key:")
    of_one = client_as("lead").get("/api/v1/audit", params={"subject": subject}).json()
    assert [event["id"] for event in of_one] == [events[1]["id"]]
    assert client_as("engineer").get("/api/v1/audit").status_code == 403
