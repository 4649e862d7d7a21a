import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from recommendation_service.datasets.pair_features import join_pairs
from recommendation_service.datasets.pair_network import PairNetwork
from recommendation_service.errors import PublishRefused
from recommendation_service.publishing import array_schemas
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.market import World, by_persons, by_quality, cleaners, job, pair_config
from recommendation_service.training.data import NotEnough
from recommendation_service.training.pairs.neural import Collaborative, Content, Hybrid, Tensors, _adam, layers_of, train_neural
from recommendation_service.training.pairs.neural_data import LEAST, split_pairs
from recommendation_service.training.parameters import NeuralParameters

STATED = NeuralParameters()
QUICK = NeuralParameters(epochs=3)
CPU = torch.device("cpu")


def train(world, rating=by_quality, wanted=None, parameters=STATED, **more):
    return train_neural(world.matches(rating, wanted), pair_config(), parameters, **more)


def score(trained, first, second):
    return PairNetwork.from_arrays(trained.arrays).score(pair_config(), join_pairs(pair_config(), first, second))


def test_the_content_half_learns_that_the_standing_decides_and_alpha_moves_to_it():
    trained = train(World(400))
    figures = trained.metrics
    assert figures["r2"] > 0.8
    assert figures["content"]["r2"] > 0.8 > 0.2 > figures["collaborative"]["r2"]
    assert figures["alpha"] < 0.4
    better = score(trained, job(), cleaners(4, quality_score=95.0)).total
    worse = score(trained, job(), cleaners(4, quality_score=45.0)).total
    assert (better > worse).all()


def test_the_collaborative_half_learns_who_pleases_whom_and_alpha_moves_to_it():
    trained = train(World(1000), by_persons)
    figures = trained.metrics
    assert figures["r2"] > 0.8
    assert figures["collaborative"]["r2"] > 0.8 > 0.2 > figures["content"]["r2"]
    assert figures["alpha"] > 0.6
    found = score(trained, job(), cleaners(4))  # client c0 is pleased by w0 and w2
    assert min(found.collaborative[[0, 2]]) > 0.7
    assert max(found.collaborative[[1, 3]]) < 0.4


def test_one_client_who_dislikes_one_cleaner_is_remembered():
    def rule(world):
        return np.where((world.client == 0) & (world.cleaner == 0), 0.05, 0.85)

    trained = train(World(600, clients=3, cleaners=6), rule)
    found = score(trained, job(), cleaners(6))
    assert np.argmin(found.total) == 0
    assert found.total[0] < found.total[1:].min() - 0.2


def test_alpha_stays_between_the_halves_where_both_know_something():
    def both(world):
        return 0.5 * by_persons(world) + 0.5 * by_quality(world)

    figures = train(World(1000), both).metrics
    assert 0.3 < figures["alpha"] < 0.7
    assert figures["r2"] > max(figures["collaborative"]["r2"], figures["content"]["r2"])


def test_hired_ranks_the_bidders_of_a_job():
    figures = train(
        World(400), wanted=lambda world: -world.bid / world.hours, parameters=replace(STATED, target="hired")
    ).metrics
    assert figures["top_1"] > 0.7
    assert figures["chance_top_1"] == pytest.approx(0.25)
    assert figures["top_3"] > figures["top_1"]
    assert figures["chance_top_3"] == pytest.approx(0.75)
    assert figures["loss"] < 0.7 < figures["baseline_loss"] == pytest.approx(np.log(4))


def test_a_rating_cannot_tell_whom_a_client_hires_and_hired_can():
    def cheapest(world):
        return -world.bid

    world = World(500)
    matches = world.matches(by_quality, cheapest)
    hired = train_neural(matches, pair_config(), replace(STATED, target="hired"))
    rating = train_neural(matches, pair_config(), STATED)
    offers = cleaners(6)
    bids = np.array([100, 90, 70, 50, 30, 20], dtype=np.float32)
    placed = replace(offers, numbers={**offers.numbers, "bid": bids, "quality_score": np.full(6, 70, dtype=np.float32)})
    by_hired, by_rating = (score(one, job(), placed).content for one in (hired, rating))
    assert (np.diff(by_hired) > 0).all()
    assert np.ptp(by_rating) < np.ptp(by_hired) / 2


def test_noise_is_told_as_no_better_than_the_mean():
    figures = train(World(400), lambda world: world.rng.random(world.shape)).metrics
    assert figures["loss"] == pytest.approx(figures["baseline_loss"], rel=0.15)
    assert figures["r2"] < 0.1


