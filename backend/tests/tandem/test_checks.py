"""`manage.py check` on declarations: what is wrong, where, and the fix."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db.models import Model

from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.use_cases.loader import PACKAGED, load
from sites.startups.models import Developer, Investor, Startup
from tandem import sources
from tandem.checks import check_models, check_settings, check_sources, problems_of
from tandem.models import Feedback
from tandem.sources import ItemSource


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_registry", dict(sources._registry))


def declared(**changes: Any) -> type[ItemSource]:
    """A right declaration, changed."""
    right: dict[str, Any] = {
        "__module__": "board.recommendation_sources",
        "catalogue": "startups",
        "queryset": Startup.objects.all(),
        "text": ("name",),
        "profiles": (Developer.objects.all(), Investor.objects.all()),
        "profile_fields": ("skills", "stage"),
    }
    return type("Board", (ItemSource,), {**right, **changes})


def test_the_sites_of_this_project_are_declared_right() -> None:
    assert check_sources() == []


def test_a_right_declaration_has_no_problem() -> None:
    assert list(problems_of(declared())) == []


@pytest.mark.parametrize(
    ("changes", "code", "told", "fix"),
    [
        ({"use_case": "nowhere"}, "E001", "use case 'nowhere' has no file", "startups"),
        ({"use_case": "movies"}, "E002", "has no such catalogue", "movies"),
        ({"queryset": None}, "E003", "has no `queryset`", "YourModel.objects.all()"),
        ({"queryset": lambda: type("Odd", (), {"all": lambda self: 5})()}, "E003", "not a queryset", "YourModel"),
        ({"text": ()}, "E004", "neither `text` nor `title`", "text = "),
        ({"text": ("name", "motto")}, "E005", "`text` names 'motto'", "pitch"),
        ({"category": "branch"}, "E005", "`category` names 'branch'", "sector"),
        ({"filters": ("stage", "size")}, "E005", "`filters` names 'size'", "ticket"),
        ({"page_events": ("stare",)}, "E006", "names the event 'stare'", "like"),
        ({"profile_fields": ("hats",)}, "E007", "names 'hats'", "skills"),
        ({"events": {"like": Feedback}}, "E008", "has no field that is the item", "Event(Feedback, item="),
        ({"events": {"like": Feedback}, "event_fields": {"like": {"who": "user"}}}, "E008", "says 'who'", "item, user"),
        ({"events": {"like": Feedback}, "event_fields": {"like": {"item": "thing"}}}, "E008", "no field 'thing'", "verdict"),
    ],
)
def test_a_wrong_declaration_is_told_with_its_place_and_fix(changes: dict[str, Any], code: str, told: str, fix: str) -> None:
    (problem,) = problems_of(declared(**changes))
    assert problem.id == f"tandem.{code}"
    assert told in problem.msg
    assert "board.recommendation_sources.Board (catalogue 'startups')" in problem.msg
    assert fix in (problem.hint or "")


COLUMNS = {"numbers": {"distance_km": "pk"}, "text_columns": {"property_type": "stage"}}


def paired(**changes: Any) -> type[ItemSource]:
    """A declaration of the cleaners of a marketplace, by fields of startups."""
    told = {"catalogue": "cleaners", "use_case": "cleaning", **COLUMNS, **changes}
    return declared(**told)


@pytest.mark.parametrize(
    ("changes", "code", "said", "fix"),
    [
        ({"numbers": {"size_m2": "area"}}, "E005", "`numbers` names 'area'", "pitch"),
        ({"text_columns": {"kind": "area"}}, "E005", "`text_columns` names 'area'", "pitch"),
        ({"numbers": {}, "text_columns": {}}, "E009", "paired in cleaning.toml and has no columns", "numbers = {"),
    ],
)
def test_a_paired_catalogue_says_what_pairs_are_scored_by(changes: dict[str, Any], code: str, said: str, fix: str) -> None:
    (problem,) = problems_of(paired(**changes))
    assert problem.id == f"tandem.{code}"
    assert said in problem.msg
    assert fix in (problem.hint or "")


def test_a_paired_catalogue_needs_the_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sources._registry, "jobs")
    (problem,) = problems_of(paired())
    assert problem.id == "tandem.E010"
    assert "paired with the catalogue 'jobs', which no ItemSource declares" in problem.msg
    assert 'declare an ItemSource with catalogue = "jobs" and use_case = "cleaning"' in (problem.hint or "")


def test_columns_that_neither_side_has_are_named_once_where_both_are_declared_by_fields() -> None:
    names = {one.name for one in load("cleaning").pairs.features} - {"bid", "distance_km"}  # type: ignore[union-attr]  # it has one
    jobs = declared(catalogue="jobs", use_case="cleaning", numbers=dict.fromkeys(names - {"hours"}, "pk"))
    cleaners = paired(numbers={"usual_rate": "pk"})
    (problem,) = problems_of(cleaners)
    assert problem.id == "tandem.E011"
    assert "paired by 'hours', which neither it nor 'jobs' has" in problem.msg
    assert "usual_rate" in (problem.hint or "")
    assert list(problems_of(jobs)) == []


def test_a_side_that_is_worked_out_is_believed() -> None:
    assert list(problems_of(paired(numbers={}, text_columns={}, side=classmethod(lambda cls, items: None)))) == []


def test_a_relation_may_be_crossed_and_a_property_named() -> None:
    from sites.movies.models import Movie

    class Films(ItemSource):
        catalogue = "movies"
        queryset = Movie.objects.all()
        text = ("title",)
        filters = ("decade",)
        profiles = (Developer.objects.all(),)
        profile_fields = ("account__username",)

    assert list(problems_of(Films)) == []
    assert issubclass(Films.items().model, Model)


def test_a_catalogue_without_a_use_case_names_the_file_to_write(settings: Any, tmp_path: Path) -> None:
    settings.TANDEM = {"USE_CASES_DIR": tmp_path}
    problem = next(problems_of(declared()))
    assert problem.id == "tandem.E001"
    assert f"write {tmp_path}/startups.toml" in (problem.hint or "")


def test_a_packaged_use_case_is_not_read_without_the_setting(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RS_USE_CASES_DIR", str(PACKAGED))
    settings.TANDEM, settings.BASE_DIR = {}, tmp_path
    assert {problem.id for problem in check_sources()} == {"tandem.E001"}


def test_a_declaration_that_raises_is_an_error_and_the_others_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(queryset=lambda: 1 / 0)
    declared(catalogue="movies", text=())
    assert [problem.id for problem in check_sources()] == ["tandem.E004", "tandem.E012"]


def test_wrong_settings_are_errors_and_hide_no_other_check(settings: Any) -> None:
    settings.TANDEM = {"CACHE_SECONDS": "long", "SPEED": 9}
    assert [problem.id for problem in check_settings()] == ["tandem.E020", "tandem.E020"]
    assert check_sources() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"SIGNING_KEYS": ""}, "tandem.W001"),
        ({"SIGNING_KEYS": "k1:short"}, "tandem.E021"),
        ({"USER_ID": "nowhere.user_id"}, "tandem.E022"),
    ],
)
def test_a_setting_that_cannot_work_is_reported_with_a_fix(settings: Any, change: dict[str, str], code: str) -> None:
    settings.TANDEM = {**settings.TANDEM, **change}
    (problem,) = check_settings()
    assert problem.id == code
    assert "Fix: " in (problem.hint or "")


def test_the_settings_of_this_project_have_no_problem() -> None:
    assert check_settings() == []


def test_the_warnings_of_published_models_are_shown_before_going_live(tmp_path: Path, settings: Any) -> None:
    settings.TANDEM = {**settings.TANDEM, "MODELS_DIR": tmp_path}
    assert check_models() == []
    for kind, warnings in (("als", ("loses to popularity: validation NDCG@10 0.0927 against 0.1139",)), ("content", ())):
        arrays = {
            "als": {
                "item_ids": np.array([b"1", b"2"]),
                "item_factors": np.eye(2, dtype=np.float32),
                "gram": np.eye(2, dtype=np.float32),
                "item_counts": np.array([1, 2], dtype=np.int32),
            },
            "content": {
                "item_ids": np.array([b"1", b"2"]),
                "terms": np.array([b"go"]),
                "indptr": np.array([0, 1, 1]),
                "indices": np.array([0]),
                "values": np.array([1.0], dtype=np.float32),
            },
        }[kind]
        ArtifactStore(tmp_path / "startups").publish(
            kind, arrays, catalogue="startups", parameters={}, dataset={}, metrics={}, warnings=warnings
        )
    (shown,) = check_models()
    assert (shown.id, shown.msg) == (
        "tandem.W002",
        "startups: als_v1: loses to popularity: validation NDCG@10 0.0927 against 0.1139.",
    )
    (tmp_path / "startups" / "content_v1" / "values.npy").write_bytes(b"")
    (damaged, again) = sorted(check_models(), key=lambda message: str(message.id), reverse=True)
    assert (damaged.id, again.id) == ("tandem.W003", "tandem.W002")
    assert "content_v1" in damaged.msg
