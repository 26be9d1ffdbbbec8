"""The graph of the measurements."""

from __future__ import annotations

from collections import Counter

import pytest

from docreactor.bench.folders import Folders, folder_id
from docreactor.pipeline.job import Mutation


def edges_of(folders: Folders) -> list[tuple[str, str]]:
    jobs = [Mutation.decode(job.entry.value or b"") for job in folders.relations()]
    return [(job.document_id, action.input["target_id"]) for job in jobs for action in job.actions]


@pytest.mark.parametrize("count", [100, 250, 1_000, 12_345])
def test_there_are_as_many_edges_as_were_asked_for_and_none_twice(count: int) -> None:
    edges = edges_of(Folders(partitions=2, edges=count))

    assert len(edges) == len(set(edges)) == count


def test_every_folder_is_created_and_is_below_the_first_one() -> None:
    folders = Folders(partitions=2, edges=3_000)
    created = {Mutation.decode(job.entry.value or b"").document_id for job in folders.creations()}
    parents = {child: parent for parent, child in edges_of(folders) if child in created}

    assert created == {folder_id(number) for number in range(30)}
    for number in range(30):
        way = [folder_id(number)]
        while way[-1] in parents:
            way.append(parents[way[-1]])
        assert way == folders.above(number)
        assert way[-1] == folder_id(0)


def test_some_leaves_are_in_two_folders_as_it_says() -> None:
    folders = Folders(partitions=2, edges=3_000)
    edges = edges_of(folders)
    holders = Counter(child for _, child in edges if child.startswith("leaf"))

    assert set(holders.values()) == {1, 2}
    for number in range(folders.count):
        first = next(child for child in folders.held(number) if child.startswith("leaf"))
        of_first = {parent for parent, child in edges if child == first}
        expected = {folder_id(one) for one in (number, *folders.sharing(number))}
        assert of_first == expected
