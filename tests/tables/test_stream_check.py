"""Each thing that can be wrong with a stream is found under its name, once, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from docreactor.pipeline.canonical import decode, digest, encode
from docreactor.pipeline.finding import Fault
from docreactor.tables.store import Row
from tests.tables.verifiable import GLOBAL, Verifiable


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (lambda stored: stored["action"].update(input={"text": "other"}),
         [(Fault.HASH_MISMATCH, 9), (Fault.BROKEN_CHAIN, 10)]),
        (lambda stored: stored.update(hash="other"),
         [(Fault.HASH_MISMATCH, 9), (Fault.BROKEN_CHAIN, 10)]),
        (lambda stored: stored.update(id="0" * 32),
         [(Fault.WRONG_ID, 9), (Fault.BROKEN_CHAIN, 10)]),
        (lambda stored: stored.update(index=4),
         [(Fault.WRONG_INDEX, 9), (Fault.BROKEN_CHAIN, 10)]),
        (lambda stored: stored.update(skip=12),
         [(Fault.INVALID_SKIP, 9), (Fault.BROKEN_CHAIN, 10)]),
        (lambda stored: stored.update(previous="other"),
         [(Fault.BROKEN_CHAIN, 9), (Fault.BROKEN_CHAIN, 10)]),
        (lambda stored: stored.update(timestamp="2001-01-01T00:00:00.000000Z"),
         [(Fault.BROKEN_CHAIN, 10), (Fault.OUT_OF_ORDER, 9)]),
    ],
)  # fmt: skip
async def test_a_changed_operation_is_found(
    change: Callable[[dict[str, Any]], Any], faults: list[tuple[Fault, int]]
) -> None:
    place = Verifiable.filled(20)

    place.change(9, change)

    assert await place.faults() == faults


@pytest.mark.parametrize("count", [100, 101, 140])
async def test_what_is_not_listed_of_very_many_findings_is_counted(count: int) -> None:
    place = Verifiable.filled(150)
    for index in range(1, count):
        place.change(index, lambda stored: stored.update(previous="other"))

    *listed, last = (await place.verdict()).findings

    if count == 100:
        assert (len(listed), last.fault) == (99, Fault.BROKEN_CHAIN)
        return
    assert [one.fault for one in listed] == [Fault.BROKEN_CHAIN] * 100
    assert (last.fault, last.index, last.scope) == (Fault.MORE_FINDINGS, None, GLOBAL.scope)
    assert last.detail == f"{count - 100} more of this stream are not listed"


async def test_a_missing_operation_is_found() -> None:
    place = Verifiable.filled()

    place.put(9, None)

    assert await place.faults() == [(Fault.INDEX_GAP, 10)]


async def test_missing_operations_at_the_end_are_found() -> None:
    place = Verifiable.filled()

    place.put(29, None)

    assert (Fault.INDEX_GAP, 29) in await place.faults()
    assert (Fault.HEAD_DIFFERS, None) in await place.faults()


async def test_a_head_that_is_not_the_last_operations_is_found() -> None:
    place = Verifiable.filled()
    head = place.written.operations.head(GLOBAL)
    assert head is not None
    place.written.write(
        [place.written.operations.head_row(GLOBAL, head._replace(previous="other"))]
    )

    assert await place.faults() == [(Fault.HEAD_DIFFERS, None)]


async def test_bytes_that_are_no_operation_are_found() -> None:
    place = Verifiable.filled()

    place.put(9, b"{}")

    assert await place.faults() == [(Fault.UNDECODABLE, 9), (Fault.BROKEN_CHAIN, 10)]


@pytest.mark.parametrize("content", [b"", b"{}", b"not", None])
async def test_a_corrupt_keyframe_is_found_and_makes_no_other_findings(
    content: bytes | None,
) -> None:
    place = Verifiable.filled()

    place.keep(12, content=content or place.written.keyframe(GLOBAL, 11))

    assert await place.faults() == [(Fault.CORRUPT_KEYFRAME, 12)]


async def test_a_keyframe_of_a_changed_state_is_found() -> None:
    place = Verifiable.filled()
    kept = decode(place.written.keyframe(GLOBAL, 12))
    kept["state"]["lines"][3] = "other"

    place.keep(12, content=encode(kept))
    assert await place.faults() == [(Fault.CORRUPT_KEYFRAME, 12)]

    kept["hash"] = digest(encode(kept["state"]))
    place.keep(12, content=encode(kept))
    assert await place.faults() == [(Fault.CORRUPT_KEYFRAME, 12)]


async def test_a_keyframe_without_its_operation_is_found() -> None:
    place = Verifiable.filled()

    place.keep(90, content=place.written.keyframe(GLOBAL, 12))

    assert await place.faults() == [(Fault.CORRUPT_KEYFRAME, 90)]


@pytest.mark.parametrize("row", [b"{}", None])
async def test_a_row_of_the_view_that_is_lost_is_found(row: bytes | None) -> None:
    place = Verifiable.filled()

    place.view.write([Row(b"s/d/global/main/", row)], {}, now_ms=1)

    assert await place.faults() == [(Fault.VIEW_DIFFERS, None)]


async def test_a_row_of_the_view_that_shows_something_else_is_found() -> None:
    place = Verifiable.filled()
    row = decode(place.written.keyframe(GLOBAL, 29))
    row["state"]["lines"][3] = "other"
    row["hash"] = digest(encode(row["state"]))

    place.view.write([Row(b"s/d/global/main/", encode(row))], {}, now_ms=1)

    assert await place.faults() == [(Fault.VIEW_DIFFERS, 29)]


async def test_a_view_that_is_behind_is_right_as_far_as_it_is() -> None:
    place = Verifiable.filled()

    place.written.add(GLOBAL, 5)

    assert await place.faults() == []


async def test_a_view_ahead_of_the_log_is_found() -> None:
    place = Verifiable.filled(5)
    row = decode(place.written.keyframe(GLOBAL, 4)) | {"label": 5}

    place.view.write([Row(b"s/d/global/main/", encode(row))], {}, now_ms=1)

    assert await place.faults() == [(Fault.VIEW_DIFFERS, 5)]


async def test_a_reshuffled_history_is_right() -> None:
    place = Verifiable.filled(12)
    stored = decode(place.written.operations.get(GLOBAL, 9) or b"")
    moved = [decode(place.written.operations.get(GLOBAL, i) or b"")["action"] for i in (10, 11)]
    between = stored["timestamp"].replace("000Z", "500Z")

    place.written.append(GLOBAL, {"text": "late"}, skip=2, timestamp=between)
    for action in moved:
        place.written.append(GLOBAL, **action | {"action_type": action.pop("type")})
    place.show()

    assert await place.faults() == []


async def test_a_skip_into_the_middle_of_what_superseded_others_is_found() -> None:
    place = Verifiable.filled(6)
    place.written.append(GLOBAL, {"text": "a"}, skip=3)
    place.written.append(GLOBAL, {"text": "b"}, skip=2)
    place.show()

    assert (Fault.INVALID_SKIP, 7) in await place.faults()


async def test_the_loop_gets_its_turn_on_a_long_stream() -> None:
    place = Verifiable.filled(1_500)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    assert await place.faults() == []
    counting.cancel()

    assert turns > 15
