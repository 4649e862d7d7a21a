import pytest

from recommendation_service.errors import ConfigurationError
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.settings import load_settings, override_variable
from recommendation_service.use_cases.loader import load, load_file
from recommendation_service.use_cases.overrides import apply_overrides, apply_training_overrides
from recommendation_service.use_cases.schema import Part, UseCase


def startups(**environ: str) -> UseCase:
    return apply_overrides(load("startups"), load_settings(environ))


def test_without_settings_the_file_stands() -> None:
    assert startups() is load("startups")
    assert startups(ENABLE_ALS="true", ENABLE_ENSEMBLE="true") is load("startups")


@pytest.mark.parametrize(
    ("environ", "off"),
    [
        ({"ENABLE_ALS": "false"}, ("als",)),
        ({"ENABLE_TWO_TOWER": "0"}, ("two_tower",)),
        ({"ENABLE_ENSEMBLE": "no"}, ("ensemble",)),
        ({"ENABLE_ALS": "false", "ENABLE_ENSEMBLE": "false"}, ("als", "ensemble")),
    ],
)
def test_a_switch_turns_its_kind_off_everywhere(environ: dict[str, str], off: tuple[str, ...]) -> None:
    use_case = startups(**environ)
    assert use_case.switched_off == off
    assert use_case.engines["ensemble"].options["without"] == list(off)
    assert set(use_case.engines) == set(load("startups").engines)  # defined and trained all the same


def test_the_thresholds_reach_every_router_that_counts() -> None:
    use_case = startups(COLD_START_THRESHOLD="3", WARM_USER_THRESHOLD="9")
    counting = [surface for surface in use_case.surfaces.values() if surface.router.kind == "by_count"]
    assert len(counting) == 2
    for surface in counting:
        assert surface.router.options["cold_below"] == 3
        assert surface.router.options["warm_below"] == 9
        assert surface.router.options["warm"] == "als"


def test_thresholds_do_not_touch_a_router_that_does_not_count() -> None:
    home = (
        load("startups").surfaces["for-developer"].model_copy(update={"router": Part(kind="fixed", options={"engine": "als"})})
    )
    use_case = load("startups").model_copy(update={"surfaces": {"home": home}})
    changed = apply_overrides(use_case, load_settings({"COLD_START_THRESHOLD": "3"}))
    assert changed.surfaces["home"].router.options == {"engine": "als"}


def test_one_threshold_alone_leaves_the_other() -> None:
    options = startups(COLD_START_THRESHOLD="2").surfaces["for-developer"].router.options
    assert (options["cold_below"], options["warm_below"]) == (2, 20)


def test_a_weight_selects_stated_weights_and_keeps_the_other() -> None:
    options = startups(ENSEMBLE_ALS_WEIGHT="0.7").engines["ensemble"].options
    assert options["members"] == {"als": 0.7, "two_tower": 0.4}
    assert options["weights"] == "configured"
    both = startups(ENSEMBLE_ALS_WEIGHT="0.5", ENSEMBLE_TWO_TOWER_WEIGHT="0.5").engines["ensemble"].options
    assert both["members"] == {"als": 0.5, "two_tower": 0.5}


def test_the_loaded_file_is_never_changed() -> None:
    before = load("startups").model_dump()
    startups(ENABLE_ALS="false", COLD_START_THRESHOLD="1", ENSEMBLE_ALS_WEIGHT="0.9")
    assert load("startups").model_dump() == before


