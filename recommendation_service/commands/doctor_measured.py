"""The doctor's long look: what a site's export supports, what each method is worth there, which thresholds fit.

Trains and measures on the export; publishes nothing and changes no file.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from recommendation_service.commands.doctor_surfaces import measured, of_persons, preference, routed, uses_of
from recommendation_service.datasets.checks import check
from recommendation_service.datasets.gaps import gaps_of
from recommendation_service.datasets.reader import Dataset, Events
from recommendation_service.errors import DatasetError
from recommendation_service.services.serving import LoadedCatalogue, ServingState
from recommendation_service.settings import Settings, override_variable
from recommendation_service.training.comparison.doctor_tables import table
from recommendation_service.training.comparison.methods import DEFAULT_BUDGET_S, MethodComparer, MethodComparison
from recommendation_service.training.comparison.routing_thresholds import Thresholds
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import KINDS, Parameters, parameters_from, stated_for
from recommendation_service.use_cases.overrides import apply_training_overrides
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_engines

POPULAR = "popular items serve"
SEED = 42


@dataclass(slots=True)
class Findings:
    """What was found about one catalogue, in lines for people and as a body for JSON."""

    lines: list[str] = field(default_factory=list)
    body: dict[str, Any] = field(default_factory=dict)

    def part(self, heading: str, lines: Iterable[str]) -> None:
        """A heading with its lines below."""
        self.lines += ["", f"{heading}:", *(f"  {line}" for line in lines)]


def look(
    live: ServingState,
    name: str,
    settings: Settings,
    *,
    now: float,
    budget_s: float = DEFAULT_BUDGET_S,
    report: Report | None = None,
) -> list[dict[str, Any]]:
    """Measure every catalogue of a use case, tell each in lines as it is done, and give all of it for JSON."""
    use_case, said, bodies = apply_training_overrides(live.use_cases[name], settings), report or Report(), []
    for catalogue in use_case.catalogues:
        found = measure(use_case, live.loaded_catalogues[catalogue], said, now=now, budget_s=budget_s)
        said.line("\n".join(["", *found.lines]))
        bodies.append(found.body)
    return bodies


def measure(
    use_case: UseCase, loaded: LoadedCatalogue, report: Report, *, now: float, budget_s: float = DEFAULT_BUDGET_S
) -> Findings:
    """Everything about one catalogue of a use case. Too little to measure on is a finding, not an error.

    `now` is epoch seconds; no method is begun when `budget_s` seconds are over.
    """
    found = Findings(body={"catalogue": loaded.name})
    if loaded.export.value is None:
        why = loaded.export.problem or "no export yet"
        found.lines.append(f"{loaded.name}: nothing to measure: {why}")
        found.body["not_measured"] = why
        return found
    dataset = loaded.export.value.dataset
    events = dataset.events()
    try:
        if any(of_persons(use_case, loaded.name)):
            _examine(found, use_case, loaded, dataset, events, report, now=now, budget_s=budget_s)
        else:
            _elsewhere(found, use_case, loaded.name)
    except DatasetError as error:
        found.lines.append(f"{loaded.name}: not enough data to measure methods: {error.message}; {POPULAR}")
        found.body["not_measured"] = error.message
    gaps = gaps_of(dataset, events, use_case, now=now)
    found.part("what to log next", [gap.told() for gap in gaps] or ["nothing that this command looks for is missing"])
    found.body["log_next"] = [asdict(gap) for gap in gaps]
    return found


def _examine(
    found: Findings,
    use_case: UseCase,
    loaded: LoadedCatalogue,
    dataset: Dataset,
    events: Events,
    report: Report,
    *,
    now: float,
    budget_s: float,
) -> None:
    looked = check(dataset, events, now=now)
    if looked.blocking:
        raise DatasetError(looked.blocking[0])
    comparer = MethodComparer(use_case, dataset, build_engines, report)
    parameters, published, flattered = _settings(use_case, loaded, comparer.test_start)
    comparison = comparer.run(
        measured(use_case, loaded.name), parameters, uses=uses_of(use_case, loaded.name), budget_s=budget_s
    )
    valid, test = len(comparer.valid), len(comparer.test)
    found.lines.append(
        f"{loaded.name}: {dataset.version} cut by time: {valid:,} people in the validation part, which chooses,"
        f" {test:,} in the test part, which is asked once"
    )
    found.lines += _about_settings(published, flattered)
    found.lines += [f"{loaded.name}: {warning}" for warning in looked.warnings]
    found.body |= {"export": dataset.version, "validation_people": valid, "test_people": test, "published": published}
    _tell_methods(found, comparison)
    _tell_thresholds(found, use_case, loaded.name, comparison)


def _about_settings(published: dict[str, str], flattered: list[str]) -> list[str]:
    told = [f"{kind} as in {version}" for kind, version in published.items()]
    there = f"{', '.join(told)}; the others as stated" if told else "as stated, nothing is published yet"
    lines = [f"settings: {there}"]
    if flattered:
        lines.append(
            f"the settings of {', '.join(flattered)} were chosen on events of this test part too: expect a little less"
        )
    return lines


def _tell_methods(found: Findings, comparison: MethodComparison) -> None:
    found.part(
        "methods (people: validation people it answers for; items: of the catalogue; NDCG@10 with 95 % on the test part)",
        table(comparison).splitlines(),
    )
    verdicts = [verdict.summary() for verdict in comparison.verdicts]
    verdicts += [f"{name}: {why}" for name, why in comparison.missing.items()]
    found.part("what is worth its cost (each against the best cheaper one, paired, for the people it answers for)", verdicts)
    found.body |= {
        "figures": [asdict(one) for one in comparison.figures],
        "coverage": {name: {"people": people, "items": items} for name, (people, items) in comparison.coverage().items()},
        "verdicts": [{**asdict(one), "recommended": one.recommended, "told": one.summary()} for one in comparison.verdicts],
        "missing": dict(comparison.missing),
    }


def _tell_thresholds(found: Findings, use_case: UseCase, catalogue: str, comparison: MethodComparison) -> None:
    lines, bodies = [], []
    for names, surface in routed(use_case, catalogue):
        ways = [surface.router.options[way] for way in ("cold", "warm", "hot")]
        absent = [name for name in dict.fromkeys(ways) if name not in comparison.test.answers]
        if absent:
            lines.append(f"{', '.join(names)}: not compared, for {', '.join(absent)} was not measured")
            continue
        best = preference(use_case, names[0], comparison)
        lines.append(f"{', '.join(names)} ({', then '.join(ways)}; NDCG@10 {best.reached:.4f} as routed now): {best.summary()}")
        if best.change:
            lines.append(f"  {_how(names, best.preferred, ways, use_case)}")
        bodies.append({"surfaces": names, **asdict(best), "change": best.change, "told": best.summary()})
    if lines:
        found.part("thresholds (cold_below and warm_below)", lines)
    found.body["thresholds"] = bodies


def _how(names: list[str], pair: Thresholds, ways: list[str], use_case: UseCase) -> str:
    places = " and ".join(f"[surfaces.{name}.router]" for name in names)
    cold, warm = (override_variable(field, use_case.name) for field in ("cold_start_threshold", "warm_user_threshold"))
    return (
        f"{pair.means(*ways)}; say so in {places} of {use_case.name}.toml (cold_below = {pair.cold_below},"
        f" warm_below = {pair.warm_below}), or for every surface by {cold}={pair.cold_below} {warm}={pair.warm_below}"
    )


def _settings(
    use_case: UseCase, loaded: LoadedCatalogue, test_start: float
) -> tuple[dict[str, Parameters], dict[str, str], list[str]]:
    """Parameters by kind; the versions of published models they are of; kinds whose settings the test part helped choose."""
    parameters, published, flattered = {}, {}, []
    for kind in KINDS:
        if not use_case.engine_of_kind(kind):
            continue
        model = loaded.models[kind].value if kind in loaded.models else None
        if model is None:
            parameters[kind] = stated_for(use_case, kind, seed=SEED)
            continue
        parameters[kind] = parameters_from(kind, model.manifest.parameters)
        published[kind] = model.version
        newest = model.manifest.dataset.get("newest_event")
        if "tuning" in model.manifest.metrics and (newest is None or newest >= test_start):
            flattered.append(kind)
    return parameters, published, flattered


def _elsewhere(found: Findings, use_case: UseCase, catalogue: str) -> None:
    """Says who measures a catalogue without a list for a person."""
    found.lines.append(f"{catalogue}: no list here is about a person, so methods are not compared by what persons did")
    if use_case.pairs is None:
        found.lines.append(f"  lists about items: python -m recommendation_service.evaluate --use-case {use_case.name}")
        return
    found.lines.append(f"  who is hired: python -m recommendation_service.commands.evaluate_hires --use-case {use_case.name}")
    if any(part.kind == "bid" for part in use_case.estimators.values()):
        found.lines.append(f"  what is bid: python -m recommendation_service.commands.evaluate_bids --use-case {use_case.name}")
