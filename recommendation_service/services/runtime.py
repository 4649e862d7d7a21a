"""Everything that an answer needs, in one immutable value. A reload replaces the whole value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from recommendation_service.domain.answer import Skip
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.router import Policy
from recommendation_service.errors import ConfigurationError, NotFound, Unavailable
from recommendation_service.estimators.base import Estimator
from recommendation_service.pipeline.resolve import HistorySource
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.rankers.base import Ranker
from recommendation_service.use_cases.schema import UseCase


@dataclass(frozen=True, slots=True, eq=False)
class CatalogueRuntime:
    """One catalogue of one use case with the engines that are ready for it, by name."""

    catalogue: Catalogue
    engines: Mapping[str, Engine]
    source: HistorySource | None = None
    refused: frozenset[str] = frozenset()  # engines that are absent because their published model is damaged
    rankers: Mapping[str, Ranker | Skip] = field(default_factory=dict)  # a Skip: configured, and cannot be used
    policy: Policy | Skip | None = None  # what a bandit learned for this catalogue; a Skip: published, and cannot be used

    def usable_policy(self) -> Policy | None:
        """Return the policy, or None if there is none or it is not usable."""
        return self.policy if isinstance(self.policy, Policy) else None


@dataclass(frozen=True, slots=True, eq=False)
class UseCaseRuntime:
    """One use case: a runtime for each catalogue with an export, and a plan for each of their surfaces."""

    use_case: UseCase
    catalogues: Mapping[str, CatalogueRuntime]
    estimators: Mapping[str, Estimator] = field(default_factory=dict)  # those that are published and good
    plans: Mapping[str, Plan] = field(init=False)

    def __post_init__(self) -> None:
        """Build the plans. Raises ConfigurationError for a wrong option, or if the use case has no runtime."""
        if not self.catalogues:
            raise ConfigurationError(f"{self.use_case.name}: catalogue '{self.use_case.catalogues[0]}' was not loaded")
        surfaces = self.use_case.surfaces.items()
        on = {name: self.catalogues[surface.catalogue] for name, surface in surfaces if surface.catalogue in self.catalogues}
        plans = {
            name: Plan.build(self.use_case, name, runtime.rankers, runtime.usable_policy()) for name, runtime in on.items()
        }
        object.__setattr__(self, "plans", plans)

    def context_catalogue(self, plan: Plan) -> Catalogue | None:
        """Return the catalogue of the contexts of a surface, or None while it has no export."""
        runtime = self.catalogues.get(plan.surface.context or "")
        return None if runtime is None else runtime.catalogue


@dataclass(frozen=True, slots=True, eq=False)
class Runtime:
    """All use cases by name."""

    use_cases: Mapping[str, UseCaseRuntime]

    @classmethod
    def of(cls, use_cases: Iterable[UseCaseRuntime]) -> "Runtime":
        """Return a runtime of these use cases, in any order."""
        return cls({use_case_runtime.use_case.name: use_case_runtime for use_case_runtime in use_cases})

    def find(self, use_case: str, surface: str) -> tuple[UseCaseRuntime, Plan]:
        """Return the requested use case and plan. Raises NotFound with the existing ones, or Unavailable without an export."""
        use_case_runtime = self.use_cases.get(use_case)
        if use_case_runtime is None:
            raise NotFound(f"no use case '{use_case}'; there are {', '.join(sorted(self.use_cases)) or 'none'}")
        plan = use_case_runtime.plans.get(surface)
        if plan is None and surface in use_case_runtime.use_case.surfaces:
            catalogue = use_case_runtime.use_case.surfaces[surface].catalogue
            raise Unavailable(f"no export of {catalogue} yet; run: manage.py generate_all_datasets")
        if plan is None:
            raise NotFound(f"{use_case} has no surface '{surface}'; there are {', '.join(sorted(use_case_runtime.plans))}")
        return use_case_runtime, plan
