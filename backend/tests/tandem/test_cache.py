"""Kept lists: JSON only, one user's each, and never in the way."""

import json
import pickle
import time
from typing import Any

import pytest
from django.core.cache import caches
from hypothesis import given
from hypothesis import strategies as st

from tandem import cache
from tests.support.caching import cache as backend
from tests.support.faults import answer_for

ANSWER = answer_for({"user_id": "u1", "limit": 3}, ["a", "b", "c"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def keep(version: str = "") -> None:
    cache.save("key", "u1", ANSWER, history_version="7:1:0", state="s1", version=version)


def found() -> cache.CachedAnswer:
    kept = cache.read("key", "u1")
    assert kept is not None
    return kept


def test_what_was_kept_is_found_and_fresh() -> None:
    keep(cache.cache_version("u1"))
    assert found() == cache.CachedAnswer(ANSWER, "7:1:0", "s1", fresh=True, checked=True)


def test_nothing_is_found_for_another_user_under_the_same_key() -> None:
    keep()
    assert cache.read("key", "u2") is None


def test_forgetting_makes_it_stale_and_keeps_it_as_the_last_good_one() -> None:
    keep(cache.cache_version("u1"))
    cache.forget("u1")
    assert found() == cache.CachedAnswer(ANSWER, "7:1:0", "s1", fresh=False, checked=True)


def test_what_was_asked_before_forgetting_is_stale_even_if_it_is_kept_after() -> None:
    version = cache.cache_version("u1")
    cache.forget("u1")
    keep(version)
    assert not found().fresh


def test_forgetting_one_user_leaves_the_others_fresh() -> None:
    keep(cache.cache_version("u1"))
    cache.forget("u2")
    assert found().fresh


def test_lists_are_stored_in_the_cache_of_the_setting_and_nowhere_else(settings: Any) -> None:
    local = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {name: {"BACKEND": local, "LOCATION": name} for name in ("default", "own")}
    settings.TANDEM = {**settings.TANDEM, "CACHE_ALIAS": "own"}
    keep()
    assert found().fresh
    assert caches["own"].get("recs:kept:key") is not None
    assert caches["default"].get("recs:kept:key") is None


def test_after_its_seconds_it_is_no_longer_fresh(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.TANDEM = {**settings.TANDEM, "CACHE_SECONDS": 0}
    keep()
    assert not found().fresh


def test_expiry_is_spread_by_a_tenth(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.TANDEM = {**settings.TANDEM, "CACHE_SECONDS": 1000}
    lives = []
    monkeypatch.setattr(backend, "set", lambda key, value, seconds: lives.append(seconds) if "fresh" in key else None)
    for _ in range(200):
        keep()
    assert 900 <= min(lives) < 930
    assert 1070 < max(lives) <= 1100


KEY = ("startups", "startups", "for-developer", "u1", 10, {"sector": ("a",)}, False)


@pytest.mark.parametrize("place", range(len(KEY)))
def test_every_part_of_the_question_makes_another_key(place: int) -> None:
    other = ("movies", "films", "for-you", "u2", 11, {"sector": ("b",)}, True)[place]
    assert cache.key_of(*KEY) != cache.key_of(*KEY[:place], other, *KEY[place + 1 :])


def test_the_user_id_cannot_be_read_from_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []
    monkeypatch.setattr(backend, "set", lambda key, value, seconds: keys.append(key))
    cache.save(cache.key_of("user-7731"), "user-7731", ANSWER, history_version="", state="", version="")
    cache.forget("user-7731")
    assert len(keys) == 4
    assert not [key for key in keys if "7731" in key]


def test_the_order_of_filters_does_not_matter_and_a_split_value_does() -> None:
    assert cache.key_of({"a": ("1",), "b": ("2",)}) == cache.key_of({"b": ("2",), "a": ("1",)})
    assert cache.key_of("ab", "c") != cache.key_of("a", "bc")


@pytest.mark.parametrize(
    "error", [ConnectionError("down"), TimeoutError("slow"), cache.RedisError("full"), ValueError("garbage")]
)
def test_an_error_of_the_cache_is_a_miss_and_the_cache_is_left_alone_for_a_second(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def refuse(*args: Any, **kwargs: Any) -> None:
        calls.append(args)
        raise error

    keep()
    for name in ("get", "get_many", "set"):
        monkeypatch.setattr(backend, name, refuse)
    for _ in range(50):
        assert cache.read("key", "u1") is None
        assert cache.cache_version("u1") == ""
        cache.forget("u1")
        keep()
    assert len(calls) == 1
    monkeypatch.setattr(cache, "_sick_until", time.monotonic() - 0.01)
    cache.read("key", "u1")
    assert len(calls) == 2


@given(JSON)
def test_whatever_is_json_comes_back_as_it_went(value: Any) -> None:
    serializer = cache.JSONSerializer()
    stored = serializer.dumps(value)
    assert serializer.loads(stored if isinstance(stored, bytes) else str(stored).encode()) == value


def test_a_pickle_is_refused_and_never_run() -> None:
    with pytest.raises(json.JSONDecodeError):
        cache.JSONSerializer().loads(pickle.dumps({"a": 1}))


def test_what_a_site_puts_under_a_name_is_looked_up_by_it_until_its_time_is_over() -> None:
    assert cache.look_up("rates") is None
    cache.put("rates", {"villa": 18.5}, 60)
    cache.put("unkept", {"villa": 18.5}, 0)
    assert (cache.look_up("rates"), cache.look_up("unkept")) == ({"villa": 18.5}, None)


def test_a_dead_cache_keeps_nothing_under_any_name_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **_others: Any) -> Any:
        raise ConnectionError

    cache.put("rates", 1, 60)
    monkeypatch.setattr(backend, "get", refuse)
    monkeypatch.setattr(backend, "set", refuse)
    assert cache.look_up("rates") is None
    cache.put("rates", 2, 60)
