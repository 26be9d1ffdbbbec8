"""The Faust program that does the same work."""

from __future__ import annotations

from pathlib import Path

from docreactor.bench.plain_faust import FaustSettings, open_app, reduce
from docreactor.bench.stock import SET_COUNT, stock
from docreactor.bench.workload import SCOPE, Workload
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.context import Context, Origin
from docreactor.pipeline.job import Mutation


def test_it_makes_of_the_same_jobs_the_same_states_as_the_model() -> None:
    context = Context("", "a", None, Origin("d", stock.document_type, "main", ""))
    plain: dict[str, object] = {}
    state = stock.initial(1, SCOPE)

    for job in Workload(partitions=1, documents=1).changes(50, per_job=1):
        (action,) = Mutation.decode(job.entry.value or b"").actions
        plain = reduce(plain, action.input)
        state = stock.apply(1, SCOPE, SET_COUNT, state, action.input, context)

    assert encode({"counts": plain}) == stock.write(1, SCOPE, state)


def test_it_is_an_agent_with_a_rocksdb_table_on_topics_of_its_own(tmp_path: Path) -> None:
    settings = FaustSettings(broker="localhost:1", data=tmp_path, partitions=3)

    app = open_app(settings)

    assert [name.rpartition(".")[2] for name in app.agents] == ["reducer"]
    assert str(app.conf.store) == "rocksdb:"
    assert app.tables["states"].partitions == 3
