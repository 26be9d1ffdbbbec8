"""A type of document, as its author writes it: states, actions and upgrades."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, TypeVar, overload

from docreactor.pipeline.canonical import JSON
from docreactor.pipeline.context import Context
from docreactor.pipeline.document import FIRST_VERSION
from docreactor.pipeline.edition import Edition, Rules, Upgrade, editions
from docreactor.pipeline.errors import (
    DowngradeNotSupportedError,
    InvalidModelError,
    UnknownActionError,
    UnknownModelError,
    UpgradeFailedError,
)
from docreactor.pipeline.form import Form, StateClass, form_of
from docreactor.pipeline.reducer import (
    Reducer,
    check_plain,
    check_scope,
    check_version,
    input_content,
    reducer_of,
)

F = TypeVar("F", bound=Callable[..., Any])

_DOCUMENT_TYPE = re.compile(r"[A-Za-z0-9/._-]{1,200}", re.ASCII)


class DocumentModel:
    """What documents of one type hold and what their actions do.

    `state` is a class derived from State, or `dict` for free JSON; every scope but `document` holds
    one. `scopes` gives scopes a class of their own. Whatever cannot work is InvalidModel where it
    is defined. A document without a version, 0 or None, has the first one, never the newest.
    """

    def __init__(
        self,
        document_type: str,
        *,
        state: StateClass,
        scopes: Mapping[str, StateClass] | None = None,
    ) -> None:
        if not _DOCUMENT_TYPE.fullmatch(document_type):
            raise InvalidModelError(
                f"document type {document_type!r} must match {_DOCUMENT_TYPE.pattern}"
            )
        self.document_type = document_type
        frame = _caller(inspect.currentframe())
        self.defined_at = f"{frame.f_globals.get('__name__', '?')}:{frame.f_lineno}"
        self._forms: dict[str | None, Form] = {None: form_of(state, document_type)}
        for scope, kind in (scopes or {}).items():
            check_scope(scope, document_type)
            self._forms[scope] = form_of(kind, document_type)
        self._reducers: dict[tuple[str, str | None, int], Reducer] = {}
        self._upgrades: dict[tuple[int, str | None], Upgrade] = {}
        self._editions: dict[int, Edition] = {}

    def __repr__(self) -> str:
        return f"DocumentModel({self.document_type!r}, {self.defined_at})"

    @overload
    def action(self, function: F, /) -> F: ...
    @overload
    def action(
        self, /, *, type: str | None = None, scope: str | None = None, version: int = 1
    ) -> Callable[[F], F]: ...
    def action(
        self,
        function: F | None = None,
        /,
        *,
        type: str | None = None,
        scope: str | None = None,
        version: int = 1,
    ) -> F | Callable[[F], F]:
        """Make a function the reducer of an action: `(state, input)` or `(state, input, context)`.

        The type is the function's name in capitals unless given. Without `scope` it serves every
        scope; one bound to a scope wins there. From `version` on it replaces an earlier one.
        """
        names = _caller(inspect.currentframe()).f_locals

        def bind(function: F) -> F:
            reducer = reducer_of(
                function, action_type=type, scope=scope, version=version, names=names
            )
            key = (reducer.action_type, scope, version)
            if key in self._reducers:
                raise InvalidModelError(
                    f"{self.document_type} has two reducers of {reducer.action_type} "
                    f"in {scope or 'every scope'} from version {version} on: keep one"
                )
            self._reducers[key] = reducer
            self._editions = {}
            return function

        return bind if function is None else bind(function)

    def upgrade(
        self, *, to: int, state: StateClass | None = None, scope: str | None = None
    ) -> Callable[[F], F]:
        """Make a function the step from version `to` - 1: `(old state) -> new state`.

        `state` is the class of the new states; without it the class stays. Without `scope` the step
        is for every scope that has no class of its own.
        """

        def bind(function: F) -> F:
            where: str = getattr(function, "__name__", repr(function))
            check_plain(function, where)
            check_scope(scope, where)
            check_version(to, where, least=2)
            if len(inspect.signature(function).parameters) != 1:
                raise InvalidModelError(f"{where}: an upgrade takes the old state and nothing else")
            if (to, scope) in self._upgrades:
                raise InvalidModelError(
                    f"{self.document_type} has two upgrades of {scope or 'every scope'} to version "
                    f"{to}: keep one"
                )
            form = None if state is None else form_of(state, where)
            self._upgrades[to, scope] = Upgrade(function, form)
            self._editions = {}
            return function

        return bind

    @property
    def version(self) -> int:
        """The newest version; new documents start with it."""
        return max(self._editions or self._compile())

    def initial(self, version: int | None, scope: str, given: JSON = None) -> Any:
        """What the scope of a new document shows: the defaults, or what its creator gave.

        Raises InvalidInput for what does not fit.
        """
        form = self.rules(version, scope).form
        return form.initial if given is None else form.given(given, f"initial_state.{scope}")

    def load_state(self, version: int | None, scope: str, given: JSON) -> Any:
        """A whole state as a caller gives it. InvalidInput names the field below `state`."""
        return self.rules(version, scope).form.given(given, "state")

    def read(self, version: int | None, scope: str, content: bytes) -> Any:
        """The state behind its canonical JSON. Raises UndecodableRecord."""
        return self.rules(version, scope).form.read(content)

    def write(self, version: int | None, scope: str, state: Any) -> bytes:
        """The state's canonical JSON. Raises InvalidState for what JSON cannot say."""
        return self.rules(version, scope).form.write(state)

    def apply(
        self,
        version: int | None,
        scope: str,
        action_type: str,
        state: Any,
        input: JSON,
        context: Context,
    ) -> Any:
        """The state after one action; nobody can change it.

        Raises UnknownAction, InvalidInput, InvalidState for a result that is none, or what the
        reducer raised. Neither `state` nor `input` can be changed by the reducer.
        """
        rules = self.rules(version, scope)
        reducer = self.reducer(rules, scope, action_type)
        return rules.apply(reducer, state, input_content(input), context)

    def check(self, version: int | None, scope: str, action_type: str, input: JSON) -> None:
        """Raises UnknownAction, or InvalidInput naming the field and the reason."""
        reducer = self.reducer(self.rules(version, scope), scope, action_type)
        reducer.parse(input_content(input))

    def upgrade_path(self, from_version: int | None, to_version: int) -> tuple[int, ...]:
        """The versions to step to, in order; empty when it is there already.

        Raises DowngradeNotSupported for a way back, UnknownModel for a version that it lacks.
        """
        before = from_version or FIRST_VERSION
        if before > to_version:
            raise DowngradeNotSupportedError(
                self.document_type, from_version=before, to_version=to_version
            )
        for version in (before, to_version):
            self._edition(version)
        return tuple(range(before + 1, to_version + 1))

    def migrate(self, from_version: int | None, to_version: int, scope: str, state: Any) -> Any:
        """The state of a later version, one step after the other; nobody can change it.

        Raises as `upgrade_path` does, and UpgradeFailed for a step that raises or gives no state.
        """
        for version in self.upgrade_path(from_version, to_version):
            state = self._step(version, scope, state)
        return state

    def describe(self) -> JSON:
        """Everything a client needs to know, as JSON: versions, scopes, actions, schemas."""
        newest = self._edition(self.version)
        return {
            "document_type": self.document_type,
            "version": self.version,
            "versions": sorted(self._editions),
            "scopes": newest.scopes,
            "actions": [
                {
                    "type": reducer.action_type,
                    "scope": reducer.scope,
                    "version": reducer.version,
                    "schema": reducer.schema(),
                }
                for reducer in sorted(self._reducers.values(), key=_by_type)
            ],
            "state": {scope: newest.rules(scope).form.schema() for scope in newest.scopes},
        }

    def rules(self, version: int | None, scope: str) -> Rules:
        """What holds in a scope at a version. UnknownModel for a version that it lacks."""
        return self._edition(version).rules(scope)

    def reducer(self, rules: Rules, scope: str, action_type: str) -> Reducer:
        """The reducer of an action in the scope that these rules are of, or UnknownAction."""
        reducer = rules.reducers.get(action_type)
        if reducer is None:
            raise UnknownActionError(self.document_type, action_type, scope)
        return reducer

    def _step(self, version: int, scope: str, state: Any) -> Any:
        rules, where = self.rules(version, scope), f"{scope} of version {version}"
        try:
            return rules.step(state, where)
        except MemoryError:
            raise
        except Exception as cause:
            raise UpgradeFailedError(
                self.document_type, to_version=version, scope=scope, cause=cause
            ) from cause

    def _edition(self, version: int | None) -> Edition:
        version = version or FIRST_VERSION
        edition = (self._editions or self._compile()).get(version)
        if edition is None:
            raise UnknownModelError(self.document_type, version)
        return edition

    def _compile(self) -> dict[int, Edition]:
        self._editions = editions(self.document_type, self._forms, self._reducers, self._upgrades)
        return self._editions


def _by_type(reducer: Reducer) -> tuple[str, str, int]:
    return reducer.action_type, reducer.scope or "", reducer.version


def _caller(frame: FrameType | None) -> FrameType:
    """Who called the function that this is the frame of."""
    if frame is None or frame.f_back is None:
        raise InvalidModelError("models are defined by Python code only")
    return frame.f_back
