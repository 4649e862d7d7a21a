"""The `tandem` command: look at the configuration, ask for a list, see and roll back models, find what is missing."""

from recommendation_service.core import threads  # isort: skip  # first: it must come before numpy

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from recommendation_service.commands import reference_docs
from recommendation_service.commands.doctor import examine
from recommendation_service.domain.ids import clean_id
from recommendation_service.domain.request import DEFAULT_LIMIT, create_request
from recommendation_service.errors import InvalidInput, TandemError
from recommendation_service.kinds import KINDS as ALL_KINDS
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.services.serving import ServingState
from recommendation_service.settings import Settings, load_settings
from recommendation_service.web.models import listing
from recommendation_service.wiring import build_engines, build_live, served_use_cases, watched_kinds

KINDS = tuple(name for name, kind in ALL_KINDS.items() if kind.arrays)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command: 0 done, 1 expected failure in one line, 2 wrong usage."""
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    if rest and options.command is not _train:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    if getattr(options, "measure", False) and not options.use_case:
        parser.error("--measure looks at one use case: name it (--use-case startups)")
    try:
        threads.check()
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except TandemError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return 1


def run() -> None:
    """Entry of the console script."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `tandem models | head` ends quietly, as other commands do
    sys.exit(main())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tandem", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("show-config", help="print every setting, secrets masked")
    command.set_defaults(command=_show_config)

    command = commands.add_parser("recommend", help="print one list, as the service would answer")
    command.add_argument("--use-case", required=True)
    command.add_argument("--surface", required=True)
    subject = command.add_mutually_exclusive_group(required=True)
    subject.add_argument("--user", help="user id")
    subject.add_argument("--about", help="id of an item, or of what the list is for, where the surface is not about a user")
    command.add_argument("--limit", type=int, default=DEFAULT_LIMIT)
    command.add_argument("--json", action="store_true", help="the whole answer as JSON")
    command.set_defaults(command=_recommend)

    command = commands.add_parser("models", help="list what is published and what serves")
    command.add_argument("action", nargs="?", choices=["list"], default="list")
    command.set_defaults(command=_models)

    command = commands.add_parser("rollback", help="point to an older model; running workers take it up by themselves")
    command.add_argument("kind", choices=KINDS)
    command.add_argument("--version", help="such as als_v3; without: the newest good one below today's")
    target = command.add_mutually_exclusive_group(required=True)
    target.add_argument("--use-case", help="roll back in every catalogue of this use case")
    target.add_argument("--catalogue")
    command.set_defaults(command=_rollback)

    command = commands.add_parser("doctor", help="what is there, how old it is, what it supports, and what to run next")
    command.add_argument("--use-case", metavar="NAME", help="look at this one only")
    command.add_argument(
        "--measure", action="store_true", help="train and compare its methods on its export; publishes nothing"
    )
    command.add_argument(
        "--budget-seconds", type=float, default=300.0, metavar="S", help="no method is begun after this (default: 300)"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="also write what was found as JSON")
    command.set_defaults(command=_doctor)

    command = commands.add_parser("train", add_help=False, help="train one kind of model: tandem train KIND --help")
    command.add_argument("kind", choices=[name for name, kind in ALL_KINDS.items() if kind.trainer])
    command.set_defaults(command=_train)

    command = commands.add_parser("docs", help="write the generated pages of docs/reference")
    command.add_argument("--check", action="store_true", help="only tell whether they are fresh")
    command.add_argument("--folder", type=Path, default=reference_docs.FOLDER)
    command.set_defaults(command=_docs)
    return parser


def _train(options: argparse.Namespace) -> int:
    from recommendation_service.training.train_command import OneKind  # training libraries take seconds to import

    purpose = f"Train the models of kind {options.kind} of published exports, and publish each that passes the gate."
    return OneKind(f"tandem train {options.kind}", purpose, options.kind).run(options.rest, build_engines)


def _show_config(_options: argparse.Namespace) -> int:
    settings = load_settings()
    for name, field in Settings.model_fields.items():
        print(f"{field.alias}={getattr(settings, name)}")
    return 0


