"""The wheel: what it holds, what its Django part needs, and that this part works with nothing else installed."""

import re
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest

from recommendation_service import __version__
from tests.infra.reader import BLOCKS, Reader
from tests.support.wheel import distributions_of, make_environment

MEGABYTE = 1_000_000
LOAD_COMMANDS = """
from django.core.management import get_commands, load_command_class
own = [name for name, app in get_commands().items() if app == "tandem"]
assert len(own) >= 10, own
for name in own:
    load_command_class("tandem", name)
"""
RECOMMEND = """
from tandem.services.recommend import recommend
slate = recommend(use_case="jobs", surface="for-candidate", user_id="1", limit=5)
print(len(slate["recommendations"]), slate["degradation"][0]["code"])
import django.contrib.admin, tandem.admin
"""


def test_it_holds_the_two_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "recommendation_service",
        "tandem",
        f"tandem_recommendations-{__version__}.dist-info",
    }
    assert [
        name for name in names if re.search(r"(^|/)tests/|use_cases/.*\.toml$|Dockerfile|requirements|\.current$|\.npz?$", name)
    ] == []
    assert {"recommendation_service/py.typed", "tandem/py.typed", "tandem/migrations/0001_initial.py"} <= set(names)


def test_its_metadata_and_its_license_file_say_mit(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        root = f"tandem_recommendations-{__version__}.dist-info"
        metadata = BytesParser().parsebytes(archive.read(f"{root}/METADATA"))
        assert metadata["License-Expression"] == "MIT"
        (license_file,) = metadata.get_all("License-File")
        assert archive.read(f"{root}/licenses/{license_file}").startswith(b"MIT License\n")


def test_every_module_of_the_two_packages_is_in_it(wheel: Path) -> None:
    import recommendation_service
    import tandem

    names = set(zipfile.ZipFile(wheel).namelist())
    for package in (recommendation_service, tandem):
        root = Path(package.__path__[0])
        modules = [path.relative_to(root.parent) for path in root.rglob("*.py") if "tests" not in path.parts]
        assert [str(module) for module in modules if str(module) not in names] == []


def test_the_django_part_needs_at_most_fifteen_packages_and_250_megabytes(wheel: Path) -> None:
    needed = distributions_of(wheel, ["django"])
    assert len(needed) + 1 <= 15, sorted(needed)
    size = sum(file.size or 0 for distribution in needed.values() for file in distribution.files or ())
    assert size <= 250 * MEGABYTE, f"{size / MEGABYTE:.0f} MB"


@pytest.mark.timeout(240)
def test_the_django_part_works_alone_in_a_site_with_its_own_api_and_recommendations(tmp_path: Path, wheel: Path) -> None:
    reader = Reader(tmp_path, wheel)
    installed = make_environment(tmp_path / ".venv", wheel, ["django"])
    assert not {"djangorestframework", "redis", "pyarrow", "flask"} & set(installed)
    for language, block in BLOCKS:
        if language != "sh" or "startproject" in block or "RS_SIGNING_KEYS" in block:
            reader.follow(language, block)
    for package in ("api", "recommendations"):
        commands = reader.folder / package / "management/commands"
        commands.mkdir(parents=True)
        for folder in (reader.folder / package, commands.parent, commands):
            (folder / "__init__.py").touch()
        (commands / f"own_{package}.py").write_text("from django.core.management.base import BaseCommand as Command\n")
    with (reader.folder / "board/settings.py").open("a") as settings:
        settings.write('INSTALLED_APPS += ["api", "recommendations"]\n')

    assert "no issues" in reader.manage("check")
    reader.manage("makemigrations", "jobs")
    reader.manage("migrate")
    assert "No changes" in reader.manage("makemigrations", "--check")
    commands = reader.manage("help", "--commands").split()
    assert {"own_api", "own_recommendations", "sync_interactions", "generate_als_dataset", "issue_token"} <= set(commands)
    reader.manage("shell", "-c", LOAD_COMMANDS)
    reader.follow("sh", "python manage.py shell < sample_data.py\n")
    assert "added" in reader.manage("sync_interactions")
    (reader.folder / "past.csv").write_text("user,job,what\n1,1,view\n")
    mapping = ("user=user", "item=job", "event=what")
    assert "1 were written" in reader.manage("import_interactions", "past.csv", "--catalogue", "jobs", "--map", *mapping)
    assert reader.manage("shell", "-c", RECOMMEND).endswith("5 unreachable\n")
    assert reader.manage("issue_token", "--service").count(".") == 2
    assert "deleted: " in reader.manage("erase_user", "1")
    with pytest.raises(AssertionError, match=r"pip install 'tandem-recommendations\[export\]'"):
        reader.manage("generate_all_datasets")
