"""The one parser of request bodies in both halves: JSON that every reader understands in the same way, within limits."""

import json
import math
from itertools import chain
from typing import Any, NoReturn

MAX_DEPTH = 32  # arrays and objects within each other; no request needs more than 6
TOO_DEEP = f"the body is nested deeper than {MAX_DEPTH} levels"
MAX_DIGITS = 308  # of a whole number: any longer one is no float


def strict_json(body: bytes) -> Any:
    """Return the parsed body, an UTF-8 JSON text.

    Raises ValueError, whose message is one line about what is wrong: not JSON or not UTF-8, NaN or infinity, a number that is
    too large, a key that an object has twice, or more than MAX_DEPTH levels. The size is the caller's to limit.
    """
    try:
        parsed = _DECODER.decode(body.decode("utf-8"))
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise ValueError("the body is not JSON in UTF-8") from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _check_depth(parsed)
    return parsed


def _check_depth(parsed: Any) -> None:
    level = [parsed]
    for _ in range(MAX_DEPTH + 1):
        containers = [value.values() if isinstance(value, dict) else value for value in level if isinstance(value, dict | list)]
        if not containers:
            return
        level = list(chain.from_iterable(containers))
    raise ValueError(TOO_DEEP)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object of the body has the same key twice")
    return made


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("a number in the body is too large")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number in the body is too large")
    return number


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_whole, parse_float=_finite, parse_constant=_refuse)
