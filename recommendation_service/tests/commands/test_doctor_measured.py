"""`doctor --measure` as it is used: what it prints and writes of sites known by heart."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recommendation_service import train_all
from recommendation_service.cli import main
from recommendation_service.tests.support import surgery
from recommendation_service.tests.support.cleaning import export_cleaning
from recommendation_service.tests.support.exports import NOW, Happening

MEASURE = ["doctor", "--use-case", "clinic", "--measure"]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A service of one small site, which has no export yet."""
    for name, value in surgery.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return tmp_path


def look(capsys, *more):
    """The lines of one look, without spaces around them."""
    assert main([*MEASURE, *more]) == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def below(lines, heading):
    """The lines of one part."""
    start = next(place for place, line in enumerate(lines) if line.startswith(heading)) + 1
    return lines[start : lines.index("", start)] if "" in lines[start:] else lines[start:]


def everything(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_it_finds_the_threshold_a_world_was_made_with_and_says_how_to_set_it(root, capsys):
    surgery.export_clinic(root, surgery.regulars_know())
    told, how = below(look(capsys), "thresholds")
    assert told.startswith("home (popular, then ease, then ease; NDCG@10 0.")
    assert ": change 5 and 20 to 10 and 20: validation prefers 10 and 20 (+0." in told
    assert ", and the test part shows +0." in told
    assert "(cold_below = 10, warm_below = 20), or for every surface by RS_CLINIC_COLD_START_THRESHOLD=10 " in how
    assert how.endswith("RS_CLINIC_WARM_USER_THRESHOLD=20")


def test_what_it_says_of_thresholds_comes_true_when_they_are_set(root, capsys, monkeypatch):
    surgery.export_clinic(root, surgery.regulars_know())
    before = json_of(root, capsys)["thresholds"][0]
    monkeypatch.setenv("RS_CLINIC_COLD_START_THRESHOLD", "10")
    after = json_of(root, capsys)["thresholds"][0]
    assert after["reached"] == pytest.approx(before["reached"] + before["confirmed_on"]["mean"])
    assert not after["change"]


def test_where_there_is_nothing_to_know_nothing_is_recommended(root, capsys):
    surgery.export_clinic(root, surgery.by_lot())
    lines = look(capsys)
    (told,) = below(lines, "thresholds")
    assert ": keep 5 and 20: " in told
    ease, content = below(lines, "what is worth")
    assert ease.startswith("ease does not beat popular here (")
    assert ease.endswith(": let popular go first instead on home, and switch it off")
    assert content.endswith(": keep it for similar, where lists are not about a person")


def test_a_method_made_of_noise_is_refused_and_a_good_one_is_not(root, capsys):
    surgery.export_clinic(root, surgery.regulars_know())
    ease, content = below(look(capsys), "what is worth")
    assert ease.startswith("ease beats popular, the best cheaper one (+0.")
    assert content.startswith("content is worse than ease here (-0.")


def json_of(root, capsys):
    look(capsys, "--json", str(root / "found.json"))
    (measured,) = json.loads((root / "found.json").read_bytes())["measured"]
    return measured


def test_everything_is_written_as_json_too(root, capsys):
    surgery.export_clinic(root, surgery.regulars_know())
    found = json_of(root, capsys)
    assert (found["catalogue"], found["export"]) == ("clinic", "export_v1")
    assert {one["model"] for one in found["figures"]} == {"popular", "ease", "content"}
    assert found["coverage"]["ease"] == {"people": 1.0, "items": 1.0}
    assert [(one["method"], one["rival"], one["recommended"]) for one in found["verdicts"]] == [
        ("ease", "popular", True),
        ("content", "ease", False),
    ]
    (thresholds,) = found["thresholds"]
    assert thresholds["surfaces"] == ["home"]
    assert thresholds["preferred"] == {"cold_below": 10, "warm_below": 20}
    assert thresholds["confirmed_on"]["low"] > 0
    assert all(set(gap) == {"missing", "fix"} for gap in found["log_next"])


def test_it_changes_and_publishes_nothing(root, capsys):
    surgery.export_clinic(root, surgery.regulars_know(people=30))
    before = everything(root)
    look(capsys)
    assert everything(root) == before


def test_the_settings_of_published_models_are_taken(root, capsys):
    surgery.export_clinic(root, surgery.regulars_know())
    assert "settings: as stated, nothing is published yet" in look(capsys)
    told = ["--use-case", "clinic", "--data-dir", str(root / "data"), "--models-dir", str(root / "models")]
    assert train_all.main([*told, "--budget-seconds", "2"]) == 0
    capsys.readouterr()
    lines = look(capsys)
    assert "settings: content as in content_v1, ease as in ease_v1; the others as stated" in lines
    assert "the settings of content, ease were chosen on events of this test part too: expect a little less" in lines
    manifest = json.loads((root / "models" / "clinic" / "ease_v1" / "manifest.json").read_bytes())
    assert manifest["parameters"]["regularization"] != 500.0  # so these are not the stated ones
    assert any(line.startswith("ease: ease_v1, 0.0 days old") for line in lines)


def test_too_little_is_told_with_what_is_missing_and_who_answers(root, capsys):
    surgery.export_clinic(root, [Happening("a", "i001", "like", NOW), Happening("b", "i002", "like", NOW - 9)], items=10)
    lines = look(capsys)
    (told,) = [line for line in lines if "not enough data to measure" in line]
    assert told.startswith("clinic: not enough data to measure methods: ")
    assert told.endswith("; popular items serve")
    assert any(line.startswith("only 0 of 2 active people have 5 or more interactions: mirror more") for line in lines)


def test_items_without_any_interaction_are_no_error(root, capsys):
    surgery.export_clinic(root, [], items=10)
    body = json_of(root, capsys)
    assert body["not_measured"] == "there are no positive interactions"


def test_without_an_export_the_next_command_makes_one(root, capsys):
    lines = look(capsys)
    assert "clinic: nothing to measure: no export yet" in lines
    assert lines[-1] == "next: manage.py generate_all_datasets"


def test_the_budget_ends_it_and_what_was_left_out_is_told(root, capsys):
    surgery.export_clinic(root, surgery.regulars_know())
    lines = look(capsys, "--budget-seconds", "-1")
    assert "ease: not measured: the budget of -1 s was over before it began" in lines
    assert not any(line.startswith("ease beats") for line in lines)
    assert below(lines, "thresholds") == ["home: not compared, for ease was not measured"]
    assert below(lines, "methods")[1].startswith("popular")


def test_the_short_look_stays_short_and_names_the_long_one(root, capsys):
    surgery.export_clinic(root, surgery.regulars_know(people=30))
    assert main(["doctor"]) == 0
    short = capsys.readouterr().out
    assert "--measure" not in short
    assert main(["doctor", "--use-case", "clinic", "--json", str(root / "short.json")]) == 0
    assert "tandem doctor --use-case clinic --measure" in capsys.readouterr().out
    body = json.loads((root / "short.json").read_bytes())
    assert body["use_cases"] == ["clinic"]
    assert "\n".join(body["lines"]) in short
    assert "measured" not in body


def test_a_marketplace_of_pairs_is_told_who_measures_it(root, capsys, monkeypatch):
    monkeypatch.delenv("RS_USE_CASES_DIR")
    export_cleaning(root)
    assert main(["doctor", "--use-case", "cleaning", "--measure"]) == 0
    told = capsys.readouterr().out
    for catalogue in ("cleaners", "jobs"):
        assert f"{catalogue}: no list here is about a person" in told
    assert "who is hired: tandem evaluate hires --use-case cleaning" in told
    assert "what is bid: tandem evaluate bids --use-case cleaning" in told
    assert "only 0 pairs came to an agreement: give them in ItemSource.matches" in told
    assert "not enough data" not in told


@pytest.mark.parametrize("wrong", [["doctor", "--measure"], ["doctor", "--budget-seconds", "soon"]])
def test_wrong_usage_is_exit_code_2(root, wrong, capsys):
    assert main(wrong) == 2
    assert "Usage:" in capsys.readouterr().err


def test_a_use_case_without_a_file_is_one_line(root, capsys):
    assert main(["doctor", "--use-case", "nope", "--measure"]) == 1
    assert "no file for nope" in capsys.readouterr().err


def test_the_short_look_loads_nothing_that_trains():
    probe = "import sys, recommendation_service.cli as _; print({'torch', 'implicit', 'sklearn', 'pyarrow'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"
