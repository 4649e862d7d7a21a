"""`tandem recommend` and `tandem show-config`: ask the service without a server."""

import time
from typing import Annotated

import typer

from recommendation_service.commands.options import UseCaseName
from recommendation_service.domain.request import DEFAULT_LIMIT, create_request
from recommendation_service.errors import InvalidInput
from recommendation_service.settings import Settings, load_settings
from recommendation_service.training.report import Report
from recommendation_service.wiring import build_live


def show_config() -> None:
    """Print every setting of the environment. Secrets are masked.

    Example: tandem show-config
    """
    settings = load_settings()
    for name, field in Settings.model_fields.items():
        typer.echo(f"{field.alias}={getattr(settings, name)}")
    Report().next_command("tandem doctor")


def recommend(
    use_case: UseCaseName,
    surface: Annotated[str, typer.Option(metavar="NAME", help="A surface of the use case, such as for-developer.")],
    user: Annotated[str | None, typer.Option(metavar="ID", help="The user that the list is for.")] = None,
    about: Annotated[
        str | None, typer.Option(metavar="ID", help="For a surface about an item: the item that the list is about.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Number of items.")] = DEFAULT_LIMIT,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
) -> None:
    """Print one list, as the service would answer. With --json, only the answer is printed.

    Example: tandem recommend --use-case startups --surface for-developer --user u001
    """
    if (user is None) == (about is None):
        raise typer.BadParameter("give one of them: --user ID or --about ID", param_hint="--user / --about")
    live = build_live(load_settings().model_copy(update={"use_cases": use_case}))
    surfaces = live.use_cases[use_case].surfaces
    if surface not in surfaces:
        raise InvalidInput(f"{use_case} has no surface '{surface}'; there are {', '.join(surfaces)}")
    if surfaces[surface].catalogue not in live.serving.catalogues:
        raise InvalidInput(f"no export of {surfaces[surface].catalogue} yet; run: manage.py generate_all_datasets")
    subject = {"user_id": user} if user is not None else {"item_ids": (about,)}
    request = create_request(**subject, limit=limit, explain=as_json)
    answer = live.serving.recommender.recommend(request, use_case=use_case, surface=surface, now=time.time())
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
        return
    model, count = f" ({answer.model_version})" if answer.model_version else "", answer.interaction_count
    typer.echo(f"{answer.method_used}{model}, {count} {'interaction' if count == 1 else 'interactions'}")
    for skip in answer.degradation:
        typer.echo(f"  skipped {skip.engine}: {skip.detail}")
    for item in answer.recommendations:
        typer.echo(f"{item.position:>3}  {item.score:.4f}  {item.item_id}  {item.title}  {'; '.join(item.reasons)}")
    measured = surfaces[surface].about == "user" and not answer.degradation
    Report().next_command(f"tandem {'evaluate lists' if measured else 'doctor'} --use-case {use_case}")