def test_a_file_may_switch_off_an_engine_itself_but_only_one_it_defines(tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = """
name = "tiny"
catalogues = ["things"]
switched_off = ["popular"]
[events]
like = 1.0
[engines]
popular = { kind = "popularity" }
[surfaces.home]
catalogue = "things"
router = { kind = "fixed", options = { engine = "popular" } }
fallback = ["popular"]
"""
    path = tmp_path / "tiny.toml"
    path.write_text(text)
    assert apply_overrides(load_file(path), load_settings({})).switched_off == ("popular",)
    path.write_text(text.replace('["popular"]\n[events]', '["als"]\n[events]'))
    with pytest.raises(Exception, match="switched_off names 'als'; this file defines popular"):
        load_file(path)


def courses(**environ: str) -> UseCase:
    return apply_overrides(load("courses"), load_settings(environ))


def test_a_default_recommender_goes_first_where_the_bandit_would_choose() -> None:
    assert courses(DEFAULT_RECOMMENDER="bandit") is load("courses")
    changed = courses(DEFAULT_RECOMMENDER="content")
    assert changed.surfaces["home"].router == Part(kind="fixed", options={"engine": "content"})
    assert changed.surfaces["similar"] == load("courses").surfaces["similar"]
    assert startups(DEFAULT_RECOMMENDER="content") is load("startups")


def test_a_default_recommender_that_is_no_engine_stops_the_start_and_lists_them() -> None:
    with pytest.raises(ConfigurationError, match="router fixed names 'contents'; engines are content, ease, hybrid"):
        Plan.build(courses(DEFAULT_RECOMMENDER="contents"), "home")


def test_the_weights_of_the_hybrid_are_those_of_its_own_three_kinds() -> None:
    changed = courses(HYBRID_WEIGHTS_TWO_TOWER="0.2", HYBRID_WEIGHTS_CONTENT="0.5")
    assert changed.engines["hybrid"].options["members"] == {"two_tower": 0.2, "popularity": 0.3, "content": 0.5}
    assert changed.engines["hybrid"].options["weights"] == "configured"
    assert startups(HYBRID_WEIGHTS_TWO_TOWER="0.2") is load("startups")


def test_sizes_reach_training_and_leave_other_use_cases_alone() -> None:
    settings = load_settings({"EMBEDDING_DIM": "32", "ITEM_FEATURE_DIM": "16"})
    told = apply_training_overrides(load("courses"), settings).engines["two_tower"].training
    assert told == {"dimension": 32, "hidden": 64, "item_feature_dim": 16}
    assert apply_training_overrides(load("courses"), load_settings({})) is load("courses")


def shop(**environ: str) -> UseCase:
    return apply_overrides(load("shop"), load_settings(environ))


def test_the_three_weights_of_the_shop_are_settings_by_the_names_of_its_list() -> None:
    changed = shop(CONTENT_WEIGHT="0.2", POPULARITY_WEIGHT="0.1").engines
    assert changed["hybrid"].options["members"] == {"content_based": 0.2, "collaborative": 0.3, "popular": 0.1}
    assert changed["hybrid"].options["weights"] == "configured"
    assert changed["goes_with"] == load("shop").engines["goes_with"]
    assert changed["collaborative"] == load("shop").engines["collaborative"]
    assert courses(COLLABORATIVE_WEIGHT="0.4") is load("courses")


def test_weights_of_members_that_a_blend_has_not_leave_its_learned_weights_alone() -> None:
    assert shop(ENSEMBLE_ALS_WEIGHT="0.7") is load("shop")
    assert courses(ENSEMBLE_ALS_WEIGHT="0.7") is load("courses")


@pytest.mark.parametrize("name", ["startups", "movies", "shop", "posts", "courses"])
def test_every_blend_for_people_learns_its_weights_and_may_weigh_the_new_engines(name: str) -> None:
    main = load(name).main_ensemble()
    assert main is not None
    assert main[1].options["weights"] == "learned"
    assert {"ease", "next_item"} <= set(main[1].options["learnable_members"])
    for surface in load(name).surfaces.values():
        if surface.about == "user":
            assert {"ease", "next_item"} <= set(surface.strategies)


def foreign(source: str) -> UseCase:
    """A use case of another site with the engines and surfaces of a packaged one."""
    return load(source).model_copy(update={"name": "foreign"})


@pytest.mark.parametrize("source", ["startups", "courses", "shop"])
def test_a_use_case_of_the_same_shape_and_another_name_is_untouched(source: str) -> None:
    settings = load_settings(
        {
            "ENABLE_ALS": "false",
            "ENABLE_ENSEMBLE": "false",
            "ENSEMBLE_ALS_WEIGHT": "0.9",
            "COLD_START_THRESHOLD": "1",
            "DEFAULT_RECOMMENDER": "content",
            "HYBRID_WEIGHTS_POPULARITY": "0.9",
            "EMBEDDING_DIM": "32",
            "CONTENT_WEIGHT": "0.9",
            "EMBEDDING_DIMENSION": "32",
        }
    )
    use_case = foreign(source)
    assert apply_overrides(use_case, settings) is use_case
    assert apply_training_overrides(use_case, settings) is use_case
    assert apply_overrides(load(source), settings) is not load(source)


def test_a_variable_with_the_name_of_a_use_case_overrides_that_one_only() -> None:
    settings = load_settings({"RS_MOVIES_ENABLE_ALS": "false", "RS_MOVIES_ENSEMBLE_TWO_TOWER_WEIGHT": "0.7"})
    movies = apply_overrides(load("movies"), settings)
    assert movies.switched_off == ("als",)
    assert movies.engines["ensemble"].options["members"] == {"als": 0.6, "two_tower": 0.7}
    assert apply_overrides(load("startups"), settings) is load("startups")


def test_a_variable_with_the_name_of_its_own_use_case_comes_before_the_plain_one() -> None:
    changed = startups(COLD_START_THRESHOLD="2", RS_STARTUPS_COLD_START_THRESHOLD="3")
    assert changed.surfaces["for-developer"].router.options["cold_below"] == 3


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"RS_MOVEIS_ENABLE_ALS": "false"}, "RS_MOVEIS_ENABLE_ALS: there is no use case 'moveis' in .*use_cases"),
        ({"RS_MOVIES_ENABLE_ALS": "perhaps"}, "RS_MOVIES_ENABLE_ALS: Input should be a valid boolean"),
        ({"RS_MOVIES_ENABLE_ALSO": "false"}, "unknown setting RS_MOVIES_ENABLE_ALSO"),
    ],
)
def test_a_misspelt_override_stops_the_start(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_settings(environ)


def test_a_weight_of_a_member_that_the_ensemble_lacks_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"posts: RS_POSTS_ENSEMBLE_ALS_WEIGHT is set, but .* no member of kind 'als'"):
        apply_overrides(load("posts"), load_settings({"RS_POSTS_ENSEMBLE_ALS_WEIGHT": "0.5"}))


@pytest.mark.parametrize(
    ("use_case", "variable"), [("startups", "ENABLE_ALS"), ("movies", "RS_MOVIES_ENABLE_ALS"), ("shop", "RS_SHOP_ENABLE_ALS")]
)
def test_the_name_of_the_variable_that_sets_an_override(use_case: str, variable: str) -> None:
    assert override_variable("enable_als", use_case) == variable
    assert load_settings({variable: "false"}).overrides_for(use_case) == {"enable_als": False}
