"""Jobs about documents of words, drawn by chance: every kind there is, in any order."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from docreactor.agents.clock import SystemClock
from docreactor.pipeline.action import DOCUMENT_SCOPE, Action
from docreactor.pipeline.job import Erasure, Incoming, Job, Load, Mutation
from docreactor.pipeline.keys import Stream, partition_for
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.timestamp import Microseconds, render
from tests.support.words import words

BEGIN_US = 1_700_000_000_000_000
TICK_US = 10
NEVER = "never"
"""A document that nobody creates: what is loaded into it waits."""
NAMES = ("a", "b", "c", "d", "f")
BRANCHES = ("main", "main", "main", "draft")
SCOPES = (DOCUMENT_SCOPE, DOCUMENT_SCOPE, DOCUMENT_SCOPE, "global", "global", "global", "local")
TARGETS = ("a", "d", "elsewhere")
SLUGS = ("", "b", "spring", "spring", "autumn")
WORDS = ("ash", "bay", "cup")
MODEL = words.document_type


@dataclass(slots=True)
class Ticks(SystemClock):
    """Wall time that moves on a little whenever somebody looks."""

    us: int = BEGIN_US

    def now_us(self) -> Microseconds:
        self.us += TICK_US
        return Microseconds(self.us)


@dataclass(slots=True)
class DrawnJobs:
    """Draws one job after the other, for documents spread over so many partitions.

    Times that are brought along lie between the beginning and what `clock` has come to.
    """

    chance: random.Random
    partitions: int
    clock: Ticks
    names: list[str] = field(default_factory=lambda: [*NAMES])
    count: int = 0
    asked: list[Mutation] = field(default_factory=list[Mutation])
    ids: list[str] = field(default_factory=list[str])

    def some(self, count: int) -> list[Job]:
        """So many jobs more."""
        return [self._one() for _ in range(count)]

    def creations(self) -> list[Job]:
        """Jobs that create most documents."""
        homes = [
            Stream(name, DOCUMENT_SCOPE, branch)
            for name in self.names
            for branch in dict.fromkeys(BRANCHES)
        ]
        return [self._creation(home) for home in homes if self.chance.random() < 0.7]

    def waiting(self) -> list[Job]:
        """Jobs that wait for a document that never comes."""
        return [self._load(Stream(NEVER, scope, "main"), self._any) for scope in _MODEL_SCOPES]

    def _one(self) -> Job:
        chance = self.chance
        stream = Stream(chance.choice(self.names), chance.choice(SCOPES), chance.choice(BRANCHES))
        luck = chance.random()
        if luck < 0.02:
            return self._erasure(stream.document_id)
        if luck < 0.07 and self.asked:
            return self._again()
        if luck < 0.12:
            return self._creation(stream.home)
        return self._load(stream, self._any) if luck < 0.55 else self._mutation(stream, self._any)

    def _creation(self, home: Stream) -> Job:
        draw = self._load if self.chance.random() < 0.2 else self._mutation
        return draw(home, self._creating)

    def _erasure(self, document_id: str) -> Erasure:
        """Its id can never be used again: another document takes its place."""
        if document_id in self.names and len(document_id) < 3:
            self.names[self.names.index(document_id)] = f"{document_id}{self.count}"
        return Erasure(self._job_id(document_id), document_id)

    def _again(self) -> Mutation:
        """A job whose actions are known, or whose ids are."""
        chance, before = self.chance, self.chance.choice(self.asked)
        actions = before.actions
        if chance.random() < 0.3:
            actions = tuple(Action(one.id, "NOOP", one.scope) for one in actions)
        return Mutation(
            id=self._job_id(before.document_id),
            document_id=before.document_id,
            branch=before.branch,
            scope=before.scope,
            actions=actions,
        )

    def _mutation(self, stream: Stream, draw: Any) -> Mutation:
        chance = self.chance
        stamp = self._time if chance.random() < 0.3 else lambda: None
        actions = [
            Action(self._action_id(), kind, stream.scope, stamp(), given)
            for kind, given in draw(stream)
        ]
        job = Mutation(
            id=self._job_id(stream.document_id),
            document_id=stream.document_id,
            branch=stream.branch,
            scope=stream.scope,
            actions=tuple(actions),
            expected_revision=chance.randint(0, 9) if chance.random() < 0.05 else None,
            depends_on=self._dependencies(),
        )
        self.asked.append(job)
        return job

    def _load(self, stream: Stream, draw: Any) -> Load:
        chance = self.chance
        actions = [
            StoredAction(self._action_id(), kind, stream.scope, self._time(), given)
            for kind, given in draw(stream)
        ]
        return Load(
            id=self._job_id(stream.document_id),
            document_id=stream.document_id,
            branch=stream.branch,
            scope=stream.scope,
            operations=tuple(Incoming(one) for one in actions),
            source=chance.choice([None, "elsewhere"]),
            depends_on=self._dependencies(),
        )

    def _dependencies(self) -> tuple[str, ...]:
        """Jobs that were asked for before, of any partition."""
        if self.chance.random() < 0.9 or len(self.ids) < 2:
            return ()
        return tuple(sorted({*self.chance.choices(self.ids[:-1], k=2)}))

    def _creating(self, stream: Stream) -> list[tuple[str, dict[str, Any]]]:
        chance, given = self.chance, {"model": MODEL, "document_id": stream.document_id}
        created: dict[str, Any] = {**given, "branch": stream.branch, "name": "new"}
        upgraded: dict[str, Any] = {**given, "from_version": 0, "to_version": 1}
        if chance.random() < 0.5:
            created["slug"] = chance.choice(SLUGS)
        if chance.random() < 0.3:
            upgraded["initial_state"] = {chance.choice(["global", "local"]): {"words": ["oak"]}}
        if chance.random() < 0.3:
            upgraded["to_version"] = 2
        return [("CREATE_DOCUMENT", created), ("UPGRADE_DOCUMENT", upgraded)]

    def _any(self, stream: Stream) -> list[tuple[str, dict[str, Any]]]:
        draw = self._home if stream.scope == DOCUMENT_SCOPE else self._model
        return [draw(stream) for _ in range(self.chance.choice([1, 1, 1, 2, 4]))]

    def _model(self, stream: Stream) -> tuple[str, dict[str, Any]]:
        chance = self.chance
        word = chance.choice(WORDS)
        kind = chance.choice(["ADD", "ADD", "ADD", "DROP", "DROP", "LOAD_STATE", *_ANYWHERE])
        if kind in ("ADD", "DROP"):
            return kind, {"word": word}
        if kind == "LOAD_STATE":
            return kind, {"state": {"words": [word, word]}}
        return kind, self._header(kind)

    def _home(self, stream: Stream) -> tuple[str, dict[str, Any]]:
        chance = self.chance
        kind = chance.choice([*_EDGES, *_EDGES, "UPGRADE", *_ANYWHERE])
        if chance.random() < 0.04:
            return "DELETE_DOCUMENT", {"document_id": stream.document_id}
        if kind == "UPGRADE":
            versions = {"from_version": 1, "to_version": chance.choice([1, 2])}
            return "UPGRADE_DOCUMENT", {
                "model": MODEL,
                "document_id": stream.document_id,
                **versions,
            }
        if kind in _ANYWHERE:
            return kind, self._header(kind)
        given: dict[str, Any] = {
            "source_id": stream.document_id,
            "target_id": chance.choice(TARGETS),
            "relationship_type": chance.choice(["child", "child", "link"]),
        }
        if kind != "REMOVE" and chance.random() < 0.7:
            given["metadata"] = chance.choice([None, 1, {"n": 1.0}])
            given["weight"] = chance.choice([None, 0.5])
        return f"{kind}_RELATIONSHIP", given

    def _header(self, kind: str) -> dict[str, Any]:
        chance = self.chance
        if kind == "SET_NAME":
            return {"name": chance.choice([None, "x", "y"])}
        if kind == "SET_SLUG":
            return {"slug": chance.choice(SLUGS)}
        if kind == "SET_META":
            return {"key": chance.choice("kl"), "value": chance.choice([None, 1, [2]])}
        return {}

    def _time(self) -> str:
        ticks = (self.clock.us - BEGIN_US) // TICK_US
        moment = BEGIN_US + TICK_US * self.chance.randint(0, ticks)
        return render(Microseconds(moment))

    def _action_id(self) -> str:
        self.count += 1
        return f"{self.chance.choice('abxyz')}{self.count}"

    def _job_id(self, document_id: str) -> str:
        self.count += 1
        job_id = f"j{self.count}-{partition_for(document_id, self.partitions)}"
        self.ids.append(job_id)
        return job_id


_MODEL_SCOPES = ("global", "local")
_EDGES = ("ADD", "ADD", "UPDATE", "UPDATE", "REMOVE")
_ANYWHERE = ("UNDO", "UNDO", "REDO", "NOOP", "SET_NAME", "SET_SLUG", "SET_SLUG", "SET_META")
