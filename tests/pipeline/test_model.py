"""A type of document, as its author writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.context import Context, Origin
from docreactor.pipeline.errors import (
    DowngradeNotSupportedError,
    InvalidInputError,
    InvalidModelError,
    InvalidStateError,
    UndecodableRecordError,
    UnknownActionError,
    UnknownModelError,
    UpgradeFailedError,
)
from docreactor.pipeline.frozen import FrozenDict
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.state import State
from tests.pipeline.test_frozen import JSON_VALUES

CONTEXT = Context(
    "2026-11-21T00:00:00.000000Z", "a1", None, Origin("d1", "example/todo", "main", "2026-11-21")
)


class Todo(State):
    items: tuple[str, ...] = ()
    labels: dict[str, list[str]] = Field(default={})


class Todo2(State):
    items: tuple[str, ...] = ()
    count: int = 0


class Draft(State):
    text: str = ""


class AddItem(BaseModel):
    text: str


todo = DocumentModel("example/todo", state=Todo, scopes={"local": Draft})


@todo.action
def add_item(state: Todo | Todo2, input: AddItem) -> Todo | Todo2:
    if input.text == "bad":
        raise ValueError("a bad item")
    return state.replace(items=(*state.items, input.text))


@todo.action(type="DEL")
def remove_item(state: Todo, input: dict[str, Any], context: Context) -> Todo:
    return state.replace(items=(*state.items, f"{context.id} removes {input['text']}"))


@todo.action(scope="local")
def write(state: Draft, input: AddItem) -> Draft:
    return Draft(text=input.text)


@todo.action(type="DEL", version=2)
def remove_item_2(state: Todo2, input: AddItem) -> Todo2:
    items = tuple(item for item in state.items if item != input.text)
    return state.replace(items=items, count=len(items))


@todo.upgrade(to=2, state=Todo2)
def count_items(state: Todo) -> Todo2:
    return Todo2(items=state.items, count=len(state.items))


free = DocumentModel("example/free", state=dict)


@free.action(type="SET")
def set_key(state: dict[str, Any], input: dict[str, Any]) -> dict[str, Any]:
    return {**state, **input}


@free.action
def double(state: dict[str, Any], input: dict[str, int]) -> dict[str, Any]:
    return {key: 2 * value for key, value in input.items()}


@free.action
def become(state, input):  # type: ignore[no-untyped-def]
    return input


def _todo(action_type: str, state: Any, input: Any, *, scope: str = "global") -> Any:
    return todo.apply(1, scope, action_type, state, input, CONTEXT)


def test_an_action_gives_the_next_state_and_leaves_the_one_before() -> None:
    before = todo.initial(1, "global")

    after = _todo("ADD_ITEM", before, {"text": "milk"})

    assert (before, after) == (Todo(), Todo(items=("milk",)))


def test_a_reducer_may_know_the_context() -> None:
    assert _todo("DEL", Todo(), {"text": "x"}).items == ("a1 removes x",)


def test_a_decorated_function_stays_an_ordinary_function() -> None:
    assert add_item(Todo(), AddItem(text="a")) == Todo(items=("a",))


def test_every_scope_but_the_named_ones_holds_the_models_state() -> None:
    assert todo.initial(1, "global") == todo.initial(1, "anything") == Todo()
    assert todo.initial(1, "local") == Draft()
    assert _todo("WRITE", Draft(), {"text": "a"}, scope="local") == Draft(text="a")
    for scope in ("global", "document"):
        with pytest.raises(UnknownActionError, match=f"no action WRITE in scope {scope}"):
            _todo("WRITE", Draft(), {"text": "a"}, scope=scope)


def test_a_document_starts_from_the_defaults_or_from_what_is_given() -> None:
    assert todo.initial(1, "global", {"items": ["a"]}) == Todo(items=("a",))
    assert free.initial(1, "global") == {}
    with pytest.raises(InvalidInputError) as refused:
        todo.initial(1, "global", {"items": [1]})
    assert refused.value.facts["field"] == "initial_state.global.items.0"


def test_a_check_says_beforehand_what_an_apply_would_refuse() -> None:
    todo.check(1, "global", "ADD_ITEM", {"text": "bad"})

    def apply(version: int, scope: str, action_type: str, input: Any) -> None:
        todo.apply(version, scope, action_type, Todo(), input, CONTEXT)

    for act in (todo.check, apply):
        with pytest.raises(UnknownActionError):
            act(1, "global", "PAINT", {})
        with pytest.raises(InvalidInputError, match="text: Field required"):
            act(1, "global", "ADD_ITEM", {})
        with pytest.raises(UnknownModelError, match="example/todo version 3"):
            act(3, "global", "ADD_ITEM", {})


def test_what_a_reducer_raises_goes_through() -> None:
    with pytest.raises(ValueError, match="a bad item"):
        _todo("ADD_ITEM", Todo(), {"text": "bad"})


WRONG: list[tuple[str, Callable[[Any], object], str]] = [
    ("dict", lambda state: None, "WRONG: returned None: return the new state, a dict"),
    ("dict", lambda state: [], "WRONG: returned a list: return a dict"),
    ("dict", lambda state: {"a": {1}}, "WRONG: set is not JSON"),
    ("dict", lambda state: {"a": float("nan")}, "WRONG: nan is not a JSON number"),
    ("Todo", lambda state: Draft(), "WRONG: returned a Draft: return a Todo"),
    ("Todo", lambda state: Todo.model_validate({"items": 1}), "WRONG.items: Input should be"),
    ("Todo", lambda state: state.replace(items=1), "Todo.items: Input should be a valid tuple"),
]


@pytest.mark.parametrize(("state", "function", "message"), WRONG)
def test_a_result_that_is_no_state_has_one_sentence_of_its_own(
    state: str, function: Callable[[Any], object], message: str
) -> None:
    model = DocumentModel("t/wrong", state=Todo if state == "Todo" else dict)

    @model.action
    def wrong(state: Any, input: Any) -> Any:
        return function(state)

    with pytest.raises(InvalidStateError, match=message) as refused:
        model.apply(1, "global", "WRONG", model.initial(1, "global"), None, CONTEXT)
    assert "\n" not in str(refused.value)


MISBEHAVIOUR: list[tuple[type, Callable[[Any], object]]] = [
    (Todo, lambda state: setattr(state, "items", ())),
    (Todo, lambda state: state.labels.update(new=[])),
    (Todo, lambda state: state.labels["a"].append("changed")),
    (Todo, lambda state: state.labels["a"].__iadd__(["changed"])),
    (dict, lambda state: state.__setitem__("a", 1)),
    (dict, lambda state: state.update(a=1)),
    (dict, lambda state: state.__ior__({"a": 1})),
    (dict, lambda state: state["list"].append("changed")),
    (dict, lambda state: state["list"][0].__setitem__("deep", 1)),
    (dict, lambda state: state["list"].sort()),
]


@pytest.mark.parametrize(("kind", "change"), MISBEHAVIOUR)
def test_a_misbehaving_reducer_cannot_change_a_cached_state(
    kind: type, change: Callable[[Any], object]
) -> None:
    model = DocumentModel("t/bad", state=kind)

    @model.action
    def misbehave(state: Any, input: Any) -> Any:
        change(state)
        return state

    @model.action(type="SET")
    def set_all(state: Any, input: Any) -> Any:
        return state.replace(**input) if isinstance(state, State) else {**state, **input}

    given: Any = {"labels": {"a": ["x"]}} if kind is Todo else {"list": [{"deep": [1]}]}
    cached = model.apply(1, "global", "SET", model.initial(1, "global"), given, CONTEXT)
    before = model.write(1, "global", cached)

    with pytest.raises((TypeError, InvalidStateError), match="never changes"):
        model.apply(1, "global", "MISBEHAVE", cached, None, CONTEXT)

    assert model.write(1, "global", cached) == before


def test_what_a_reducer_keeps_hold_of_is_not_the_state() -> None:
    kept: list[Any] = []
    model = DocumentModel("t/keeps", state=dict)

    @model.action
    def keep(state: Any, input: Any) -> Any:
        kept.append([1])
        return {"items": kept[0]}

    state = model.apply(1, "global", "KEEP", FrozenDict(), None, CONTEXT)
    kept[0].append(2)

    assert state == {"items": [1]}


def test_a_reducer_cannot_change_the_input_that_will_be_stored() -> None:
    input = {"items": [1]}
    state = free.apply(1, "global", "SET", FrozenDict(), input, CONTEXT)

    input["items"].append(2)

    assert state == {"items": [1]}


@given(st.dictionaries(st.text(max_size=3), JSON_VALUES))
def test_a_state_that_was_applied_behaves_like_one_that_was_stored(value: dict[str, Any]) -> None:
    applied = free.apply(1, "global", "BECOME", FrozenDict(), value, CONTEXT)

    stored = free.read(1, "global", free.write(1, "global", applied))

    assert list(stored.items()) == list(applied.items())
    assert free.write(1, "global", stored) == encode(value)


def test_bytes_that_are_no_state_are_undecodable() -> None:
    with pytest.raises(UndecodableRecordError, match="Todo.items"):
        todo.read(1, "global", b'{"items":1}')


def test_a_number_that_json_cannot_say_is_refused_when_the_state_is_written() -> None:
    state = free.apply(1, "global", "DOUBLE", FrozenDict(), {"a": 2**63}, CONTEXT)

    with pytest.raises(InvalidStateError, match="Integer exceeds 64-bit range"):
        free.write(1, "global", state)


def test_an_input_with_a_number_that_json_cannot_say_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="input: is not JSON: Integer exceeds 64-bit range"):
        free.apply(1, "global", "SET", FrozenDict(), {"a": 2**64}, CONTEXT)
    with pytest.raises(InvalidInputError, match="input: is not JSON"):
        free.check(1, "global", "SET", {"a": 2**64})


def test_a_later_version_has_its_own_state_and_keeps_what_it_does_not_replace() -> None:
    assert todo.version == 2
    assert todo.initial(2, "global") == Todo2()
    added = todo.apply(2, "global", "ADD_ITEM", Todo2(), {"text": "a"}, CONTEXT)
    assert added == Todo2(items=("a",))
    removed = todo.apply(2, "global", "DEL", added, {"text": "a"}, CONTEXT)
    assert removed == Todo2(items=(), count=0)
    assert todo.write(2, "global", removed) == b'{"count":0,"items":[]}'


def test_operations_before_the_upgrade_go_on_by_the_old_reducers() -> None:
    assert _todo("DEL", Todo(), {"text": "x"}).items == ("a1 removes x",)


def test_a_migration_takes_every_step_between_two_versions() -> None:
    model = DocumentModel("t/steps", state=dict)

    @model.upgrade(to=2)
    def second(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "steps": [*state.get("steps", []), 2]}

    @model.upgrade(to=3, state=Todo2)
    def third(state: dict[str, Any]) -> Todo2:
        return Todo2(items=("three",), count=state["steps"][0])

    @model.upgrade(to=3, scope="local", state=Draft)
    def third_local(state: dict[str, Any]) -> Draft:
        return Draft(text=str(state))

    assert model.version == 3
    assert model.migrate(1, 3, "global", FrozenDict()) == Todo2(items=("three",), count=2)
    assert model.migrate(1, 2, "global", FrozenDict()) == {"steps": [2]}
    assert model.migrate(1, 3, "local", FrozenDict()) == Draft(text="{'steps': [2]}")
    assert model.migrate(2, 2, "global", FrozenDict(a=1)) == {"a": 1}


def test_a_migration_goes_to_versions_that_exist_and_never_back() -> None:
    with pytest.raises(DowngradeNotSupportedError, match="does not go back from version 2 to 1"):
        todo.migrate(2, 1, "global", Todo2())
    with pytest.raises(UnknownModelError, match="version 3"):
        todo.migrate(1, 3, "global", Todo())
    assert todo.migrate(1, 2, "local", Draft(text="a")) == Draft(text="a")


def test_the_way_between_two_versions_has_a_name_for_every_step() -> None:
    model = DocumentModel("t/way", state=dict)
    for version in (2, 3, 4):
        model.upgrade(to=version)(lambda state: state)

    assert model.upgrade_path(1, 4) == (2, 3, 4)
    assert model.upgrade_path(2, 3) == (3,)
    assert model.upgrade_path(3, 3) == ()


@pytest.mark.parametrize("none", [0, None])
def test_a_document_without_a_version_has_the_first_and_never_the_newest(none: int | None) -> None:
    assert todo.version == 2
    assert todo.initial(none, "global") == Todo()
    assert todo.upgrade_path(none, 1) == ()
    assert todo.upgrade_path(none, 2) == (2,)
    assert todo.migrate(none, 2, "global", Todo(items=("a",))) == Todo2(items=("a",), count=1)
    removed = todo.apply(none, "global", "DEL", Todo(), {"text": "x"}, CONTEXT)
    assert removed == Todo(items=("a1 removes x",))


@pytest.mark.parametrize(
    ("before", "after", "refused", "message"),
    [
        (2, 1, DowngradeNotSupportedError, "example/todo does not go back from version 2 to 1"),
        # Whoever knows version 9 and who does not must say the same.
        (9, 1, DowngradeNotSupportedError, "example/todo does not go back from version 9 to 1"),
        (1, 0, DowngradeNotSupportedError, "example/todo does not go back from version 1 to 0"),
        (1, 3, UnknownModelError, "no model example/todo version 3 is loaded"),
        (3, 3, UnknownModelError, "no model example/todo version 3 is loaded"),
        (-1, 2, UnknownModelError, "no model example/todo version -1 is loaded"),
    ],
)
def test_a_way_that_is_none_is_refused_by_name(
    before: int, after: int, refused: type[Exception], message: str
) -> None:
    with pytest.raises(refused, match=message):
        todo.upgrade_path(before, after)
    with pytest.raises(refused, match=message):
        todo.migrate(before, after, "global", Todo())


FAILING: list[tuple[Callable[[Any], object], str]] = [
    (lambda state: None, "InvalidState: global of version 2: returned None: return the new state"),
    (lambda state: {"a": {1}}, "InvalidState: global of version 2: set is not JSON"),
    (lambda state: Todo.model_validate({"items": 1}), "InvalidState: .*items: Input should be"),
    (lambda state: state["items"], "KeyError: 'items'"),
    (lambda state: state.update(a=1), "TypeError: .*never changes"),
    (lambda state: todo.rules(7, "global"), "UnknownModel: no model example/todo version 7"),
]


@pytest.mark.parametrize(("function", "message"), FAILING)
def test_an_upgrade_that_fails_has_one_sentence_that_is_always_the_same(
    function: Callable[[Any], object], message: str
) -> None:
    model = DocumentModel("t/fails", state=dict)
    model.upgrade(to=2)(lambda state: function(state))
    state = model.initial(1, "global", {"a": {"b": []}})

    said: set[str] = set()
    for _ in range(2):
        with pytest.raises(UpgradeFailedError, match=message) as failed:
            model.migrate(1, 2, "global", state)
        said.add(str(failed.value))

    (sentence,) = said
    assert sentence.startswith("the upgrade of t/fails to version 2 failed in scope global: ")
    assert "\n" not in sentence
    assert state == {"a": {"b": []}}


def test_what_an_upgrade_keeps_hold_of_is_not_the_state() -> None:
    kept: list[Any] = [1]
    model = DocumentModel("t/keeps", state=dict)
    model.upgrade(to=2)(lambda state: {"items": kept})

    state = model.migrate(1, 2, "global", FrozenDict())
    kept.append(2)

    assert state == {"items": [1]}


def test_operations_before_an_upgrade_replay_by_the_old_reducers_and_those_after_by_the_new() -> (
    None
):
    def replayed(*actions: tuple[int, str, str]) -> Any:
        state, reached = todo.initial(1, "global"), 1
        for version, action_type, said in actions:
            state = todo.migrate(reached, version, "global", state)
            state = todo.apply(version, "global", action_type, state, {"text": said}, CONTEXT)
            reached = version
        return state

    before = replayed((1, "ADD_ITEM", "a"), (1, "DEL", "a"))
    after = replayed((1, "ADD_ITEM", "a"), (2, "DEL", "a"))
    both = replayed((1, "ADD_ITEM", "a"), (1, "DEL", "a"), (2, "ADD_ITEM", "b"), (2, "DEL", "a"))

    assert before == Todo(items=("a", "a1 removes a"))
    assert after == Todo2(items=(), count=0)
    assert both == Todo2(items=("a1 removes a", "b"), count=2)


def test_a_whole_state_is_checked_as_one_that_a_creator_gives() -> None:
    assert todo.load_state(1, "global", {"items": ["a"]}) == Todo(items=("a",))
    assert todo.load_state(2, "global", {"count": 3}) == Todo2(count=3)
    assert todo.load_state(1, "local", {}) == Draft()
    loaded = free.load_state(1, "global", {"a": [1]})
    assert loaded == {"a": [1]}
    assert isinstance(loaded, FrozenDict)

    refusals: list[tuple[int, str, Any, str]] = [
        (1, "global", {"items": [1]}, "state.items.0"),
        (1, "global", {"count": 3}, "state.count"),
        (1, "local", {"text": None}, "state.text"),
        (1, "global", None, "state"),
        (1, "global", [], "state"),
    ]
    for version, scope, wrong, field in refusals:
        with pytest.raises(InvalidInputError) as refused:
            todo.load_state(version, scope, wrong)
        assert refused.value.facts["field"] == field
    for wrong in (None, [], "text"):
        with pytest.raises(InvalidInputError, match="state: must be an object"):
            free.load_state(1, "global", wrong)
    with pytest.raises(UnknownModelError, match="version 3"):
        todo.load_state(3, "global", {})


def test_a_description_is_json_and_tells_a_client_everything() -> None:
    described = decode(encode(todo.describe()))

    assert (described["document_type"], described["version"]) == ("example/todo", 2)
    assert described["versions"] == [1, 2]
    assert described["scopes"] == ["global", "local"]
    assert [(a["type"], a["scope"], a["version"]) for a in described["actions"]] == [
        ("ADD_ITEM", None, 1),
        ("DEL", None, 1),
        ("DEL", None, 2),
        ("WRITE", "local", 1),
    ]
    assert described["actions"][0]["schema"]["required"] == ["text"]
    assert described["state"]["global"]["properties"].keys() == {"items", "count"}
    assert described["state"]["local"]["properties"].keys() == {"text"}


@pytest.mark.parametrize("name", ["", "has space", "x" * 201, "ü"])
def test_a_document_type_has_a_form(name: str) -> None:
    with pytest.raises(InvalidModelError, match="document type .* must match"):
        DocumentModel(name, state=dict)


def test_what_cannot_work_is_refused_where_it_is_defined() -> None:
    model = DocumentModel("t/x", state=dict)
    stranger: Any = AddItem
    model.action(type="A")(set_key)
    model.upgrade(to=2)(lambda state: state)

    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: model.action(type="A")(set_key), "two reducers of A in every scope from version"),
        (lambda: model.upgrade(to=2)(lambda state: state), "two upgrades of every scope to vers"),
        (lambda: model.upgrade(to=1)(lambda state: state), "version 1 must be a number from 2 on"),
        (lambda: model.upgrade(to=3)(set_key), "set_key: an upgrade takes the old state"),
        (lambda: model.upgrade(to=3, scope="document")(set_key), "the platform's"),
        (lambda: DocumentModel("t/y", state=stranger), "must be dict or a class derived"),
        (lambda: DocumentModel("t/y", state=dict, scopes={"document": dict}), "the platform's"),
    ]
    for define, message in refused:
        with pytest.raises(InvalidModelError, match=message):
            define()


def test_a_model_says_where_it_was_defined() -> None:
    assert todo.defined_at.startswith(f"{__name__}:")
    assert repr(todo) == f"DocumentModel('example/todo', {todo.defined_at})"
