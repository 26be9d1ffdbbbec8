"""Commands that change documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.cli.running import say
from tests.gateway.deployment import TODO_TYPE, several_nodes


async def test_a_document_is_created_changed_and_deleted(tmp_path: Path) -> None:
    actions = tmp_path / "actions.json"
    actions.write_text('[{"type": "ADD_ITEM", "input": {"text": "Bread"}}]')
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        created = await say("create", TODO_TYPE, "--id", "shop-1", "--json", url=url)
        inline = await say("submit", "shop-1", "ADD_ITEM", '{"text": "Milk"}', url=url)
        read = await say("submit", "shop-1", "ADD_ITEM", "-", url=url, stdin='{"text": "Tea"}')
        many = await say("submit", "shop-1", "--actions", f"@{actions}", "--json", url=url)
        child = await say("create", TODO_TYPE, "--parent", "shop-1", "--json", url=url)
        document = await only.reactor.get("shop-1")
        deleted = await say("delete", "shop-1", "--wait", "none", "--json", url=url)

    assert [one.code for one in (created, inline, read, many, deleted)] == [0] * 5
    assert child.json["document_id"] != "shop-1"
    assert document.header.revision["document"] == 3
    assert created.json["status"] == "READ_READY"
    assert "READ_READY" in inline.out
    assert many.json["token"] != ""
    assert document.state["global"]["items"] == ["Milk", "Tea", "Bread"]
    assert deleted.json["status"] == "PENDING"


async def test_a_deletion_takes_children_along_and_says_so() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        await only.create("a")
        await only.create("b")
        job = await only.reactor.add_children("a", ["b", "nobody"], wait="read")
        deleted = await say("delete", "a", "--cascade", "children", "--after", job.token, url=url)
        again = await say("delete", "a", "--cascade", "edges", url=url)
        wrong = await say("delete", "a", "--cascade", "all", url=url)
        b = await say("get", "b", url=url)

    assert deleted.code == 0
    assert "With it went 3 other jobs; 1 failed." in deleted.out
    assert "DocumentNotFound" in deleted.out
    assert (again.code, again.err.partition(":")[0]) == (1, "DocumentDeleted")
    assert wrong.code == 2
    assert b.err.startswith("DocumentDeleted: ")


async def test_a_refusal_is_one_line_by_name_and_exit_code_1() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        for arguments, name in (
            (("create", "example/nothing"), "UnknownModel"),
            (("create", TODO_TYPE, "--id", "a/b"), "InvalidInput"),
            (("submit", "nobody", "ADD_ITEM", '{"text": "a"}'), "DocumentNotFound"),
        ):
            said = await say(*arguments, url=url)
            assert (said.code, said.out) == (1, "")
            assert said.err.startswith(f"{name}: ")
            assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("submit", "shop-1", "ADD_ITEM", "{text"), 1, "InvalidInput: INPUT: is not JSON"),
        (("submit", "shop-1", "ADD_ITEM", "@missing.json"), 1, "cannot read missing.json"),
        (("submit", "shop-1", "--actions", "3"), 1, "InvalidInput: --actions: must be a list"),
        (("create", TODO_TYPE, "--meta", "[]"), 1, "InvalidInput: --meta: must be a JSON object"),
        (("submit", "shop-1"), 2, "TYPE"),
        (("submit", "shop-1", "A", "{}", "--actions", "[]"), 2, "--actions"),
    ],
)
async def test_bad_input_is_refused_before_anything_is_sent(
    arguments: tuple[str, ...], code: int, told: str
) -> None:
    said = await say(*arguments, url="http://127.0.0.1:9")

    assert (said.code, said.out) == (code, "")
    assert told in said.err
    assert "Traceback" not in said.err
