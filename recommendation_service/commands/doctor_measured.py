"""`tandem doctor --measure`: what an export supports, the quality and cost of each method, and the best thresholds.

It trains and measures on the export. It publishes nothing and changes no file.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from recommendation_service.commands.doctor_surfaces import measured, of_persons, preference, routed, uses_of
from recommendation_service.datasets.checks import check, gaps_of
from recommendation_service.datasets.reader import Dataset, Events
from recommendation_service.errors import DatasetError
from recommendation_service.services.serving import LoadedCatalogue, ServingState
from recommendation_service.settings import Settings, override_variable
from recommendation_service.training.comparison.methods import DEFAULT_BUDGET_S, MethodComparer, MethodComparison
from recommendation_service.training.comparison.routing_thresholds import Thresholds
from recommendation_service.training.comparison.tables import methods_table
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import KINDS, Parameters, parameters_from, stated_for
from recommendation_service.use_cases.overrides import apply_training_overrides
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_engines

POPULAR = "popular items serve"
SEED = 42


@dataclass(slots=True)
class Findings:
    """The results about one catalogue: lines of text, and the same as a body for JSON."""

    lines: list[str] = field(default_factory=list)
    body: dict[str, Any] = field(default_factory=dict)

    def part(self, heading: str, lines: Iterable[str]) -> None:
        """Add a heading and the lines below it."""
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
    """Measure every catalogue of a use case, print the lines of each when it is done, and return their bodies for JSON."""
    use_case, log, bodies = apply_training_overrides(live.use_cases[name], settings), report or Report(), []
    for catalogue in use_case.catalogues:
        findings = measure(use_case, live.loaded_catalogues[catalogue], log, now=now, budget_s=budget_s)
        log.line("\n".join(["", *findings.lines]))
        bodies.append(findings.body)
    return bodies


def measure(
    use_case: UseCase, loaded: LoadedCatalogue, report: Report, *, now: float, budget_s: float = DEFAULT_BUDGET_S
) -> Findings:
    """Return the findings about one catalogue of a use case. Too little data is a finding, not an error.

    `now` is in Unix seconds. No method is started after `budget_s` seconds.
    """
    findings = Findings(body={"catalogue": loaded.name})
    if loaded.export.value is None:
        why = loaded.export.problem or "no export yet"
        findings.lines.append(f"{loaded.name}: nothing to measure: {why}")
        findings.body["not_measured"] = why
        return findings
    dataset = loaded.export.value.dataset
    events = dataset.events()
    try:
        if any(of_persons(use_case, loaded.name)):
            _examine(findings, use_case, loaded, dataset, events, report, now=now, budget_s=budget_s)
        else:
            _report_other_commands(findings, use_case, loaded.name)
    except DatasetError as error:
        findings.lines.append(f"{loaded.name}: not enough data to measure methods: {error.message}; {POPULAR}")
        findings.body["not_measured"] = error.message
    gaps = gaps_of(dataset, events, use_case, now=now)
    findings.part("what to log next", [gap.summary() for gap in gaps] or ["nothing that this command looks for is missing"])
    findings.body["log_next"] = [asdict(gap) for gap in gaps]
    return findings


def _examine(
    findings: Findings,
    use_case: UseCase,
    loaded: LoadedCatalogue,
    dataset: Dataset,
    events: Events,
    report: Report,
    *,
    now: float,
    budget_s: float,
) -> None:
    checked = check(dataset, events, now=now)
    if checked.blocking:
        raise DatasetError(checked.blocking[0])
    comparer = MethodComparer(use_case, dataset, build_engines, report)
    parameters, published, flattered = _settings(use_case, loaded, comparer.test_start)
    comparison = comparer.run(
        measured(use_case, loaded.name), parameters, uses=uses_of(use_case, loaded.name), budget_s=budget_s
    )
    valid, test = len(comparer.valid), len(comparer.test)
    findings.lines.append(
        f"{loaded.name}: {dataset.version} split {comparer.split_method}: {valid:,} people in the validation part,"
        f" which chooses, {test:,} in the test part, which is asked once"
    )
    findings.lines += _settings_lines(published, flattered)
    findings.lines += [f"{loaded.name}: {warning}" for warning in checked.warnings]
    findings.body |= {
        "export": dataset.version,
        "split": comparer.split_method,
        "validation_people": valid,
        "test_people": test,
        "published": published,
    }
    _report_methods(findings, comparison)
    _report_thresholds(findings, use_case, loaded.name, comparison)


def _settings_lines(published: dict[str, str], flattered: list[str]) -> list[str]:
    settings = [f"{kind} as in {version}" for kind, version in published.items()]
    description = f"{', '.join(settings)}; the others as stated" if settings else "as stated, nothing is published yet"
    lines = [f"settings: {description}"]
    if flattered:
        lines.append(
            f"the settings of {', '.join(flattered)} were chosen on events of this test part too: expect a little less"
        )
    return lines


def _report_methods(findings: Findings, comparison: MethodComparison) -> None:
    findings.part(
        "methods (people: validation people it answers for; items: of the catalogue; NDCG@10 with 95 % on the test part)",
        methods_table(comparison).splitlines(),
    )
    verdicts = [verdict.summary() for verdict in comparison.verdicts]
    verdicts += [f"{name}: {why}" for name, why in comparison.missing.items()]
    findings.part("what is worth its cost (each against the best cheaper one, paired, for the people it answers for)", verdicts)
    findings.body |= {
        "figures": [asdict(entry) for entry in comparison.figures],
        "coverage": {name: {"people": people, "items": items} for name, (people, items) in comparison.coverage().items()},
        "verdicts": [
            {**asdict(entry), "recommended": entry.recommended, "summary": entry.summary()} for entry in comparison.verdicts
        ],
        "missing": dict(comparison.missing),
    }


def _report_thresholds(findings: Findings, use_case: UseCase, catalogue: str, comparison: MethodComparison) -> None:
    lines, bodies = [], []
    for names, surface in routed(use_case, catalogue):
        engines = [surface.router.options[segment] for segment in ("cold", "warm", "hot")]
        absent = [name for name in dict.fromkeys(engines) if name not in comparison.test.answers]
        if absent:
            lines.append(f"{', '.join(names)}: not compared, for {', '.join(absent)} was not measured")
            continue
        best = preference(use_case, names[0], comparison)
        lines.append(
            f"{', '.join(names)} ({', then '.join(engines)}; NDCG@10 {best.reached:.4f} as routed now): {best.summary()}"
        )
        if best.change:
            lines.append(f"  {_how(names, best.preferred, engines, use_case)}")
        bodies.append({"surfaces": names, **asdict(best), "change": best.change, "summary": best.summary()})
    if lines:
        findings.part("thresholds (cold_below and warm_below)", lines)
    findings.body["thresholds"] = bodies


def _how(names: list[str], pair: Thresholds, engines: list[str], use_case: UseCase) -> str:
    tables = " and ".join(f"[surfaces.{name}.router]" for name in names)
    cold, warm = (override_variable(field, use_case.name) for field in ("cold_start_threshold", "warm_user_threshold"))
    return (
        f"{pair.means(*engines)}; say so in {tables} of {use_case.name}.toml (cold_below = {pair.cold_below},"
        f" warm_below = {pair.warm_below}), or for every surface by {cold}={pair.cold_below} {warm}={pair.warm_below}"
    )


def _settings(
    use_case: UseCase, loaded: LoadedCatalogue, test_start: float
) -> tuple[dict[str, Parameters], dict[str, str], list[str]]:
    """Return the training parameters by kind, the published versions that they come from, and a list of kinds.

    The list has the kinds whose settings were chosen with events of the present test part, so that their result is too
    good.
    """
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


def _report_other_commands(findings: Findings, use_case: UseCase, catalogue: str) -> None:
    """Add the commands that measure a catalogue whose lists are not for users."""
    findings.lines.append(f"{catalogue}: no list here is about a person, so methods are not compared by what persons did")
    if use_case.pairs is None:
        findings.lines.append(f"  lists about items: tandem evaluate models --use-case {use_case.name}")
        return
    findings.lines.append(f"  who is hired: tandem evaluate hires --use-case {use_case.name}")
    if any(part.kind == "bid" for part in use_case.estimators.values()):
        findings.lines.append(f"  what is bid: tandem evaluate bids --use-case {use_case.name}")
