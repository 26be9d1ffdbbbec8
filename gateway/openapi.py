"""How the calls are described at /docs: bodies, replies and problems by name."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from docreactor.gateway.answers import Answer, Problem
from docreactor.gateway.coordinates import PositionRequest, ResolveRequest
from docreactor.gateway.generations import RebuildRequest
from docreactor.gateway.reply import PROBLEM_MEDIA_TYPE
from docreactor.gateway.requests import (
    BatchRequest,
    ChildrenRequest,
    CreateRequest,
    LoadRequest,
    RelateRequest,
    SubmitRequest,
    UnrelateRequest,
)

_PLACE = "#/components/schemas/{model}"
_BODIES: tuple[type[BaseModel], ...] = (
    CreateRequest,
    SubmitRequest,
    LoadRequest,
    RelateRequest,
    UnrelateRequest,
    ChildrenRequest,
    BatchRequest,
    PositionRequest,
    ResolveRequest,
    RebuildRequest,
    Problem,
)

Described = dict[int | str, dict[str, Any]]


class Gateway(FastAPI):
    """The application, with the shapes of bodies that it reads itself in its description."""

    def openapi(self) -> dict[str, Any]:
        """OpenAPI's document, made once."""
        if self.openapi_schema is None:
            schema = super().openapi()
            _, described = models_json_schema(
                [(kind, "validation") for kind in _BODIES], ref_template=_PLACE
            )
            components = schema.setdefault("components", {}).setdefault("schemas", {})
            components.update(described["$defs"])
        return super().openapi()


def body_of(kind: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """What `openapi_extra` says of a call that takes this shape."""
    shape = {"schema": {"$ref": _PLACE.format(model=kind.__name__)}}
    return {"requestBody": {"required": required, "content": {"application/json": shape}}}


def replies(answers: dict[int, type[Answer]]) -> Described:
    """What a call answers, and that everything else is a problem document."""
    shape = {"schema": {"$ref": _PLACE.format(model=Problem.__name__)}}
    described: Described = {status: {"model": answer} for status, answer in answers.items()}
    described["default"] = {
        "description": "A problem document; its `type` ends in the error's name.",
        "content": {PROBLEM_MEDIA_TYPE: shape},
    }
    return described
