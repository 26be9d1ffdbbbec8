"""Jobs as nobody would send them, made of what everybody sends."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.support.replicas import DOCUMENT


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


TYPES = [
    *("CREATE_DOCUMENT", "UPGRADE_DOCUMENT", "DELETE_DOCUMENT", "ADD_RELATIONSHIP"),
    *("UPDATE_RELATIONSHIP", "REMOVE_RELATIONSHIP", "SET_NAME", "SET_SLUG", "SET_META"),
    *("LOAD_STATE", "NOOP", "UNDO", "REDO", "PRUNE", "ADD", "DROP", "é\x00", ""),
]
OF_HOME = [*TYPES[:12], "UPGRADE_DOCUMENT", "UNDO"]
OF_MODELS = [*TYPES[6:16], "ADD", "ADD", "UNDO", "REDO"]
FIELDS: dict[str, Any] = {
    "model": "test/words",
    "document_id": DOCUMENT,
    "source_id": DOCUMENT,
    "target_id": "d2",
    "from_version": 1,
    "to_version": 2,
    "relationship_type": "kin",
    "branch": "main",
    "word": "ash",
    "key": "k",
    "value": 1,
    "name": "n",
    "slug": "s",
    "metadata": None,
    "initial_state": {"global": {"words": ["oak"]}},
    "state": {"words": ["elm"]},
    "meta": {},
    "revision": {},
    "protocol_versions": {"base-reducer": 2},
    "version": 0,
}
OF_TYPE: dict[str, list[str]] = {
    "CREATE_DOCUMENT": ["model", "document_id"],
    "UPGRADE_DOCUMENT": ["model", "document_id", "from_version", "to_version"],
    "DELETE_DOCUMENT": ["document_id"],
    "SET_NAME": ["name"],
    "SET_SLUG": ["slug"],
    "SET_META": ["key", "value"],
    "LOAD_STATE": ["state"],
    "ADD": ["word"],
    "DROP": ["word"],
} | {
    one: ["source_id", "target_id", "relationship_type"]
    for one in ("ADD_RELATIONSHIP", "UPDATE_RELATIONSHIP", "REMOVE_RELATIONSHIP")
}
LEAVES: list[Any] = [
    *(None, True, False, 0, 1, 2, -1, 2**53, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**40),
    *(0.0, 1.0, -0.5, 1e300, "", "0", "1", "2", "9" * 40, 'é\x00"\\/', "a" * 1001, [], {}),
    *({"global": None}, {"document": {}}, {"a/b": {"x": 1}}, {"words": "oak"}, [[[]]], DOCUMENT),
    *(
        _nested(99),
        _nested(100),
        _nested(101),
        _nested(252),
        _nested(253),
        _nested(254),
        _nested(300),
    ),
]
TIMES = [f"2023-11-14T22:13:20.{at:06d}Z" for at in range(0, 15, 3)]
ODD_TIMES: list[Any] = [
    *("", "now", 5, "2023-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.9Z"),
    *("9999-12-31T23:59:59.999999Z", "2023-11-14T22:13:20Z"),
]


class AnyJobs(random.Random):
    """Job after job from a seed, as the bytes that a log would hold."""

    def leaf(self) -> Any:
        return self.choice(LEAVES)

    def given(self, kind: str) -> Any:
        if self.random() < 0.1:
            return self.leaf()
        given = {name: FIELDS[name] for name in OF_TYPE.get(kind, [])}
        if kind == "UPGRADE_DOCUMENT":
            given["from_version"], given["to_version"] = self.choice([(1, 2), (0, 1), (0, 2)])
        while self.random() < 0.3:
            name = self.choice([*given, *FIELDS])
            given[name] = self.choice([self.leaf(), FIELDS.get(name)])
        while given and self.random() < 0.1:
            del given[self.choice(list(given))]
        return given

    def context(self) -> Any:
        name = self.choice(["signer", "prev_op_index", "prev_op_hash", "nonce"])
        return None if self.random() < 0.8 else self.choice([{}, {name: self.leaf()}])

    def action(self, scope: str, *, is_load: bool) -> dict[str, Any]:
        kind = self.choice(TYPES)
        if self.random() < 0.8:
            kind = self.choice(OF_HOME if scope == "document" else OF_MODELS)
        action = {
            "id": f"{self.choice('abc')}{self.randrange(40)}",
            "type": kind,
            "scope": scope,
            "input": self.given(kind),
            "context": self.context(),
            "timestamp": self.choice(TIMES) if is_load or self.random() < 0.5 else None,
        }
        if self.random() < 0.05:
            action["timestamp"] = self.choice(ODD_TIMES)
        if self.random() < 0.03:
            action[self.choice(list(action))] = self.leaf()
        return action

    def job(self, number: int) -> bytes:
        scope = self.choice(["document", "global", "global", "local"])
        is_load = self.random() < 0.5
        actions = [
            self.action(scope, is_load=is_load) for _ in range(self.choice([0, 1, 1, 1, 2, 3]))
        ]
        job: dict[str, Any] = {
            "kind": "load" if is_load else "mutation",
            "id": f"j{number}-0",
            "document_id": DOCUMENT,
            "branch": "main",
            "scope": scope,
        }
        if is_load:
            job["operations"] = [{"action": action} for action in actions]
        else:
            job["actions"] = actions
            if self.random() < 0.1:
                job["expected_revision"] = self.leaf()
            if self.random() < 0.05:
                job["covers"] = self.leaf()
        if self.random() < 0.02:
            job[self.choice(list(job))] = self.leaf()
        return json.dumps(job).encode()
