"""Trains ALS from a published export and publishes the model."""

import sys
from collections.abc import Sequence

from recommendation_service.artifacts.store import ArtifactStore
from recommendation_service.datasets.files import Dataset
from recommendation_service.training.als import ALSParameters, train_als
from recommendation_service.training.command import DONE, guarded, parse, parser, place_of
from recommendation_service.training.lock import training_lock
from recommendation_service.training.material import read_material


def main(argv: Sequence[str] | None = None) -> int:
    """Train and publish; 0 done, 1 expected failure, 2 wrong usage."""
    options = parse(parser("train_als", __doc__ or ""), argv)

    def work() -> int:
        place = place_of(options)
        for use_case in place.use_cases:
            for name in use_case.catalogues:
                dataset = Dataset.open(place.data_dir, name)
                store = ArtifactStore(place.models_dir / name)
                with training_lock(store.root):
                    events = dataset.events()
                    material = read_material(dataset, events, use_case.weighting, float(events.times.max(initial=0.0)))
                    trained = train_als(material, ALSParameters())
                    source = {"fingerprint": dataset.fingerprint, "events": int(events.times.size)}
                    store.publish(
                        "als", trained.arrays, catalogue=name, parameters=trained.parameters, dataset=source, metrics={}
                    )
        return DONE

    return guarded("train_als", work)


if __name__ == "__main__":
    sys.exit(main())