def test_numpy_says_what_torch_says():
    parameters = replace(STATED, dropout=0.3)
    torch.manual_seed(3)
    model = Hybrid(Collaborative(5, 7, parameters), Content(18, 1, 3, parameters))
    with torch.no_grad():
        model.leaning.fill_(0.7)
    model.eval()
    trained = train(World(200), parameters=QUICK)
    arrays = dict(trained.arrays)
    arrays["tokens"] = arrays["tokens"][:3]
    arrays["first_ids"], arrays["second_ids"] = arrays["first_ids"][:5], arrays["second_ids"][:7]
    made = {
        "first_vectors": model.collaborative.first,
        "second_vectors": model.collaborative.second,
        "token_vectors": model.content.token_vectors,
        "alpha": model.alpha.reshape(1),
        **layers_of("collaborative", model.collaborative.layers),
        **layers_of("content", model.content.layers),
    }
    arrays |= {name: part.detach().numpy() for name, part in made.items()}
    network = PairNetwork.from_arrays(arrays)
    inputs = network.reader.read(
        pair_config(), split_pairs(World(300).matches(by_quality), pair_config(), STATED).training.pairs
    )
    assert 0 < inputs.known.mean() < 1
    found = network.score_inputs(inputs)
    with torch.no_grad():
        total, collaborative, content = (part.numpy() for part in model(Tensors.of(inputs, CPU)))
    np.testing.assert_allclose(found.total, total, atol=1e-5)
    np.testing.assert_allclose(found.content, content, atol=1e-5)
    np.testing.assert_allclose(found.collaborative[inputs.known], collaborative[inputs.known], atol=1e-5)


def test_the_layers_are_those_of_the_acceptance_list():
    model = Hybrid(Collaborative(10, 20, STATED), Content(18, 1, 6, STATED))
    joined = [tuple(one.weight.T.shape) for one in model.collaborative.layers if isinstance(one, torch.nn.Linear)]
    assert model.collaborative.first.shape == (10, 64)
    assert model.collaborative.second.shape == (20, 64)
    assert joined == [(128, 64), (64, 32), (32, 1)]
    assert next(iter(model.content.layers)).in_features == 18 + STATED.token_dimension
    assert float(model.alpha.detach()) == 0.5


def test_alpha_is_learned_by_backpropagation():
    model = Hybrid(Collaborative(4, 4, STATED), Content(18, 1, 2, STATED))
    ones = torch.ones(8, dtype=torch.int64)
    inputs = Tensors(torch.randn(8, 18), ones[:, None], ones, ones, torch.ones(8))
    total, *_ = model(inputs)
    torch.autograd.backward(((total - 1) ** 2).mean())
    assert model.leaning.grad is not None
    assert float(model.leaning.grad.abs()) > 0


def test_two_runs_give_the_same_bytes_and_another_seed_gives_others():
    world = World(150).matches(by_quality)
    first, second, other = (train_neural(world, pair_config(), replace(QUICK, seed=seed)) for seed in (1, 1, 2))
    assert {name: array.tobytes() for name, array in first.arrays.items()} == {
        name: array.tobytes() for name, array in second.arrays.items()
    }
    assert first.metrics == second.metrics
    assert first.arrays["content1_weights"].tobytes() != other.arrays["content1_weights"].tobytes()


def test_training_stops_when_validation_no_longer_gains_and_keeps_the_best_epoch():
    told = []
    trained = train(World(200), by_persons, progress=lambda done, most, word: told.append((done, most, word)))
    assert told[0][:2] == (1, 50)
    assert "validation" in told[0][2]
    assert "alpha" in told[0][2]
    assert len(told) == trained.metrics["best_epoch"] + STATED.patience
    lowest = min(float(word.split("validation ")[1].split(",")[0]) for _, _, word in told)
    assert trained.metrics["loss"] == pytest.approx(lowest, abs=1e-4)


def test_the_step_is_halved_where_validation_stands_still():
    told = []
    world = World(300)
    train(world, lambda one: one.rng.random(one.shape), progress=lambda done, most, word: told.append(word))
    rates = [float(word.split("rate ")[1]) for word in told]
    assert rates[0] == 0.001
    assert rates[-1] <= 0.0005
    assert all(later in (rate, rate / 2) for rate, later in itertools.pairwise(rates))


def test_it_is_adam_and_alpha_takes_longer_steps_than_the_rest():
    model = Hybrid(Collaborative(4, 4, STATED), Content(18, 1, 2, STATED))
    optimizer = _adam(model, STATED)
    assert isinstance(optimizer, torch.optim.Adam)
    assert [group["lr"] for group in optimizer.param_groups] == [0.001, 0.01]
    assert [one is model.leaning for one in optimizer.param_groups[1]["params"]] == [True]


def test_persons_met_seldom_share_one_vector_and_strangers_have_none():
    matches = World(150, clients=12).matches(by_quality)
    names = matches.text_columns["left_owner"].copy()
    first_two = np.flatnonzero(~np.isnan(matches.ratings))[:2]
    names[first_two] = ["seldom1", "seldom2"]
    matches = replace(matches, text_columns={**matches.text_columns, "left_owner": names})
    trained = train_neural(matches, pair_config(), replace(QUICK, valid_share=0.01))
    ids, vectors = trained.arrays["first_ids"].tolist(), trained.arrays["first_vectors"]
    kept = [place for place, one in enumerate(ids) if one.startswith(b"seldom")]
    assert kept
    for place in kept:
        np.testing.assert_array_equal(vectors[place], vectors[0])
    assert not np.array_equal(vectors[ids.index(b"c1")], vectors[0])
    assert ids[0] == b""


