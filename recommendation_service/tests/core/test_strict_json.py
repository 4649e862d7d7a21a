"""What the parser of request bodies accepts, and the line with which it refuses the rest."""

import pytest

from recommendation_service.core.strict_json import MAX_DEPTH, MAX_DIGITS, strict_json


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, null, true, "\xc3\xa9"]}', {"a": [1, 2.5, None, True, "é"]}),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (b"-" + b"9" * (MAX_DIGITS - 1), -int("9" * (MAX_DIGITS - 1))),
        (b"1e308", 1e308),
        (b'"' + b"[" * 1000 + b'"', "[" * 1000),
        (b"[" + b"[]," * 1000 + b"[]]", [[]] * 1001),
    ],
)
def test_plain_json_is_read_as_it_is(body: bytes, value: object) -> None:
    assert strict_json(body) == value


@pytest.mark.parametrize("wrap", [nested, lambda depth: b'{"a":' * depth + b"1" + b"}" * depth])
def test_depth_is_counted_in_arrays_and_in_objects(wrap: object) -> None:
    assert callable(wrap)
    strict_json(wrap(MAX_DEPTH))
    with pytest.raises(ValueError, match=f"nested deeper than {MAX_DEPTH} levels"):
        strict_json(wrap(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[1] [2]", "not JSON"),
        (b'{"a": "\xff"}', "not JSON in UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not JSON in UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": "\x00"}', "not JSON"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"[1e999]", "too large"),
        (b"9" * (MAX_DIGITS + 1), "too large"),
        (b"9" * 100_000, "too large"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "same key twice"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 100_000, "nested deeper"),
        (nested(900), "nested deeper"),
    ],
)
def test_anything_else_is_refused_in_one_line(body: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        strict_json(body)
    assert type(refusal.value) is ValueError
    assert "\n" not in str(refusal.value)
