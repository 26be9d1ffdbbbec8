"""Commands that tell of a deployment."""

from __future__ import annotations

from tests.gateway.cli.running import say
from tests.gateway.deployment import TODO_TYPE, several_nodes


async def test_status_models_and_jobs_are_shown() -> None:
    async with several_nodes(1, http_token="open sesame") as (only,):
        url = str(only.http.base_url)
        job = await only.create("shop-1")
        told = {
            "status": await say("status", "--token", "open sesame", url=url),
            "models": await say("models", url=url, DOCREACTOR_HTTP_TOKEN="open sesame"),
            "job": await say(
                "job", job["id"], "--json", url=url, DOCREACTOR_HTTP_TOKEN="open sesame"
            ),
        }
        refused = await say("status", url=url)

    assert [one.code for one in told.values()] == [0, 0, 0]
    assert told["status"].out.count("RUNNING") == 24
    assert "view documents" in told["status"].out
    assert "view relationships" in told["status"].out
    assert TODO_TYPE in told["models"].out
    assert "COMPLETE_ITEM" in told["models"].out
    assert told["job"].json["status"] == "READ_READY"
    assert refused.code == 1
    assert refused.err.startswith("Unauthorized: ")


async def test_status_tells_what_is_ready_and_is_narrowed() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        await only.create("shop-1")
        here = only.node.partition_of("shop-1")
        every = await say("status", url=url)
        narrowed = await say(
            "status", "--model", "documents", "--partition", str(here), "--json", url=url
        )

    assert "required  documents" in every.out
    assert f"{here}: " in every.out.rpartition("ready")[2]
    assert [row["name"] for row in narrowed.json["positions"]] == ["documents"]
    assert narrowed.json["ready"].keys() == {str(here)}


async def test_what_was_written_is_waited_for() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        job = await only.create("shop-1")
        by_token = await say("wait", "--after", job["token"], "--json", url=url)
        by_place = await say(
            "wait",
            "--coordinates",
            "shop-1/document/main/0",
            "--coordinates",
            "shop-1/document/main/1",
            "--model",
            "documents",
            url=url,
        )
        late = await say(
            "wait", "--coordinates", "shop-1/global/main/9", "--timeout-ms", "10", url=url
        )
        wrong = await say("wait", "--coordinates", "shop-1/9", url=url)

    assert by_token.json["token"] == job["token"]
    assert by_place.out.startswith("token")
    assert (late.code, late.err.partition(":")[0]) == (1, "NotYetVisible")
    assert wrong.code == 2
    assert "DOC/SCOPE/BRANCH/INDEX" in wrong.err


async def test_every_setting_is_shown_with_its_meaning_and_no_secret() -> None:
    said = await say("settings", DOCREACTOR_HTTP_TOKEN="open sesame", DOCREACTOR_PARTITIONS="3")
    listed = await say("settings", "--json", DOCREACTOR_PARTITIONS="3")

    assert "DOCREACTOR_PARTITIONS" in said.out
    assert "DOCREACTOR_HTTP_TOKEN" in said.out
    assert "open sesame" not in said.out
    row = next(one for one in listed.json if one["variable"] == "DOCREACTOR_PARTITIONS")
    assert (row["value"], row["default"]) == (3, 8)
    assert "partitions" in row["meaning"]


async def test_a_setting_that_cannot_be_is_named() -> None:
    said = await say("settings", DOCREACTOR_PARTITIONS="many")

    assert said.code == 1
    assert said.err.startswith("InvalidSetting: partitions: ")
    assert said.err.count("\n") == 1


async def test_nobody_at_the_address_is_named() -> None:
    said = await say("status", url="http://127.0.0.1:9")

    assert said.code == 1
    assert said.err.startswith("ServerUnreachable: no reactor answers at http://127.0.0.1:9")
    assert said.err.count("\n") == 1
