"""The bandit's state is a function of the log: whatever the order, the crashes and the number of updaters."""

import json
import multiprocessing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.cli import script
from recommendation_service.commands import update_bandit as module
from recommendation_service.commands.update_bandit import learners_of
from recommendation_service.engines.bandit import Bandit
from recommendation_service.errors import ConfigurationError
from recommendation_service.histories.outcomes import NOTHING, Played
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support import shown
from recommendation_service.tests.support.shown import EVEN, NOW, List
from recommendation_service.training.models.bandit import arrays_of, tally, values_of
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.schema import Part
from recommendation_service.wiring import policy_of

update_bandit = script("update-bandit")
ARMS = ("hybrid", "two_tower", "content", "popularity")
REWARDS = {"enroll": 1.0, "click": 0.3, "view": 0.1}
logs = st.lists(
    st.builds(Played, st.sampled_from(ARMS), st.sampled_from([0.02, 0.1, 0.925]), st.sampled_from([*REWARDS, NOTHING]))
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "sqlite":
        yield from _ready(shown.sqlite(tmp_path), monkeypatch)
        return
    with shown.postgres() as url:
        yield from _ready(url, monkeypatch)


def _ready(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    shown.make_tables(url)
    monkeypatch.setenv("RS_DATABASE_URL", url)
    yield url


def update(models: Path, *more: str) -> int:
    return update_bandit(["--use-case", "courses", "--models-dir", str(models), *more])


def state(models: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((models / "courses" / "bandit_state.json").read_text())
    return found


def learned(models: Path) -> dict[str, Any]:
    """The state without when and under which number it was published."""
    found = state(models)
    for name in ("version", "seal", "updated_at"):
        del found[name]
    del found["learned_from"]["until"]
    return found


def favour(url: str, arm: str, lists: int = 40) -> None:
    own = [List(arm) for _ in range(lists)]
    others = [List(other) for other in ARMS if other != arm for _ in range(lists)]
    shown.write(url, own + others, [one.answered("click") for one in own])


def test_clicks_that_favour_one_arm_make_the_bandit_choose_it(url: str, tmp_path: Path) -> None:
    favour(url, "content")
    assert update(tmp_path / "m") == 0
    policy = policy_of(ArtifactStore(tmp_path / "m" / "courses").load("bandit"))
    options = load("courses").surfaces["home"].router.options
    bandit = Bandit(policy, **options)
    assert max(bandit._probabilities, key=bandit._probabilities.__getitem__) == "content"
    assert sum(bandit._probabilities.values()) == pytest.approx(1)
    told = state(tmp_path / "m")
    assert told["arms"]["content"] == {
        "plays": 40,
        "reward": pytest.approx(12),
        "mean": pytest.approx(0.3),
        "value_if_always": {
            "ips": pytest.approx(40 * 0.3 / 0.2 / 160),
            "snips": pytest.approx(0.3),
            "effective_lists": pytest.approx(40),
        },
    }
    assert told["arms"]["hybrid"]["mean"] == 0


def test_updates_as_the_log_grows_end_where_a_rebuild_begins(url: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    lists, events = shown.some_day(rng, 300)
    rng.shuffle(events)  # late and out of order
    for step in range(0, 300, 60):
        share = len(events) // 5
        shown.write(url, lists[step : step + 60], events[step // 60 * share : (step // 60 + 1) * share])
        assert update(tmp_path / "grown", "--min-interactions", "0") == 0
    shown.write(url, (), events[5 * (len(events) // 5) :])
    assert update(tmp_path / "grown", "--min-interactions", "0") == 0
    assert update(tmp_path / "anew", "--rebuild") == 0
    assert learned(tmp_path / "grown") == learned(tmp_path / "anew")
    assert state(tmp_path / "grown")["version"] != state(tmp_path / "anew")["version"]
    before = (tmp_path / "grown" / "courses" / "bandit_state.json").read_bytes()
    assert update(tmp_path / "grown", "--rebuild") == 0
    assert (tmp_path / "grown" / "courses" / "bandit_state.json").read_bytes() == before


def test_a_reward_that_comes_late_is_counted_at_the_next_update(url: str, tmp_path: Path) -> None:
    one = List("hybrid", NOW - timedelta(days=6))
    shown.write(url, [one])
    update(tmp_path / "m", "--rebuild")
    assert state(tmp_path / "m")["arms"]["hybrid"]["reward"] == 0
    shown.write(url, (), [one.answered("enroll", after=timedelta(days=5, hours=23))])
    update(tmp_path / "m", "--min-interactions", "1")
    assert state(tmp_path / "m")["arms"]["hybrid"]["reward"] == 1


def test_too_little_news_leaves_the_state_as_it_is_and_rebuild_does_not_ask(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    favour(url, "content", 4)
    assert update(tmp_path / "m") == 0
    assert "4 answers in 24 hours, 10 are needed: left as it is" in capsys.readouterr().out
    assert not (tmp_path / "m" / "courses" / "bandit_state.json").exists()
    assert update(tmp_path / "m", "--rebuild") == 0
    assert state(tmp_path / "m")["arms"]["content"]["plays"] == 4


def test_nothing_new_publishes_nothing(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    favour(url, "content")
    update(tmp_path / "m")
    update(tmp_path / "m")
    assert "nothing changed  -> bandit_v1" in capsys.readouterr().out


def test_a_log_without_a_list_says_so(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert update(tmp_path / "m", "--rebuild") == 0
    assert "no list that a chance chose was shown yet" in capsys.readouterr().out


def test_lists_are_forgotten_with_age_and_by_erasing_a_person(url: str, tmp_path: Path) -> None:
    shown.write(url, [List("hybrid", NOW - timedelta(days=20)), List("content")])
    update(tmp_path / "m", "--rebuild")
    update(tmp_path / "m", "--rebuild", "--days", "7")
    arms = state(tmp_path / "m")["arms"]
    assert (arms["hybrid"]["plays"], arms["content"]["plays"]) == (0, 1)


def test_everything_on_one_arm_is_no_evidence_against_the_others(url: str, tmp_path: Path) -> None:
    lists = [List("popularity", probabilities={**EVEN, "popularity": 1.0}) for _ in range(50)]
    shown.write(url, lists, [one.answered("view") for one in lists[:20]])
    update(tmp_path / "m")
    arms = state(tmp_path / "m")["arms"]
    assert arms["popularity"]["plays"] == 50
    assert arms["hybrid"] == {"plays": 0, "reward": 0, "mean": None, "value_if_always": None}


@pytest.mark.parametrize("moment", ["publish", "write_whole"])
def test_a_crash_between_two_steps_is_mended_by_the_next_run(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def crash(*_args: object, **_words: object) -> None:
        raise KeyboardInterrupt

    favour(url, "content")
    with monkeypatch.context() as broken:
        broken.setattr(*((ArtifactStore, "publish", crash) if moment == "publish" else (module, "write_whole", crash)))
        assert update(tmp_path / "m") == 130
    assert update(tmp_path / "m") == 0
    update(tmp_path / "anew", "--rebuild")
    assert learned(tmp_path / "m") == learned(tmp_path / "anew")


def test_a_state_file_that_was_written_over_is_made_right_even_without_news(url: str, tmp_path: Path) -> None:
    favour(url, "content")
    update(tmp_path / "m")
    path = tmp_path / "m" / "courses" / "bandit_state.json"
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    update(tmp_path / "m", "--min-interactions", "100000")
    assert path.read_bytes() == good


def test_a_damaged_model_is_told_and_made_anew_from_the_log(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    favour(url, "content")
    update(tmp_path / "m")
    before = learned(tmp_path / "m")
    damaged = tmp_path / "m" / "courses" / "bandit_v1" / "plays.npy"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x7f")
    update(tmp_path / "m", "--rebuild")
    assert "cannot be read" in capsys.readouterr().err
    assert state(tmp_path / "m")["version"] == "bandit_v2"
    assert learned(tmp_path / "m") == before


def _update_in_a_process(url: str, models: str, codes: Any) -> None:
    import os

    os.environ["RS_DATABASE_URL"] = url
    for _ in range(5):
        codes.put(update(Path(models), "--rebuild"))


def test_two_updaters_at_once_leave_one_whole_state(url: str, tmp_path: Path) -> None:
    favour(url, "content")
    context = multiprocessing.get_context("spawn")
    codes = context.Queue()
    both = [context.Process(target=_update_in_a_process, args=(url, str(tmp_path / "m"), codes)) for _ in range(2)]
    for one in both:
        one.start()
    found = [codes.get(timeout=60) for _ in range(10)]
    for one in both:
        one.join(timeout=60)
    assert set(found) <= {0, 1}  # 1: the other one held the lock
    assert 0 in found
    update(tmp_path / "anew", "--rebuild")
    assert learned(tmp_path / "m") == learned(tmp_path / "anew")


def test_without_a_database_it_says_which_setting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert update(tmp_path / "m") == 1
    assert "set RS_DATABASE_URL, or RS_DB_HOST" in capsys.readouterr().err


def test_a_use_case_without_a_bandit_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert update_bandit(["--use-case", "startups", "--models-dir", str(tmp_path)]) == 1
    assert "no surface of startups has a router of kind bandit" in capsys.readouterr().err


def test_rewards_must_be_events_and_default_to_the_outcomes_of_the_file() -> None:
    courses = load("courses")
    (learner,) = learners_of(courses)
    assert (learner.surfaces, learner.rewards) == (("home",), REWARDS)
    plain = {"arms": ["hybrid", "content"]}
    home = courses.surfaces["home"].model_copy(update={"router": Part(kind="bandit", options=plain)})
    (learner,) = learners_of(courses.model_copy(update={"surfaces": {"home": home}}))
    assert learner.rewards == {"click": 0.3, "enroll": 1.0}
    wrong = Part(kind="bandit", options={**plain, "rewards": {"enrol": 1.0}})
    home = home.model_copy(update={"router": wrong})
    with pytest.raises(ConfigurationError, match=r"must name some of the events view, click, enroll.*not enrol"):
        learners_of(courses.model_copy(update={"surfaces": {"home": home}}))


def test_two_surfaces_of_a_catalogue_learn_together_or_not_at_all() -> None:
    courses = load("courses")
    home = courses.surfaces["home"]
    both = courses.model_copy(update={"surfaces": {"home": home, "mail": home}})
    assert learners_of(both)[0].surfaces == ("home", "mail")
    other = home.model_copy(update={"router": Part(kind="bandit", options={"arms": ["hybrid", "content"]})})
    with pytest.raises(ConfigurationError, match="must have the arms and rewards of surface 'home'"):
        learners_of(courses.model_copy(update={"surfaces": {"home": home, "mail": other}}))


@settings(max_examples=60, deadline=None)
@given(log=logs, seed=st.integers(0, 99))
def test_the_order_of_the_log_changes_no_bit_of_the_state(log: list[Played], seed: int) -> None:
    other = [log[place] for place in np.random.default_rng(seed).permutation(len(log))]
    one, two = tally(log), tally(other)
    assert one == two
    for name, array in arrays_of(one, ARMS, REWARDS).items():
        assert array.tobytes() == arrays_of(two, ARMS, REWARDS)[name].tobytes()
    assert values_of(one, ARMS, REWARDS) == values_of(two, ARMS, REWARDS)


@settings(max_examples=60, deadline=None)
@given(log=logs.filter(len))
def test_rewards_stay_between_nothing_and_one_a_list(log: list[Played]) -> None:
    arrays = arrays_of(tally(log), ARMS, REWARDS)
    assert arrays["plays"].sum() == len(log)
    assert (arrays["rewards"] >= 0).all()
    assert (arrays["rewards"] <= arrays["plays"]).all()
    for value in values_of(tally(log), ARMS, REWARDS).values():
        assert 0 <= value.snips <= 1
        assert 0 < value.effective_lists <= len(log) + 1e-9


def test_inverse_propensity_finds_the_true_value_where_a_plain_mean_of_all_lists_cannot() -> None:
    rng = np.random.default_rng(3)
    worth = {"hybrid": 0.1, "content": 0.5}
    log = []
    for step in range(40_000):
        chance = 0.9 if step < 20_000 else 0.1  # who leads has changed half way
        arm = "hybrid" if rng.random() < chance else "content"
        outcome = "enroll" if rng.random() < worth[arm] else NOTHING
        log.append(Played(arm, chance if arm == "hybrid" else 1 - chance, outcome))
    found = values_of(tally(log), ARMS, REWARDS)
    for arm, true in worth.items():
        assert found[arm].ips == pytest.approx(true, abs=0.03)
        assert found[arm].snips == pytest.approx(true, abs=0.02)