def _recommend(options: argparse.Namespace) -> int:
    settings = load_settings().model_copy(update={"use_cases": options.use_case})
    live = build_live(settings)
    surface = live.use_cases[options.use_case].surfaces.get(options.surface)
    if surface is None:
        known = ", ".join(live.use_cases[options.use_case].surfaces)
        raise InvalidInput(f"{options.use_case} has no surface '{options.surface}'; there are {known}")
    if surface.catalogue not in live.serving.catalogues:
        raise InvalidInput(f"no export of {surface.catalogue} yet; run: manage.py generate_all_datasets")
    subject = {"user_id": options.user} if options.user is not None else {"item_ids": (options.about,)}
    request = create_request(**subject, limit=options.limit, explain=options.json)
    answer = live.serving.recommender.recommend(request, use_case=options.use_case, surface=options.surface, now=time.time())
    if options.json:
        print(answer.model_dump_json(indent=2))
        return 0
    model, count = f" ({answer.model_version})" if answer.model_version else "", answer.interaction_count
    print(f"{answer.method_used}{model}, {count} {'interaction' if count == 1 else 'interactions'}")
    for skip in answer.degradation:
        print(f"  skipped {skip.engine}: {skip.detail}")
    for item in answer.recommendations:
        print(f"{item.position:>3}  {item.score:.4f}  {item.item_id}  {item.title}  {'; '.join(item.reasons)}")
    return 0


def _models(_options: argparse.Namespace) -> int:
    live = build_live(load_settings())
    for row in listing(live):
        columns = f"{row.catalogue:<12} {row.kind:<10} {row.version or '-':<14} {row.created_at or '-':<26}"
        label = f"({row.label}) " if row.label else ""
        print(f"{columns} {label}{_tuned(live, row.catalogue, row.kind)}{row.problem or ''}".rstrip())
    return 0


def _tuned(live: ServingState, catalogue: str, kind: str) -> str:
    """What a search of a model's settings gained; nothing where there was none."""
    model = live.loaded_catalogues[catalogue].models.get(kind)
    tuning = model.value.manifest.metrics.get("tuning") if model and model.value else None
    if not tuning:
        return ""
    end = "" if tuning["whole_search"] else ", ended by its budget"
    return f"tuned: NDCG@10 {tuning['gain']:+.0%} over the configured settings, {tuning['tried']} tried{end} "


def _rollback(options: argparse.Namespace) -> int:
    settings = load_settings()
    catalogues = [options.catalogue]
    if options.use_case:
        wanted = settings.model_copy(update={"use_cases": options.use_case})
        use_case = served_use_cases(wanted)[options.use_case]
        matching = [name for name in use_case.catalogues if options.kind in watched_kinds(use_case, name)]
        catalogues = matching or list(use_case.catalogues)
    for catalogue in catalogues:
        artifact = ArtifactStore(settings.models_dir / clean_id(catalogue, field="catalogue")).rollback(
            options.kind, options.version
        )
        print(
            f"{catalogue}: {options.kind} is {artifact.version} again; workers take it up within {settings.reload_seconds:g} s"
        )
    return 0


def _doctor(options: argparse.Namespace) -> int:
    settings = load_settings()
    if options.use_case:
        settings = settings.model_copy(update={"use_cases": options.use_case})
    live, now = build_live(settings), time.time()
    lines, next_command = examine(live, now=now)
    body: dict[str, Any] = {"use_cases": list(live.use_cases), "lines": lines, "next": next_command}
    print("\n".join(lines), flush=True)
    if options.measure:
        from recommendation_service.commands import (
            doctor_measured,  # training's libraries take seconds; the short look needs none
        )

        body["measured"] = doctor_measured.look(live, options.use_case, settings, now=now, budget_s=options.budget_seconds)
    elif options.use_case:
        print(f"  which methods and thresholds suit it: tandem doctor --use-case {options.use_case} --measure")
    if options.json:
        options.json.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n")
    print(f"next: {next_command}")
    return 0


def _docs(options: argparse.Namespace) -> int:
    stale = reference_docs.stale(options.folder)
    if options.check:
        for name in stale:
            sys.stderr.write(f"error: docs/reference/{name} is not fresh; run: python -m recommendation_service.cli docs\n")
        return 1 if stale else 0
    reference_docs.write(options.folder)
    print("\n".join(f"wrote {name}" for name in stale) or "nothing to write: all pages are fresh")
    return 0


if __name__ == "__main__":
    run()
