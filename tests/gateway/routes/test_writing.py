"""Mutations over HTTP: what is refused at once, what is a job, what a wait brings."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.gateway.reach import ANSWERED_BY
from docreactor.pipeline.position import Position
from docreactor.tables.store import Row
from tests.gateway.deployment import TODO_TYPE, Gate, Running, one_node, problem_of, several_nodes

ACTIONS = "/v1/documents/shop-1/actions"
FUTURE = "2999-01-01T00:00:00Z"


def adding(*texts: str, **fields: Any) -> dict[str, Any]:
    return {"actions": [{"type": "ADD_ITEM", "input": {"text": one}, **fields} for one in texts]}


async def test_a_create_is_one_job_and_answers_202_without_wait(one: Running) -> None:
    reply = await one.http.post("/v1/documents", json={"document_type": TODO_TYPE})

    assert reply.status_code == 202
    job = reply.json()
    assert set(job) == {
        "id",
        "document_id",
        "scope",
        "branch",
        "status",
        "token",
        "error",
        "retry_count",
        "offset",
    }
    assert (job["scope"], job["branch"], job["status"]) == ("document", "main", "PENDING")
    assert (job["token"], job["error"], job["retry_count"]) == ("", None, 0)
    assert job["id"].endswith(f"-{one.node.partition_of(job['document_id'])}")


async def test_a_wait_answers_200_when_the_job_got_there(one: Running) -> None:
    body = {"document_type": TODO_TYPE, "id": "shop-1"}
    created = await one.http.post("/v1/documents", params={"wait": "read"}, json=body)
    added = await one.http.post(ACTIONS, params={"wait": "write"}, json=adding("Milk"))

    assert (created.status_code, created.json()["status"]) == (200, "READ_READY")
    assert (added.status_code, added.json()["status"]) == (200, "WRITE_READY")
    assert added.json()["token"].startswith(one.node.log_id)


async def test_a_wait_that_runs_out_is_504_with_the_job_which_goes_on() -> None:
    gate = Gate()
    async with one_node(gate) as one:
        gate.shut()
        waiting: dict[str, Any] = {"wait": "write", "timeout_ms": 20}
        body = {"document_type": TODO_TYPE, "id": "shop-1"}
        reply = await one.http.post("/v1/documents", params=waiting, json=body)
        job_id = reply.json()["job"]["id"]
        asked = await one.http.get(f"/v1/jobs/{job_id}", params=waiting)
        gate.open()
        awaited = await one.http.get(f"/v1/jobs/{job_id}", params={"wait": "write"})

    assert problem_of(reply) == (504, "JobNotReady")
    assert reply.json()["job"]["status"] in ("PENDING", "RUNNING")
    assert reply.json()["job"]["document_id"] == "shop-1"
    assert problem_of(asked) == (504, "JobNotReady")
    assert awaited.json()["status"] in ("WRITE_READY", "READ_READY")


async def test_a_create_sets_what_it_is_given(one: Running) -> None:
    await one.create(
        "shop-1",
        slug="groceries",
        timestamp="2024-05-01T12:00:00.5Z",
        initial_state={"global": {"items": ["Milk"]}},
    )

    document = (await one.http.get("/v1/documents/shop-1")).json()
    assert document["header"]["created_at"] == "2024-05-01T12:00:00.500000Z"
    assert document["header"]["last_modified_at"] == "2024-05-01T12:00:00.500001Z"
    assert document["state"]["global"] == {"items": ["Milk"], "completed": []}


async def test_a_slug_is_the_id_unless_one_is_given(one: Running) -> None:
    await one.create("shop-1", slug="")

    document = (await one.http.get("/v1/documents/shop-1")).json()
    assert document["header"]["slug"] == "shop-1"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "document_type"),
        ({"document_type": TODO_TYPE, "parent": "a/b"}, "parent"),
        ({"document_type": TODO_TYPE, "id": "shop-1", "parent": "shop-1"}, "parent"),
        ({"document_type": TODO_TYPE, "mood": "glad"}, "mood"),
        ({"document_type": TODO_TYPE, "id": "a/b"}, "id"),
        ({"document_type": TODO_TYPE, "id": ".."}, "id"),
        ({"document_type": TODO_TYPE, "id": "x" * 201}, "id"),
        ({"document_type": TODO_TYPE, "id": 3}, "id"),
        ({"document_type": TODO_TYPE, "slug": "x" * 1_001}, "slug"),
        ({"document_type": TODO_TYPE, "branch": "a b"}, "branch"),
        ({"document_type": TODO_TYPE, "meta": []}, "meta"),
        ({"document_type": TODO_TYPE, "initial_state": {"global": {"items": 3}}}, None),
        ({"document_type": TODO_TYPE, "initial_state": {"document": {}}}, "initial_state.document"),
        ([], "body"),
    ],
)
async def test_a_create_that_cannot_be_is_refused_by_field(
    one: Running, body: Any, field: str | None
) -> None:
    reply = await one.http.post("/v1/documents", json=body)

    assert problem_of(reply) == (422, "InvalidInput")
    assert reply.json()["reason"]
    if field is not None:
        assert reply.json()["field"] == field


async def test_an_unknown_model_is_refused(one: Running) -> None:
    reply = await one.http.post("/v1/documents", json={"document_type": "example/nothing"})

    assert problem_of(reply) == (422, "UnknownModel")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"actions": []}, (422, "InvalidInput")),
        ({"actions": adding("a")["actions"], "depends_on": ["x"]}, (422, "InvalidInput")),
        ({"actions": adding("a")["actions"], "expected_revision": "0"}, (422, "InvalidInput")),
        ({"actions": adding("a")["actions"], "expected_revision": -1}, (422, "InvalidInput")),
        ({"actions": [{"type": "ADD_ITEM"}]}, (422, "InvalidInput")),
        ({"actions": [{"type": "", "input": {}}]}, (422, "InvalidInput")),
        ({"actions": [{"type": "ADD_ITEM", "input": {"text": 3}}]}, (422, "InvalidInput")),
        ({"actions": [{"type": "ADD_ITEM", "input": {}}]}, (422, "InvalidInput")),
        ({"actions": [{"type": "SING", "input": {}}]}, (422, "UnknownAction")),
        (adding("a", id="a b"), (422, "InvalidInput")),
        (adding("a", id=""), (422, "InvalidInput")),
        (adding("a", scope="a/b"), (422, "InvalidInput")),
        (adding("a", timestamp="yesterday"), (422, "InvalidOperationTimestamp")),
        (adding("a", timestamp=FUTURE), (422, "InvalidOperationTimestamp")),
        (adding("a", scope="document"), (422, "UnknownAction")),
        (
            {"actions": [{"type": "CREATE_DOCUMENT", "input": {}}]},
            (422, "UnknownAction"),
        ),
        (
            {"actions": [{"type": "DELETE_DOCUMENT", "input": {}, "scope": "document"}]},
            (422, "InvalidInput"),
        ),
        (adding("x" * 600_000), (413, "TooLarge")),
        (adding(*["x"] * 10_000), (413, "TooLarge")),
        (
            {"actions": [*adding("a")["actions"], *adding("b", scope="local")["actions"]]},
            (422, "InvalidInput"),
        ),
    ],
)
async def test_actions_that_cannot_be_are_refused_without_a_job(
    one: Running, body: Any, refusal: tuple[int, str]
) -> None:
    await one.create("shop-1")

    reply = await one.http.post(ACTIONS, json=body)

    assert problem_of(reply) == refusal
    assert "job" not in reply.json()
    assert (await one.http.get("/v1/documents/shop-1")).json()["header"]["revision"] == {
        "document": 2
    }


async def test_a_size_that_is_too_large_names_the_limit(one: Running) -> None:
    action = await one.http.post(ACTIONS, json=adding("x" * 600_000))
    job = await one.http.post(ACTIONS, json=adding(*["x" * 500_000] * 17))
    count = await one.http.post(ACTIONS, json=adding(*["x"] * 5_001))

    assert action.json()["limit"] == 512 * 1024
    assert job.json()["limit"] == 8 * 1024 * 1024
    assert (count.json()["limit"], count.json()["actual"]) == (5_000, 5_001)


async def test_input_nested_too_deep_is_refused(one: Running) -> None:
    nested: dict[str, Any] = {}
    for _ in range(300):
        nested = {"a": nested}

    reply = await one.http.post(ACTIONS, json={"actions": [{"type": "A", "input": nested}]})

    assert problem_of(reply) == (422, "InvalidInput")


async def test_a_job_that_fails_answers_with_its_error_and_the_job(one: Running) -> None:
    await one.create("shop-1")
    mismatch = await one.http.post(
        ACTIONS, params={"wait": "write"}, json=adding("Milk") | {"expected_revision": 7}
    )
    unknown = await one.http.post(
        "/v1/documents/nobody/actions", params={"wait": "write"}, json=adding("Milk")
    )
    again = await one.http.post(
        "/v1/documents?wait=write", json={"document_type": TODO_TYPE, "id": "shop-1"}
    )

    assert problem_of(mismatch) == (409, "RevisionMismatch")
    assert (mismatch.json()["expected"], mismatch.json()["actual"]) == (7, 0)
    assert mismatch.json()["job"]["status"] == "FAILED"
    assert problem_of(unknown) == (404, "DocumentNotFound")
    assert problem_of(again) == (409, "DocumentAlreadyExists")


async def test_a_document_that_the_view_does_not_show_yet_has_its_actions_checked(
    one: Running,
) -> None:
    await one.create("shop-1")
    live = one.node.local(one.node.partition_of("shop-1"))
    assert live is not None
    shown = live.documents.store
    shown.write([Row(key, None) for key in shown.keys(b"s/", b"s0")], {}, now_ms=1)
    reply = await one.http.post(ACTIONS, json=adding("Milk", type="PAINT"))

    assert problem_of(reply) == (422, "UnknownAction")


async def test_what_a_reducer_refuses_is_an_operation_and_no_failure(one: Running) -> None:
    await one.create("shop-1")
    job = await one.add("shop-1", "Milk", "Milk", "Bread")

    assert job["error"] is None
    document = (await one.http.get("/v1/documents/shop-1")).json()
    assert document["state"]["global"]["items"] == ["Milk", "Bread"]
    assert document["header"]["revision"]["global"] == 3


async def test_an_action_sent_twice_is_stored_once(one: Running) -> None:
    await one.create("shop-1")
    body = adding("Milk", id="a-1")
    for _ in range(2):
        reply = await one.http.post(ACTIONS, params={"wait": "read"}, json=body)
        assert reply.status_code == 200
    other = await one.http.post(ACTIONS, params={"wait": "read"}, json=adding("Tea", id="a-1"))

    assert problem_of(other) == (409, "ActionIdConflict")
    document = (await one.http.get("/v1/documents/shop-1")).json()
    assert document["header"]["revision"]["global"] == 1


async def test_an_idempotency_key_makes_a_request_one_request(one: Running) -> None:
    headers = {"Idempotency-Key": "order 66"}
    bodies = {"/v1/documents": {"document_type": TODO_TYPE}}
    created = [
        await one.http.post(path, params={"wait": "read"}, json=body, headers=headers)
        for path, body in [*bodies.items()] * 2
    ]
    document_id = created[0].json()["document_id"]
    for _ in range(2):
        await one.http.post(
            f"/v1/documents/{document_id}/actions?wait=read", json=adding("a"), headers=headers
        )

    assert [reply.status_code for reply in created] == [200, 200]
    assert created[1].json()["document_id"] == document_id
    document = (await one.http.get(f"/v1/documents/{document_id}")).json()
    assert document["header"]["revision"] == {"document": 2, "global": 1}


async def test_a_deleted_document_takes_no_further_mutation(one: Running) -> None:
    await one.create("shop-1")
    deleted = await one.http.delete("/v1/documents/shop-1", params={"wait": "read"})
    again = await one.http.delete("/v1/documents/shop-1", params={"wait": "read"})
    action = await one.http.post(ACTIONS, params={"wait": "read"}, json=adding("Milk"))

    assert (deleted.status_code, deleted.json()["status"]) == (200, "READ_READY")
    assert problem_of(again) == (410, "DocumentDeleted")
    assert problem_of(action) == (410, "DocumentDeleted")


async def test_branches_are_documents_of_their_own(one: Running) -> None:
    await one.create("shop-1")
    await one.create("shop-1", branch="draft")
    await one.http.delete("/v1/documents/shop-1", params={"wait": "read", "branch": "draft"})

    assert (await one.http.get("/v1/documents/shop-1")).status_code == 200
    gone = await one.http.get("/v1/documents/shop-1", params={"branch": "draft"})
    assert problem_of(gone) == (410, "DocumentDeleted")


async def test_a_partition_whose_backlog_is_over_its_bound_answers_429() -> None:
    async with one_node(backlog_records_max=1) as one:
        replies = [
            await one.http.post("/v1/documents", json={"document_type": TODO_TYPE, "id": "shop-1"})
            for _ in range(20)
        ]

    busy = [reply for reply in replies if reply.status_code == 429]
    assert busy
    assert problem_of(busy[0]) == (429, "TooBusy")
    assert busy[0].headers["retry-after"] == "1"


async def test_a_mutation_is_taken_by_any_node_and_done_by_the_owner() -> None:
    async with several_nodes(2) as (first, second):
        replies = []
        for number in range(8):
            body = {"document_type": TODO_TYPE, "id": f"d{number}"}
            replies.append(await first.http.post("/v1/documents?wait=read", json=body))
            await second.add(f"d{number}", "Milk")
        minted = [
            await second.http.post("/v1/documents?wait=read", json={"document_type": TODO_TYPE})
            for _ in range(8)
        ]
        shown = [
            await first.http.get(f"/v1/documents/{reply.json()['document_id']}") for reply in minted
        ]

    assert [reply.status_code for reply in replies] == [200] * 8
    assert {reply.headers[ANSWERED_BY] for reply in replies} == {"local", "forwarded"}
    assert [reply.status_code for reply in shown] == [200] * 8


async def act(running: Running, action_type: str, input: Any, **fields: Any) -> Any:
    """Submit one action; the answer, whatever it is."""
    action = {"type": action_type, "input": input, **fields}
    return await running.http.post(ACTIONS, params={"wait": "read"}, json={"actions": [action]})


async def shown(running: Running) -> Any:
    reply = await running.http.get("/v1/documents/shop-1")
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_a_document_is_renamed_and_described_in_any_scope(one: Running) -> None:
    await one.create("shop-1", name="Shop", meta={"a": 1, "b": 2})
    for action_type, input, scope in (
        ("SET_NAME", {"name": "Weekly"}, "global"),
        ("SET_SLUG", {"slug": "weekly"}, "local"),
        ("SET_META", {"key": "a", "value": None}, "document"),
        ("SET_META", {"key": "c", "value": [3]}, "global"),
    ):
        reply = await act(one, action_type, input, scope=scope)
        assert reply.status_code == 200, reply.text

    header = (await shown(one))["header"]
    assert (header["name"], header["slug"]) == ("Weekly", "weekly")
    assert header["meta"] == {"b": 2, "c": [3]}
    assert (await one.http.get("/v1/documents/weekly")).json()["header"]["id"] == "shop-1"


async def test_a_state_is_loaded_and_a_noop_changes_nothing(one: Running) -> None:
    await one.create("shop-1")
    await act(one, "LOAD_STATE", {"state": {"items": ["Tea"]}, "name": "Loaded"})
    await act(one, "NOOP", None)

    document = await shown(one)
    assert document["state"]["global"] == {"items": ["Tea"], "completed": []}
    assert document["header"]["name"] == "Loaded"
    assert document["header"]["revision"]["global"] == 2


async def test_an_undo_goes_back_and_a_redo_forth_until_nothing_is_left(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "Milk")
    await one.add("shop-1", "Bread")
    seen: list[Any] = []
    for action_type in ("UNDO", "UNDO", "REDO"):
        assert (await act(one, action_type, {})).status_code == 200
        seen.append((await shown(one))["state"]["global"]["items"])
    await act(one, "UNDO", {})
    undo, local = await act(one, "UNDO", {}), await act(one, "UNDO", {}, scope="local")
    redo = await act(one, "REDO", {}, scope="local")

    assert seen == [["Milk"], [], ["Milk"]]
    assert problem_of(undo) == problem_of(local) == (409, "NothingToUndo")
    assert problem_of(redo) == (409, "NothingToRedo")


async def test_a_prune_is_refused_by_name_and_told_what_to_do_instead(one: Running) -> None:
    await one.create("shop-1")
    reply = await act(one, "PRUNE", {})

    assert problem_of(reply) == (422, "UnsupportedAction")
    assert "keyframes" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("action_type", "input", "scope", "refusal"),
    [
        ("SET_NAME", {"title": "a"}, "global", (422, "InvalidInput")),
        ("SET_SLUG", {"slug": "x" * 1_001}, "global", (422, "InvalidInput")),
        ("SET_META", {"value": 1}, "global", (422, "InvalidInput")),
        ("UNDO", {"count": 2}, "global", (422, "InvalidInput")),
        ("LOAD_STATE", {"state": {}}, "document", (422, "UnknownAction")),
        ("ADD_RELATIONSHIP", {}, "global", (422, "UnknownAction")),
        ("ADD_RELATIONSHIP", {"source_id": "shop-1"}, "document", (422, "InvalidInput")),
        (
            "ADD_RELATIONSHIP",
            {"source_id": "shop-1", "target_id": "shop-1", "relationship_type": "child"},
            "document",
            (422, "InvalidInput"),
        ),
        (
            "UPGRADE_DOCUMENT",
            {"model": TODO_TYPE, "document_id": "shop-1", "from_version": 1, "to_version": 9},
            "document",
            (422, "UnknownModel"),
        ),
    ],
)
async def test_what_no_document_takes_is_refused_without_a_job(
    one: Running, action_type: str, input: Any, scope: str, refusal: tuple[int, str]
) -> None:
    await one.create("shop-1")
    reply = await act(one, action_type, input, scope=scope)

    assert problem_of(reply) == refusal
    assert "job" not in reply.json()


async def test_an_upgrade_to_the_same_version_is_no_operation_and_none_leads_back(
    one: Running,
) -> None:
    await one.create("shop-1")
    upgrade = {"model": TODO_TYPE, "document_id": "shop-1", "from_version": 1, "to_version": 1}
    same = await act(one, "UPGRADE_DOCUMENT", upgrade, scope="document")
    down = upgrade | {"from_version": 2}
    refused = await act(one, "UPGRADE_DOCUMENT", down, scope="document")

    assert (same.status_code, same.json()["status"]) == (200, "READ_READY")
    assert (await shown(one))["header"]["revision"] == {"document": 2}
    assert problem_of(refused)[1] == "DowngradeNotSupported"


async def edges_of(running: Running, document_id: str) -> list[tuple[str, str]]:
    reply = await running.http.get(
        f"/v1/documents/{document_id}/operations", params={"scope": "document", "since": 1}
    )
    inputs = [operation["action"]["input"] for operation in reply.json()["operations"]]
    return [(input["relationship_type"], input["target_id"]) for input in inputs]


async def test_a_child_is_created_with_its_parents_edge_and_its_token_covers_both(
    one: Running,
) -> None:
    await one.create("drive-1")
    for wait in ("read", None):
        query = {} if wait is None else {"wait": wait}
        body = {"document_type": TODO_TYPE, "parent": "drive-1"}
        job = (await one.http.post("/v1/documents", params=query, json=body)).json()
        assert job["document_id"] != "drive-1"
        if wait is None:
            assert (job["status"], job["token"]) == ("PENDING", "")
            job = (await one.http.get(f"/v1/jobs/{job['id']}", params={"wait": "read"})).json()
        covered = Position.parse(job["token"], log_id=one.node.log_id).next_offsets
        assert {one.node.partition_of("drive-1"), one.node.partition_of(job["document_id"])} == {
            *covered
        }
        assert (await edges_of(one, "drive-1"))[-1] == ("child", job["document_id"])
        assert (await one.http.get(f"/v1/documents/{job['document_id']}")).status_code == 200


async def test_a_child_of_nobody_is_not_created(one: Running) -> None:
    body = {"document_type": TODO_TYPE, "id": "shop-1", "parent": "nobody"}
    refused = await one.http.post("/v1/documents", params={"wait": "read"}, json=body)
    accepted = await one.http.post("/v1/documents", json=body)
    await one.create("drive-1")
    await one.http.delete("/v1/documents/drive-1", params={"wait": "read"})
    gone = await one.http.post(
        "/v1/documents", params={"wait": "read"}, json=body | {"parent": "drive-1"}
    )

    assert problem_of(refused) == (404, "DocumentNotFound")
    assert refused.json()["document_id"] == "nobody"
    assert (accepted.status_code, accepted.json()["status"]) == (202, "FAILED")
    assert problem_of(gone) == (410, "DocumentDeleted")
    assert (await one.http.get("/v1/documents/shop-1")).status_code == 404


async def test_a_document_that_exists_becomes_nobodys_child(one: Running) -> None:
    await one.create("drive-1")
    await one.create("shop-1")
    body = {"document_type": TODO_TYPE, "id": "shop-1", "parent": "drive-1"}
    reply = await one.http.post("/v1/documents", params={"wait": "read"}, json=body)

    assert problem_of(reply) == (409, "DocumentAlreadyExists")
    assert await edges_of(one, "drive-1") == []


async def test_a_child_that_is_asked_for_twice_with_one_key_is_created_once(one: Running) -> None:
    await one.create("drive-1")
    body = {"document_type": TODO_TYPE, "parent": "drive-1"}
    replies = [
        await one.http.post(
            "/v1/documents", params={"wait": "read"}, json=body, headers={"Idempotency-Key": "k"}
        )
        for _ in range(2)
    ]

    assert [reply.status_code for reply in replies] == [200, 200]
    assert await edges_of(one, "drive-1") == [("child", replies[0].json()["document_id"])]


async def test_an_edge_that_nobody_decides_in_time_is_504_and_nothing_is_created() -> None:
    gate = Gate()
    async with one_node(gate) as one:
        await one.create("drive-1")
        gate.shut()
        body = {"document_type": TODO_TYPE, "id": "shop-1", "parent": "drive-1"}
        reply = await one.http.post("/v1/documents", params={"timeout_ms": 20}, json=body)
        gate.open()
        job = await one.http.get(f"/v1/jobs/{reply.json()['job']['id']}", params={"wait": "write"})
        shown = await one.http.get("/v1/documents/shop-1")

    assert problem_of(reply) == (504, "JobNotReady")
    assert job.json()["document_id"] == "drive-1"
    assert shown.status_code == 404


async def test_parent_and_child_may_run_on_different_nodes() -> None:
    async with several_nodes(2) as (first, second):
        for number in range(6):
            await first.create(f"drive-{number}")
            body = {"document_type": TODO_TYPE, "parent": f"drive-{number}"}
            reply = await second.http.post("/v1/documents", params={"wait": "read"}, json=body)
            assert reply.status_code == 200, reply.text
            child = reply.json()["document_id"]
            assert await edges_of(first, f"drive-{number}") == [("child", child)]
