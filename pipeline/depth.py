"""Whether values of a schema can be nested without end."""

from __future__ import annotations

from typing import Any, cast

_SCALARS = frozenset({"string", "integer", "number", "boolean", "null"})
_Schema = dict[str, Any]


def is_endless(schema: _Schema) -> bool:
    """True for a JSON Schema that refers to itself, or that leaves open what lies inside."""
    definitions: dict[str, _Schema] = schema.get("$defs", {})
    return _is_endless(schema, definitions, frozenset())


def _is_endless(schema: Any, definitions: dict[str, _Schema], above: frozenset[str]) -> bool:
    if not isinstance(schema, dict) or not schema:
        return True
    given = cast(_Schema, schema)
    if "$ref" in given:
        name = str(given["$ref"]).rpartition("/")[2]
        if name in above or name not in definitions:
            return True
        return _is_endless(definitions[name], definitions, above | {name})
    if "const" in given or "enum" in given:
        return False
    for several in ("anyOf", "oneOf", "allOf"):
        if several in given:
            return any(_is_endless(one, definitions, above) for one in given[several])
    kind = given.get("type")
    if kind == "array":
        inner = [*given.get("prefixItems", []), *([given["items"]] if "items" in given else [])]
        return not inner or any(_is_endless(one, definitions, above) for one in inner)
    if kind == "object":
        inner = [*given.get("properties", {}).values()]
        if given.get("additionalProperties", False) is not False:
            inner.append(given["additionalProperties"])
        return not inner or any(_is_endless(one, definitions, above) for one in inner)
    return kind not in _SCALARS
