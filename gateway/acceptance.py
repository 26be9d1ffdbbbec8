"""What of an action can be refused without its stream: unknown types and inputs that cannot be."""

from __future__ import annotations

from typing import Any, cast

from docreactor.pipeline.action import (
    CREATE_DOCUMENT,
    DOCUMENT_SCOPE,
    HEADER_ACTIONS,
    PRUNE,
    SYSTEM_ACTIONS,
    UPGRADE_DOCUMENT,
    Action,
)
from docreactor.pipeline.document import FIRST_VERSION, Document
from docreactor.pipeline.errors import InvalidInputError, UnknownActionError, UnknownModelError
from docreactor.pipeline.inputs import (
    BASE_INPUTS,
    SYSTEM_INPUTS,
    UnrelateInput,
    check_base,
    read_input,
)
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.registry import Registry

_OF_EVERY_MODEL = frozenset({PRUNE, *SYSTEM_ACTIONS, *BASE_INPUTS})


def check_action(
    registry: Registry, action: Action, document_id: str, known: Document | None
) -> None:
    """UnknownAction, UnsupportedAction, UnknownModel or InvalidInput naming the field.

    `known` is the document as far as this node knows it: without it a model's own actions pass.
    """
    document_type = "the platform" if known is None else known.document_type
    if action.scope == DOCUMENT_SCOPE:
        check_base(document_type, action.scope, action.type, action.input)
        _check_system(registry, action, document_id)
    elif action.type in HEADER_ACTIONS:
        # The model may have one of its own, which goes before.
        if known is not None and not _is_the_models(registry, action, known):
            check_base(document_type, action.scope, action.type, action.input)
    elif action.type in _OF_EVERY_MODEL:
        check_base(document_type, action.scope, action.type, action.input)
    elif known is not None:
        _check_model(registry, action, known)


def check_models(registry: Registry, action: Action | StoredAction) -> None:
    """UnknownModel for a creation or an upgrade that no model of this node is for."""
    if action.scope != DOCUMENT_SCOPE or action.type not in (CREATE_DOCUMENT, UPGRADE_DOCUMENT):
        return
    content: object = action.input
    given = cast(dict[str, Any], content) if isinstance(content, dict) else {}
    document_type, version = given.get("model"), given.get("to_version")
    if not isinstance(document_type, str):
        return
    newest = registry.model(document_type).version
    if action.type == UPGRADE_DOCUMENT and isinstance(version, int) and version > newest:
        raise UnknownModelError(document_type, version)


def _check_system(registry: Registry, action: Action, document_id: str) -> None:
    kind = SYSTEM_INPUTS.get(action.type)
    if kind is None:
        return
    check_models(registry, action)
    given: Any = read_input(kind, action.input)
    field = "source_id" if isinstance(given, UnrelateInput) else "document_id"
    if getattr(given, field) != document_id:
        raise InvalidInputError(field, f"is not the document's own {document_id}")
    if isinstance(given, UnrelateInput) and given.target_id == document_id:
        raise InvalidInputError("target_id", "must be another document than source_id")


def _is_the_models(registry: Registry, action: Action, known: Document) -> bool:
    """Whether the model has an action of this type; its input is then checked."""
    try:
        _check_model(registry, action, known)
    except UnknownActionError:
        return False
    return True


def _check_model(registry: Registry, action: Action, known: Document) -> None:
    model = registry.model(known.document_type)
    version = known.version
    if action.timestamp is not None:
        version = known.version_at(action.timestamp)
    model.check(version or FIRST_VERSION, action.scope, action.type, action.input)
