"""What one version of a model says about each scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.errors import InvalidModelError
from docreactor.pipeline.form import Form, JsonForm
from docreactor.pipeline.reducer import Reducer
from docreactor.pipeline.state import invalid_state


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A step to a version: from the old state to the new one. `form` is None where it stays."""

    function: Callable[[Any], Any]
    form: Form | None


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in one scope: the form of its states, its reducers by action type.

    `upgrade` turns a state of the version before into one of this; None where it stays as it is.
    """

    form: Form
    reducers: Mapping[str, Reducer]
    upgrade: Callable[[Any], Any] | None = None

    def apply(self, reducer: Reducer, state: Any, content: bytes, context: Any) -> Any:
        """The state after one action whose input is this canonical JSON.

        Raises InvalidInput, InvalidState for a result that is none, or what the reducer raised.
        """
        input = reducer.parse(content)
        try:
            if reducer.takes_context:
                result = reducer.function(state, input, context)
            else:
                result = reducer.function(state, input)
        except ValidationError as cause:
            raise invalid_state(reducer.action_type, cause) from cause
        return self.form.accept(result, reducer.action_type)

    def step(self, state: Any, where: str) -> Any:
        """The state of this version from one of the version before.

        Raises InvalidState for a result that is none, or what the author's function raised.
        """
        if self.upgrade is None:
            return state
        try:
            result = self.upgrade(state)
        except ValidationError as cause:
            raise invalid_state(where, cause) from cause
        return self.form.accept(result, where)


_PLATFORM = Rules(JsonForm(), {})
"""The document scope: no reducer of an author's works there."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of a model: rules of their own for the named scopes, shared ones for the rest."""

    named: Mapping[str, Rules]
    shared: Rules

    def rules(self, scope: str) -> Rules:
        """What holds in this scope; any name is one."""
        return self.named.get(scope, self.shared)

    @property
    def scopes(self) -> list[str]:
        """`global`, which is where actions go by default, and the named ones."""
        return sorted({"global", *self.named} - {DOCUMENT_SCOPE})


def editions(
    document_type: str,
    forms: Mapping[str | None, Form],
    reducers: Mapping[tuple[str, str | None, int], Reducer],
    upgrades: Mapping[tuple[int, str | None], Upgrade],
) -> dict[int, Edition]:
    """Every version from 1 to the newest one mentioned. InvalidModel for a gap between them.

    Forms and upgrades are by scope, None for every scope without its own.
    """
    mentioned = {1} | {version for *_, version in reducers} | {to for to, _ in upgrades}
    newest = max(mentioned)
    if missing := set(range(1, newest)) - mentioned:
        raise InvalidModelError(
            f"{document_type} has version {newest} but nothing of version {min(missing)}: "
            "number the versions without a gap"
        )
    scopes = {scope for _, scope, _ in reducers} | {scope for _, scope in upgrades} | {*forms}
    made: dict[int, Edition] = {}
    for version in range(1, newest + 1):
        forms, steps = _step(version, scopes, forms, upgrades)
        rules = {
            scope: Rules(
                forms.get(scope, forms[None]),
                _serving(reducers.values(), scope, version),
                None if (step := steps.get(scope)) is None else step.function,
            )
            for scope in scopes
        }
        named = {scope: rule for scope, rule in rules.items() if scope is not None}
        made[version] = Edition({**named, DOCUMENT_SCOPE: _PLATFORM}, rules[None])
    return made


def _step(
    version: int,
    scopes: Iterable[str | None],
    forms: Mapping[str | None, Form],
    upgrades: Mapping[tuple[int, str | None], Upgrade],
) -> tuple[Mapping[str | None, Form], Mapping[str | None, Upgrade]]:
    """The forms of this version from those of the one before, and the upgrade of each scope."""
    after, steps = dict(forms), dict[str | None, Upgrade]()
    for scope in scopes:
        step = upgrades.get((version, scope))
        if step is not None:
            after[scope] = step.form or forms.get(scope, forms[None])
        elif scope not in forms:
            step = upgrades.get((version, None))
        if step is not None:
            steps[scope] = step
    return after, steps


def _serving(reducers: Iterable[Reducer], scope: str | None, version: int) -> Mapping[str, Reducer]:
    """Of each action type the reducer that is bound to the scope, else the newest of the shared."""
    fitting = [r for r in reducers if r.version <= version and r.scope in (None, scope)]
    fitting.sort(key=lambda reducer: (reducer.scope is not None, reducer.version))
    return {reducer.action_type: reducer for reducer in fitting}
