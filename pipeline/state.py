"""What a document shows: a value that never changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

from docreactor.pipeline.errors import InvalidModelError, InvalidStateError
from docreactor.pipeline.shape import Freezer, Shape, shape_of

Check = Callable[[Any], Any]
_set = object.__setattr__


class State(BaseModel):
    """The state of a scope, or a part of one. Derive from it and give the fields.

    Nobody can change an instance: fields cannot be set, lists and dicts inside refuse to change.
    `replace` gives a new value that shares what stays. A class that cannot be frozen or stored is
    InvalidModel when it is defined. Only Python's own back doors (`object.__setattr__`,
    `vars(state)`) can still change one.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        # A subclass would be stored with fields that reading it back refuses.
        revalidate_instances="subclass-instances",
    )

    __shapes__: ClassVar[Mapping[str, Shape]] = {}
    __freezers__: ClassVar[tuple[tuple[str, Freezer], ...]] = ()
    __checks__: ClassVar[dict[str, Check]] = {}
    __checked_whole__: ClassVar[bool] = False

    def replace(self, **changes: Any) -> Self:
        """A new value with these fields; the others are shared and not validated again.

        Raises InvalidState for a value that its field does not take. A class with decorated
        validators is validated whole.
        """
        kind = type(self)
        if kind.__checked_whole__:
            try:
                return kind(**{**self.__dict__, **changes})
            except ValidationError as cause:
                raise invalid_state(kind.__name__, cause) from cause
        checks = kind.__checks__
        fields = {**self.__dict__}
        for name, value in changes.items():
            check = checks.get(name) or _check_of(kind, name)
            try:
                fields[name] = check(value)
            except ValidationError as cause:
                raise invalid_state(f"{kind.__name__}.{name}", cause) from cause
            except ValueError as cause:
                raise InvalidStateError(f"{kind.__name__}.{name}", str(cause)) from cause
        # Half the cost of `model_copy`, which copies what is never written.
        new = kind.__new__(kind)
        _set(new, "__dict__", fields)
        _set(new, "__pydantic_fields_set__", self.__pydantic_fields_set__)
        _set(new, "__pydantic_extra__", None)
        _set(new, "__pydantic_private__", None)
        return new

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """`replace`, by pydantic's name for it: what never changes needs no copy."""
        return self.replace(**update) if update else self

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        """The constructor: there is no state that was not validated."""
        return cls(**values)

    def copy(self, *, update: Mapping[str, Any] | None = None, **_options: Any) -> Self:
        """`model_copy`, by its old name."""
        return self.model_copy(update=update)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self

    def model_post_init(self, context: Any, /) -> None:
        """Freezes what is inside."""
        fields = vars(self)
        for name, freezer in self.__freezers__:
            fields[name] = freezer(fields[name])

    @classmethod
    def __pydantic_on_complete__(cls) -> None:
        """Check the definition once all its annotations are known."""
        super().__pydantic_on_complete__()
        if cls.__mro__[1] is BaseModel:
            return
        _check_class(cls)
        shapes = {name: _shape_of(cls, name, field) for name, field in cls.model_fields.items()}
        cls.__shapes__ = shapes
        cls.__freezers__ = tuple((name, s.freeze) for name, s in shapes.items() if s.freeze)
        cls.__checks__ = {}
        decorators = cls.__pydantic_decorators__
        cls.__checked_whole__ = bool(
            decorators.field_validators
            or decorators.model_validators
            or decorators.validators
            or decorators.root_validators
        )


def is_plain(kind: type[State]) -> bool:
    """Whether orjson writes the fields of this class, and of those inside, as pydantic would.

    Afterwards all of them are complete. Raises NameError for an annotation that nobody defined.
    """
    seen: set[type[BaseModel]] = set()
    waiting: set[type[BaseModel]] = {kind}
    while waiting:
        inner = waiting.pop()
        seen.add(inner)
        # Its own annotations may still wait for a class that was defined later.
        inner.model_rebuild()
        decorators = inner.__pydantic_decorators__
        if decorators.field_serializers or decorators.model_serializers:
            return False
        if not issubclass(inner, State) or not all(s.plain for s in inner.__shapes__.values()):
            return False
        for shape in inner.__shapes__.values():
            waiting |= shape.nested - seen
    return True


def invalid_state(where: str, cause: ValidationError) -> InvalidStateError:
    """The first complaint of pydantic's, without its page of explanations."""
    field, reason = first_complaint(cause)
    if reason == "Instance is frozen":
        reason = f"a state never changes: return state.replace({field}=…)"
    return InvalidStateError(f"{where}.{field}" if field else where, reason)


def first_complaint(cause: ValidationError) -> tuple[str, str]:
    """Which field, as a dotted path or "" for the whole, and what is wrong with it."""
    first = cause.errors(include_url=False, include_context=False, include_input=False)[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"]


def _check_class(kind: type[State]) -> None:
    config, fields = kind.model_config, kind.model_fields
    if not config.get("frozen") or config.get("extra") != "forbid":
        raise InvalidModelError(f"{kind.__name__}: leave frozen and extra as State sets them")
    if kind.__private_attributes__:
        raise InvalidModelError(
            f"{kind.__name__}: a state has no private attributes, they would not be stored; "
            f"make {', '.join(kind.__private_attributes__)} fields"
        )
    if kind.model_post_init is not State.model_post_init:
        raise InvalidModelError(
            f"{kind.__name__}: model_post_init is where a State freezes what it holds; "
            "work the value out in the reducer"
        )
    if taken := fields.keys() & _TAKEN:
        raise InvalidModelError(f"{kind.__name__}.{min(taken)}: State has a method of this name")
    for owner in kind.__mro__:
        for name, value in vars(owner).items():
            if isinstance(value, cached_property) or name in kind.model_computed_fields:
                raise InvalidModelError(
                    f"{kind.__name__}.{name}: use a plain @property, only fields are stored"
                )


def _shape_of(kind: type[State], name: str, field: FieldInfo) -> Shape:
    where = f"{kind.__name__}.{name}"
    if field.alias or field.validation_alias or field.serialization_alias or field.exclude:
        raise InvalidModelError(f"{where}: a state's field is stored, and by its own name")
    if any(getattr(item, "allow_inf_nan", None) for item in field.metadata):
        raise InvalidModelError(f"{where}: JSON has no NaN and no infinity, use None")
    try:
        return shape_of(field.annotation, field.metadata, State)
    except ValueError as cause:
        raise InvalidModelError(f"{where}: {cause}") from cause


def _check_of(kind: type[State], name: str) -> Check:
    """The validator of one field alone, built once per class."""
    field = kind.model_fields.get(name)
    if field is None:
        known = ", ".join(kind.model_fields) or "none"
        raise InvalidStateError(f"{kind.__name__}.{name}", f"no such field; it has {known}")
    annotation: Any = Annotated[field.annotation, field]
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=kind.model_config)
    except PydanticUserError:
        # A field that is a model brings its own configuration and takes no other.
        adapter = TypeAdapter(annotation)
    validate, freezer = adapter.validator.validate_python, kind.__shapes__[name].freeze
    check = validate if freezer is None else _both(validate, freezer)
    kind.__checks__[name] = check
    return check


def _both(validate: Check, freezer: Freezer) -> Check:
    return lambda value: freezer(validate(value))


_TAKEN = frozenset({"replace", "copy"})