def test_only_what_was_known_before_a_moment_is_learned_from():
    matches = World(300).matches(by_quality)
    moment = float(matches.times[4 * 150])
    early = matches.take(np.flatnonzero(matches.times < moment))
    part, whole = (train_neural(one, pair_config(), QUICK, trained_until=moment) for one in (early, matches))
    assert part.metrics == whole.metrics
    assert part.metrics["jobs"] == 150


def test_too_few_jobs_are_said_with_the_numbers():
    with pytest.raises(NotEnough, match=f"{LEAST} reviewed jobs; this export has 99"):
        train(World(99))
    with pytest.raises(NotEnough, match="decided jobs with two bids; this export has 99"):
        train(World(99), parameters=replace(STATED, target="hired"))


def test_fewer_jobs_than_recommended_are_a_warning():
    assert train(World(LEAST), parameters=QUICK).warnings == ("100 jobs to learn from; 1,000 are recommended",)
    assert train(World(1000), parameters=replace(QUICK, epochs=1)).warnings == ()


def test_a_training_that_runs_away_is_refused_with_the_fix():
    with pytest.raises(PublishRefused, match="lower the learning rate"):
        train(World(120), parameters=replace(QUICK, learning_rate=1e30))


def test_what_was_said_of_recommendations_counts_too():
    world = World(200)
    plain = world.matches(lambda _world: np.full(_world.shape, 0.5))
    said = plain.take(np.arange(400) % len(plain))
    bad = said.text_columns["property_type"] == "office"
    said = replace(
        said,
        groups=-1 - np.arange(400, dtype=np.int64),
        ratings=np.full(400, np.nan, dtype=np.float32),
        chosen=np.zeros(400, dtype=np.bool_),
        decided=np.zeros(400, dtype=np.bool_),
        verdicts=np.where(bad, 0, 1).astype(np.float32),
    )
    both = joined(plain, said)
    for target in ("rating", "hired"):
        trained = train_neural(both, pair_config(), replace(STATED, target=target, verdict_weight=1.0))
        assert trained.metrics["jobs"] == 200
        offices = replace(job(), text_columns={**job().text_columns, "property_type": np.array(["office"])})
        assert (score(trained, offices, cleaners(4)).content < score(trained, job(), cleaners(4)).content).all()


def joined(one, other):
    rows = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("numbers", "groups", "times")}
    rows |= {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("ratings", "chosen", "decided")}
    text_columns = {name: np.concatenate([column, other.text_columns[name]]) for name, column in one.text_columns.items()}
    return replace(one, **rows, text_columns=text_columns, verdicts=np.concatenate([one.verdicts, other.verdicts]))


def test_the_missing_bid_is_half_of_what_it_learns_so_an_open_job_is_foretold_as_well():
    def fair(world):  # a mark that depends on the price alone
        return 1 - world.bid / 120

    def dear_bids(world):
        found = world.matches(fair)
        rates = found.numbers[:, found.names.index("usual_rate")]
        rates[:] = 10  # everybody usually asks the same, so an open job says nothing of the price
        return found

    shown = train_neural(dear_bids(World(500)), pair_config(), STATED).metrics
    assert shown["r2"] > 0.6
    blind = shown["without_bid"]
    assert blind["mse"] < 1.6 * shown["baseline"]["mse"]
    never = train_neural(dear_bids(World(500)), pair_config(), replace(STATED, without_bid=0.0)).metrics
    assert never["without_bid"]["mse"] > blind["mse"]


def test_ids_metadata_and_versions_last_in_the_store(tmp_path):
    """What the list calls ModelManager: checkpoints, id mappings, the latest model, and what is told of each."""
    trained = train(World(120), parameters=replace(QUICK, label="2.0"))
    store = ArtifactStore(tmp_path / "cleaners")
    for _ in range(2):
        told = {"catalogue": "cleaners", "parameters": trained.parameters, "dataset": {}, "metrics": trained.metrics}
        store.publish("neural", trained.arrays, warnings=trained.warnings, **told)
    latest = store.load("neural")
    assert latest.version == "neural_v2"
    assert store.folder("neural").versions()[:2] == ["neural_v2", "neural_v1"]
    assert store.rollback("neural").version == "neural_v1"
    array_schemas.check("neural", latest.arrays, where="neural_v2")
    ids = latest.arrays["first_ids"].tolist()
    assert ids[1:] == sorted(f"c{number}".encode() for number in range(20))
    assert len(ids) == len(latest.arrays["first_vectors"])
    parameters, figures = latest.manifest.parameters, latest.manifest.metrics
    assert (parameters["label"], parameters["epochs"], parameters["batch"], parameters["seed"]) == ("2.0", 3, 256, 42)
    assert [one["name"] for one in parameters["features"]][:3] == ["latitude", "longitude", "size_m2"]
    assert figures["training_pairs"] + figures["validation_pairs"] == 120
    assert {"mse", "mae", "r2", "alpha"} <= set(figures)
