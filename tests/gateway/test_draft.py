"""Mutations as they are drafted, over a real node."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.gateway.draft import Drafter, Edges
from docreactor.gateway.idempotency import ActionIds
from docreactor.gateway.requests import ActionRequest, CreateRequest, LoadRequest, SubmitRequest
from docreactor.pipeline.edge import CHILD
from docreactor.pipeline.errors import InvalidInputError, TooLargeError, UnknownActionError
from tests.gateway.deployment import TODO_TYPE, Running, one_node

KEYED = ActionIds("k", "shop-1", str)


def submission(*texts: str, **fields: Any) -> SubmitRequest:
    actions = [ActionRequest(type="ADD_ITEM", input={"text": one}, **fields) for one in texts]
    return SubmitRequest(actions=actions)


async def test_a_create_is_two_actions_the_second_an_instant_later(one: Running) -> None:
    asked = CreateRequest(document_type=TODO_TYPE, timestamp="2024-05-01T12:00:00Z", name="Shop")
    job = Drafter(one.node).create(asked, "shop-1", KEYED)

    created, upgraded = job.actions
    assert (created.type, upgraded.type) == ("CREATE_DOCUMENT", "UPGRADE_DOCUMENT")
    assert created.timestamp == "2024-05-01T12:00:00.000000Z"
    assert upgraded.timestamp == "2024-05-01T12:00:00.000001Z"
    assert created.input["name"] == "Shop"
    assert upgraded.input["to_version"] == 1
    assert job.scope == "document"
    assert job.id.endswith(f"-{one.node.partition_of('shop-1')}")


async def test_a_repeated_request_drafts_the_same_actions_in_another_job(one: Running) -> None:
    drafter = Drafter(one.node)
    first, again = (drafter.submit(submission("a", "b"), "shop-1", KEYED, None) for _ in range(2))

    assert first.actions == again.actions
    assert first.id != again.id


async def test_a_given_timestamp_gets_six_digits_and_none_stays_none(one: Running) -> None:
    drafter = Drafter(one.node)
    given = drafter.submit(submission("a", timestamp="2024-05-01T12:00:00.5Z"), "d", KEYED, None)
    left = drafter.submit(submission("a"), "d", KEYED, None)

    assert given.actions[0].timestamp == "2024-05-01T12:00:00.500000Z"
    assert left.actions[0].timestamp is None


async def test_sizes_are_refused_before_the_input_is_looked_at() -> None:
    async with one_node(action_bytes_max=400, job_bytes_max=1_000, job_actions_max=10) as one:
        drafter = Drafter(one.node)
        for texts, what in (
            (["x" * 400], "actions.0 in bytes"),
            (["x" * 200] * 5, "job in bytes"),
            (["x"] * 11, "number of actions in one job"),
        ):
            with pytest.raises(TooLargeError, match=what):
                drafter.submit(submission(*texts), "shop-1", KEYED, None)


async def test_a_delete_is_one_action_of_the_platform(one: Running) -> None:
    job = Drafter(one.node).delete("shop-1", "draft", KEYED)

    assert [action.type for action in job.actions] == ["DELETE_DOCUMENT"]
    assert (job.scope, job.branch) == ("document", "draft")


async def test_the_platforms_actions_keep_to_their_scope(one: Running) -> None:
    drafter = Drafter(one.node)
    here = ActionRequest(type="DELETE_DOCUMENT", input={"document_id": "shop-1"}, scope="document")
    elsewhere = here.model_copy(update={"scope": "global"})

    drafter.submit(SubmitRequest(actions=[here]), "shop-1", KEYED, None)
    with pytest.raises(UnknownActionError):
        drafter.submit(SubmitRequest(actions=[elsewhere]), "shop-1", KEYED, None)


@pytest.mark.parametrize("action_type", ["UNDO", "REDO", "NOOP"])
async def test_no_input_is_the_empty_one_for_what_takes_none(
    one: Running, action_type: str
) -> None:
    drafter = Drafter(one.node)
    inputs: tuple[Any, ...] = ({}, None)
    for input in inputs:
        asked = SubmitRequest(actions=[ActionRequest(type=action_type, input=input)])
        assert drafter.submit(asked, "shop-1", KEYED, None).actions[0].input == {}


async def test_a_load_keeps_what_was_said_and_where_it_stood(one: Running) -> None:
    action = {"id": "a", "type": "UNDO", "scope": "local", "timestamp": "2999-01-01T00:00:00Z"}
    asked = LoadRequest.model_validate(
        {
            "operations": [{"action": action | {"input": None}, "index": 7, "hash": "h"}],
            "source": "berlin",
        }
    )
    job = Drafter(one.node).load(asked, "shop-1")

    assert (job.scope, job.branch, job.source) == ("local", "main", "berlin")
    assert job.id.endswith(f"-{one.node.partition_of('shop-1')}")
    (incoming,) = job.operations
    assert (incoming.index, incoming.hash, incoming.previous) == (7, "h", None)
    assert incoming.action.timestamp == "2999-01-01T00:00:00.000000Z"
    assert incoming.action.input is None


async def test_relationships_are_one_job_of_their_source(one: Running) -> None:
    edges = Edges("drive-1", CHILD, {"ids.0": "a", "ids.1": "b"}, "draft")
    job = Drafter(one.node).relate("ADD_RELATIONSHIP", edges, KEYED)

    assert (job.document_id, job.scope, job.branch) == ("drive-1", "document", "draft")
    assert [action.input["target_id"] for action in job.actions] == ["a", "b"]
    with pytest.raises(InvalidInputError, match=r"ids\.0"):
        drive = Edges("drive-1", CHILD, {"ids.0": "drive-1"}, "main")
        Drafter(one.node).relate("ADD_RELATIONSHIP", drive, KEYED)


async def test_edges_of_several_types_are_removed_by_one_job(one: Running) -> None:
    job = Drafter(one.node).unrelate("shop-1", [("child", "a"), ("cites", "a")], "draft", KEYED)

    assert (job.document_id, job.scope, job.branch) == ("shop-1", "document", "draft")
    assert [action.type for action in job.actions] == ["REMOVE_RELATIONSHIP"] * 2
    said = [(one.input["relationship_type"], one.input["target_id"]) for one in job.actions]
    assert said == [("child", "a"), ("cites", "a")]
    again = Drafter(one.node).unrelate("shop-1", [("cites", "a")], "draft", KEYED)
    assert again.actions == job.actions[1:]
