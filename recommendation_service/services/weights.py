"""By which weights the main ensembles answer now, in words for people."""

from recommendation_service.engines.ensemble import Ensemble
from recommendation_service.services.serving import Live

WAITING = "configured weights serve until train_all publishes learned ones"


def weights_told(held: Live, use_case: str, catalogue: str) -> str:
    """One line about the use case's main ensemble in this catalogue; empty where none is ready."""
    main = held.use_cases[use_case].main_ensemble()
    site = held.serving.recommender.runtime.sites.get(use_case)
    shelf = site.shelves.get(catalogue) if site else None
    engine = shelf.engines.get(main[0]) if shelf and main else None
    if main is None or not isinstance(engine, Ensemble):
        return ""
    if engine.learned:
        return f"{engine.name}: learned weights serve"
    if main[1].options.get("weights") != "learned":
        return f"{engine.name}: configured weights serve, as the file or the environment wants it"
    published = held.holdings[catalogue].models["ensemble"]
    if published.value is not None or published.problem is not None:
        return f"{engine.name}: configured weights serve, for the learned ones were refused"
    return f"{engine.name}: {WAITING}"
