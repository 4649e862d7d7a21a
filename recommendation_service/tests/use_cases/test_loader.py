from pathlib import Path

import pytest

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.loader import load, load_all, load_file, names

TINY = """
name = "tiny"
catalogues = ["things"]
[events]
like = 1.0
[engines]
popular = { kind = "popularity" }
[surfaces.home]
catalogue = "things"
router = { kind = "fixed", options = { engine = "popular" } }
fallback = ["popular"]
"""


def written(folder: Path, text: str, name: str = "tiny") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def test_every_file_of_the_package_loads_under_its_own_name() -> None:
    assert list(load_all()) == list(names())
    assert {"startups", "movies"} <= set(names())
    assert all(use_case.name == name for name, use_case in load_all().items())


def test_a_folder_in_the_environment_takes_the_place_of_the_packages_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, TINY)
    monkeypatch.setenv("RS_USE_CASES_DIR", str(tmp_path))
    assert list(load_all()) == list(names()) == ["tiny"]
    with pytest.raises(ConfigurationError, match="use cases here: tiny"):
        load("startups")
    monkeypatch.setenv("RS_USE_CASES_DIR", "")
    assert load("startups").name == "startups"


def test_the_stated_numbers_of_the_startups_site_are_its_defaults() -> None:
    use_case = load("startups")
    assert use_case.engines["ensemble"].options["members"] == {"als": 0.6, "two_tower": 0.4}
    for name in ("for-developer", "for-investor"):
        surface = use_case.surfaces[name]
        assert surface.router.options == {
            "cold": "content_based",
            "warm": "als",
            "hot": "ensemble",
            "cold_below": 5,
            "warm_below": 20,
        }
        assert surface.fallback == ("ensemble", "als", "two_tower", "content_based", "popular")


def test_a_plain_number_is_an_events_weight(tmp_path: Path) -> None:
    assert load_file(written(tmp_path, TINY)).events["like"].weight == 1.0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('fallback = ["popular"]', 'fallback = ["poplar"]', "tiny.toml: surface 'home' falls back to 'poplar'; .* popular"),
        ('catalogue = "things"', 'catalogue = "thing"', "tiny.toml: surface 'home' shows 'thing'; catalogues are things"),
        ("like = 1.0", "like = 1.0\n[colours]\nred = 1", "tiny.toml: colours: unknown key"),
        (
            'fallback = ["popular"]',
            'fallback = ["popular"]\nnewcomers = "popular"',
            "home.newcomers: unknown key; use 'cold_start_engine'",
        ),
        (
            'fallback = ["popular"]',
            'fallback = ["popular"]\ncount_hits = true',
            "home.count_hits: unknown key; use 'track_cache_hits'",
        ),
        ('name = "tiny"', 'name = "other"', "tiny.toml: name is 'other'"),
        ('name = "tiny"', "name = tiny", "tiny.toml: not valid TOML"),
    ],
)
def test_a_wrong_word_is_named_with_the_file_and_the_words_allowed(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        load_file(written(tmp_path, TINY.replace(old, new)))


def test_a_missing_file_lists_those_there_are(tmp_path: Path) -> None:
    written(tmp_path, TINY)
    with pytest.raises(ConfigurationError, match=r"shop.toml: cannot be read .*use cases here: tiny"):
        load_file(tmp_path / "shop.toml")
