"""What a field of a state may hold, told by its annotation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, JsonValue

from docreactor.pipeline.frozen import FrozenList, freeze, frozen_dict, frozen_list, in_order

Freezer = Callable[[Any], Any]

_NATIVE = frozenset({str, int, bool, float, NoneType})
_TEXTUAL = frozenset({datetime, date, time, timedelta, Decimal, UUID})
_RAW = frozenset({Any, object})
_ADVICE: dict[object, str] = {
    set: "use tuple[…, ...]: a set has no order, and replicas would store different bytes",
    frozenset: "use tuple[…, ...]: a set has no order, and replicas would store different bytes",
    bytes: "JSON has no bytes: use str, for example base64",
    bytearray: "JSON has no bytes: use str, for example base64",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """How values of one annotation are made unchangeable and written.

    `freeze` is None where validated values cannot change. `container` is the class that `freeze`
    is for. `plain` means that orjson writes the values as pydantic would; `nested` are the models
    inside.
    """

    freeze: Freezer | None = None
    container: type | None = None
    plain: bool = True
    nested: frozenset[type[BaseModel]] = frozenset()


def shape_of(annotation: Any, metadata: Iterable[Any], root: type[BaseModel]) -> Shape:
    """The shape of a field. Models inside must derive from `root`.

    Raises ValueError, which says what to use instead, for what cannot be stored or frozen.
    """
    shape = _shape(annotation, root)
    if any(_serializes(item) for item in metadata):
        return Shape(shape.freeze, shape.container, plain=False, nested=shape.nested)
    return shape


def _shape(annotation: Any, root: type[BaseModel]) -> Shape:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        return shape_of(inner, metadata, root)
    if origin is Union or origin is UnionType:
        return _union([_shape(part, root) for part in get_args(annotation)], annotation)
    if origin is Literal:
        return _literal([type(value) for value in get_args(annotation)], annotation)
    if (origin or annotation) in (list, dict, tuple):
        return _container(origin or annotation, get_args(annotation), root)
    if annotation is JsonValue or annotation in _RAW:
        return Shape(freeze, object)
    if annotation in _NATIVE:
        return Shape()
    if annotation in _TEXTUAL:
        return Shape(plain=False)
    if isinstance(annotation, type):
        return _class(annotation, root)
    raise ValueError(_refusal(origin or annotation))


def _container(kind: type, parts: tuple[Any, ...], root: type[BaseModel]) -> Shape:
    frozen: Freezer
    if kind is dict:
        key, item = parts or (str, Any)
        if key is not str:
            raise ValueError("the keys of a dict must be str: JSON objects have text keys only")
        inner = _shape(item, root)
        frozen = partial(frozen_dict, freeze_item=inner.freeze) if inner.freeze else in_order
        return _around(kind, frozen, [inner])
    if kind is list:
        inner = _shape(parts[0] if parts else Any, root)
        frozen = partial(frozen_list, freeze_item=inner.freeze) if inner.freeze else FrozenList
        return _around(kind, frozen, [inner])
    if not parts or parts[-1] is Ellipsis:
        inner = _shape(parts[0] if parts else Any, root)
        return _around(kind, inner.freeze and partial(_tuple_of, inner.freeze), [inner])
    inners = [_shape(part, root) for part in parts]
    freezers = [inner.freeze or _same for inner in inners]
    by_place = partial(_tuple_by_place, freezers)
    return _around(kind, by_place if any(inner.freeze for inner in inners) else None, inners)


def _around(kind: type, frozen: Freezer | None, inners: list[Shape]) -> Shape:
    return Shape(
        frozen,
        kind,
        plain=all(inner.plain for inner in inners),
        nested=frozenset[type[BaseModel]]().union(*(inner.nested for inner in inners)),
    )


def _union(shapes: list[Shape], annotation: Any) -> Shape:
    freezers: dict[type, Freezer] = {}
    for shape in shapes:
        if shape.freeze is None or shape.container is None:
            continue
        if shape.freeze is freeze:
            return _around(object, freeze, shapes)
        members: Mapping[type, Freezer] = {shape.container: shape.freeze}
        if isinstance(shape.freeze, _ByClass):
            members = shape.freeze.freezers
        for kind, freezer in members.items():
            if kind in freezers:
                raise ValueError(
                    f"{annotation} names {kind.__name__} twice: give each a State of its own"
                )
            freezers[kind] = freezer
    return _around(object, _ByClass(freezers) if freezers else None, shapes)


def _literal(kinds: list[type], annotation: Any) -> Shape:
    if {*kinds} <= _NATIVE:
        return Shape()
    raise ValueError(f"{annotation}: a Literal of a state holds text, numbers, booleans or None")


def _class(annotation: type, root: type[BaseModel]) -> Shape:
    if issubclass(annotation, Enum):
        return _literal([type(member.value) for member in annotation], annotation)
    if issubclass(annotation, root):
        return Shape(nested=frozenset({annotation}))
    raise ValueError(_refusal(annotation))


def _refusal(annotation: Any) -> str:
    name = getattr(annotation, "__name__", str(annotation))
    advice = _ADVICE.get(annotation)
    if advice is None and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        advice = f"derive {name} from docreactor.State"
    return f"{name} cannot be stored or frozen; " + (
        advice
        or "use None, bool, int, float, str, tuple, list, dict, Enum, a date or time, "
        "Decimal, UUID or a class derived from docreactor.State"
    )


def _serializes(metadata: object) -> bool:
    """Whether it may bring a serializer of its own; those of validation alone do not."""
    return hasattr(metadata, "__get_pydantic_core_schema__") and not isinstance(
        metadata, AfterValidator | BeforeValidator | Discriminator
    )


def _same(value: Any) -> Any:
    return value


def _tuple_of(frozen: Freezer, values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(frozen, values))


def _tuple_by_place(freezers: list[Freezer], values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(frozen(value) for frozen, value in zip(freezers, values, strict=True))


@dataclass(frozen=True, slots=True)
class _ByClass:
    """The freezer of a union: the value's own class says which member it is."""

    freezers: Mapping[type, Freezer]

    def __call__(self, value: object) -> Any:
        frozen = self.freezers.get(type(value))
        return value if frozen is None else frozen(value)
