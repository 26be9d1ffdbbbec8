"""The one byte form of a JSON value."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.canonical import LEVELS_MAX, decode, digest, encode, encode_within
from tests.pipeline.test_frozen import JSON_VALUES


@given(JSON_VALUES)
def test_a_value_is_read_back_the_same_and_has_one_form(value: Any) -> None:
    content = encode(value)

    assert decode(content) == value
    assert encode(decode(content)) == content


def test_keys_are_sorted_by_code_point_without_white_space() -> None:
    assert encode({"b": [1, 2.0], "a": {"ü": None, "z": True, "🦊": "é", "\uffff": 1}}) == (
        '{"a":{"z":true,"ü":null,"\uffff":1,"🦊":"é"},"b":[1,2.0]}'.encode()
    )


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800", {1: 1}, {1, 2}, b"x", object()])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_float_that_is_no_number_becomes_null(value: float) -> None:
    assert encode([value]) == b"[null]"


def test_a_default_says_how_other_values_are_written() -> None:
    assert encode({"set": {2, 1}}, sorted) == b'{"set":[1,2]}'


@pytest.mark.parametrize("content", [b"", b"{", b"nan", b"\xff", b"{'a':1}"])
def test_what_is_not_json_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"line 1|str is not valid|input"):
        decode(content)


@given(st.binary())
def test_a_digest_is_sha_256_in_base64url_without_padding(content: bytes) -> None:
    expected = urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")

    assert digest(content) == expected
    assert len(digest(content)) == 43


@pytest.mark.parametrize("kind", ["object", "array"])
def test_what_is_nested_too_deep_to_be_kept_is_refused(kind: str) -> None:
    value: Any = ["{", 1]
    for _ in range(LEVELS_MAX - 1):
        value = {"a": value} if kind == "object" else [value]
    assert encode_within(LEVELS_MAX, value) == encode(value)
    encode_within(LEVELS_MAX, [1, [2], {}] * LEVELS_MAX)
    with pytest.raises(TypeError, match="nested over"):
        encode_within(LEVELS_MAX, [value])
