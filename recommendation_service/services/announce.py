"""What the log says at start: what was loaded, what is missing with its fix, and how users are routed."""

import logging

from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.services.serving import Live
from recommendation_service.use_cases.schema import UseCase

log = logging.getLogger(__name__)

READY = {"two_tower": "✓ Two-Tower model loaded", "als": "✓ ALS model loaded", "ensemble": "✓ Ensemble model initialized"}


def announce(live: Live) -> None:
    """Say in the log what was loaded, what is missing with its fix, and how users are routed."""
    for use_case in live.use_cases.values():
        ready = live.serving.engines.get(use_case.name)
        if ready is None:
            log.warning("✗ %s: no export yet; run: manage.py generate_all_datasets", use_case.name)
            continue
        fix = f"python -m recommendation_service.train_all --use-case {use_case.name}"
        for name, part in sorted(use_case.engines.items(), key=lambda item: _order(item[1].kind)):
            if name in use_case.switched_off:
                log.info("✗ %s is switched off by a setting (%s)", name, use_case.name)
            elif name in ready and part.kind in READY:
                log.info("%s successfully!", READY[part.kind])
            elif name not in ready:
                log.warning("✗ %s: no %s model; run: %s", use_case.name, name, fix)
        for name in sorted(set(use_case.estimators) - set(live.serving.estimators.get(use_case.name, {}))):
            log.warning("✗ %s: no %s model; run: %s", use_case.name, name, fix)
        for line in _routes(use_case):
            log.info("→ Routing: %s", line)


def _order(kind: str) -> int:
    return list(READY).index(kind) if kind in READY else len(READY)


def _routes(use_case: UseCase) -> list[str]:
    """Each routing rule of the use case in words, once."""
    words = {"content_based": "content", "als": "ALS", "two_tower": "two-tower"}
    plans = [Plan.build(use_case, name) for name, surface in use_case.surfaces.items() if surface.about == "user"]
    return list(dict.fromkeys(plan.router.summary(words) for plan in plans))
