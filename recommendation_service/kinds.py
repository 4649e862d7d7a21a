"""The table of kinds: everything the project knows about each kind of engine, ranker, estimator and router model.

One row per kind. Factories, trainers and parameter classes are dotted paths that are imported when they are used, so that
serving never imports training and the table can be read without torch. To add an engine, write the engine, its trainer and
one row here; `ItemKNN` in `engines/item_to_item.py` with `training/models/item_knn.py` is an example.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

FLOAT, INTEGER, TEXT = "f", "iu", "S"  # numpy kinds
ArraySchema = Mapping[str, tuple[str, tuple[str, ...]]]  # array -> numpy kinds, dimensions
Stage = Mapping[str, Sequence[Any]]  # setting -> values to try, in every combination
Role = Literal["engine", "ranker", "estimator", "router", "index"]

ENGINES = "recommendation_service.engines"
MODELS = "recommendation_service.training.models"
PAIRS = "recommendation_service.training.pairs"
PARAMETERS = "recommendation_service.training.parameters"


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a kind. `rank` orders kinds, cheapest first; kinds of one rank need not be better than each other."""

    rank: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. Paths are "module:attribute"; an empty path means that the kind has no such part."""

    role: Role = "engine"
    factory: str = ""  # makes the served object: a class, or a function
    label: str = ""  # the description on pages and in help texts
    trainer: str = ""  # trains one catalogue: (data, parameters, *, panel, progress)
    spark_trainer: str = ""  # trains one catalogue on a Spark cluster
    pair_trainer: str = ""  # trains a model of pairs: (matches, pair_config, parameters, progress)
    parameters: str = ""  # the frozen dataclass of its settings, with defaults
    config: str = ""  # reads a configuration file, such as configs/two_tower.yaml, into parameters
    prints_steps: bool = False  # `tandem train` prints every step, not only a progress bar
    libraries: tuple[str, ...] = ("numpy",)  # whose versions are recorded in the manifest
    search: tuple[Stage, ...] = ()  # the stages of its hyperparameter search
    solves: bool = False  # inverts a table of items x items, so a trial takes eight times as long for twice the items
    cost: Cost | None = None  # None: not compared with other kinds
    about_pairs: bool = False  # scores a pair, such as a job and a cleaner, not a user's next item
    needs_model: bool = True  # False: works without a published model
    compared: bool = False  # takes part in `tandem evaluate FILE` by default
    vectors: bool = False  # its model has one vector per item, for the plot of embeddings
    arrays: ArraySchema = field(default_factory=dict)
    optional_arrays: ArraySchema = field(default_factory=dict)  # all of them or none
    tables: tuple[tuple[str, str, str], ...] = ()  # sparse matrices: row bounds, columns, an array with one element per column
    not_constant: tuple[str, ...] = ()  # arrays whose values must not all be equal
    not_zero: tuple[str, ...] = ()  # arrays that must have a value other than 0


def resolve(path: str) -> Any:
    """Import and return the object at "module:attribute", such as "package.module:Class.method"."""
    module, _, attribute = path.partition(":")
    value: Any = import_module(module)
    for name in attribute.split("."):
        value = getattr(value, name)
    return value


def _arrays(text: str) -> ArraySchema:
    """Return the arrays of lines such as "item_factors f n,k": name -> (numpy kinds, dimensions)."""
    lines = (line.split() for line in text.strip().splitlines())
    types = {"f": FLOAT, "i": INTEGER, "S": TEXT}
    return {name: (types[kind], tuple(dimensions.split(","))) for name, kind, dimensions in lines}


# Letters of dimensions. n: items, m: users, k and d: factors, h: hidden units, a: attributes, t: terms, z: stored values,
# j: members, p: arms, b: bytes, f: features, r: trees, v: nodes of trees, y: rows of a second table, w: tokens, 1: one number.
# In a pair network m and n are the two sides, h to q widths of layers, i inputs, o outputs. s: sides of a range or segments,
# u: 1. In a transformer p: scale and shift, q: blocks, r: positions, w: 3d.
SPARSE_ITEMS = "item_ids S n\nitem_counts i n\nindptr i n+1\nindices i z\nvalues f z\n"
ITEM_TABLE = (("indptr", "indices", "item_ids"),)
TEXT_SEARCH: tuple[Stage, ...] = ({"facet_repeats": (4, 8, 1, 16)},)  # the weight of a category depends on how a site writes

KINDS: Mapping[str, Kind] = {
    "als": Kind(
        factory=f"{ENGINES}.collaborative_als:CollaborativeALS",
        label="ALS: what people with a similar history chose next",
        trainer=f"{MODELS}.als:train_als",
        spark_trainer="recommendation_service.training.spark.als:SparkTraining",
        parameters=f"{MODELS}.als:ALSParameters",
        libraries=("implicit", "numpy"),
        # implicit does not scale regularization by frequency, so good values are large
        search=(
            {
                "solver": ("implicit",),
                "frequency_scaling": (0.0,),
                "factors": (64,),
                "iterations": (15,),
                "regularization": (30.0,),
                "alpha": (4.0,),
            },
            # points far apart, so that a search of four trials has seen dense and sparse logs; then a grid and a line
            {"solver": ("implicit",), "factors": (64,), "iterations": (15,), "regularization": (100.0,), "alpha": (10.0,)},
            {"solver": ("implicit",), "factors": (64,), "iterations": (15,), "regularization": (10.0,), "alpha": (40.0,)},
            {"regularization": (30.0, 100.0), "alpha": (1.0, 4.0, 10.0, 40.0)},
            {"regularization": (10.0, 300.0, 0.01)},
            {"factors": (128, 192, 256)},
            # slower, so it comes last; alpha is 1 / alpha0 of Rendle et al. (2022)
            {
                "solver": ("exact",),
                "frequency_scaling": (1.0,),
                "factors": (64,),
                "iterations": (12,),
                "regularization": (0.01, 0.03, 0.003),
                "alpha": (3.0, 10.0, 100.0),
            },
            {"factors": (128,)},
        ),
        cost=Cost(3, "trained in rounds, its best settings differ between sites, and every item is scored by vectors"),
        compared=True,
        vectors=True,
        arrays=_arrays("item_ids S n\nitem_factors f n,k\ngram f k,k\nitem_counts i n"),
        not_constant=("item_factors",),
    ),
    "two_tower": Kind(
        factory=f"{ENGINES}.two_tower:TwoTower",
        label="two-tower: items close to this person's recent choices and profile",
        trainer=f"{MODELS}.two_tower:train_two_tower",
        parameters=f"{PARAMETERS}:TwoTowerParameters",
        config=f"{PARAMETERS}:read_two_tower_config",
        libraries=("torch", "numpy"),
        # the training target matters more than sizes: taste is the default, then the next items, then taste without order
        search=(
            {
                "ahead": (3,),
                "recent": (20,),
                "decay": (0.8,),
                "batch": (512,),
                "patience": (4,),
                "counted_start": (True,),
            },
            {"temperature": (0.2,)},
            {
                "ahead": (0,),
                "in_order": (False,),
                "recent": (60,),
                "decay": (1.0,),
                "batch": (256,),
                "patience": (6,),
                "counted_start": (True,),
            },
            {"temperature": (0.05,)},
            {"recent": (10, 60)},
            {"dimension": (128,), "hidden": (256,)},
        ),
        cost=Cost(4, "a network trained by gradient steps, for which torch is needed, and maintained profiles"),
        compared=True,
        vectors=True,
        arrays=_arrays(
            "item_ids S n\nitem_vectors f n,d\nhistory_vectors f n,d\nattributes S a\nattribute_vectors f a,d\n"
            "layer1_weights f 2d,h\nlayer1_bias f h\nlayer2_weights f h,d\nlayer2_bias f d"
        ),
        not_constant=("item_vectors", "history_vectors"),
    ),
    "content": Kind(
        factory=f"{ENGINES}.content:Content",
        label="content-based: items with matching text and tags",
        trainer=f"{MODELS}.content:train_content",
        parameters=f"{MODELS}.content:ContentParameters",
        libraries=("scikit-learn", "numpy"),
        search=TEXT_SEARCH,
        cost=Cost(2, "needs maintained texts, and an answer compares them with every item"),
        arrays=_arrays("item_ids S n\nterms S t\nindptr i n+1\nindices i z\nvalues f z"),
        tables=(("indptr", "indices", "terms"),),
        not_zero=("values",),
    ),
    "embedding": Kind(
        factory=f"{ENGINES}.embedding:Embedding",
        label="text vectors: items whose descriptions are similar to what this person chose",
        trainer=f"{MODELS}.embedding:train_embedding",
        parameters=f"{MODELS}.embedding:EmbeddingParameters",
        libraries=("scikit-learn", "numpy"),
        search=TEXT_SEARCH,
        cost=Cost(4, "needs texts and a text model, and every item is scored by vectors"),
        vectors=True,
        arrays=_arrays("item_ids S n\nitem_vectors f n,d\ntext_hashes S n"),
        not_constant=("item_vectors",),
    ),
    "co_occurrence": Kind(
        factory=f"{ENGINES}.co_occurrence:CoOccurrence",
        label="bought together: items from the same baskets",
        trainer=f"{MODELS}.co_occurrence:train_co_occurrence",
        parameters=f"{MODELS}.co_occurrence:CoOccurrenceParameters",
        libraries=("scipy", "numpy"),
        cost=Cost(1, "counted in one pass, and an answer sums a few sparse rows"),
        compared=True,
        arrays=_arrays(SPARSE_ITEMS + "people i z"),
        tables=ITEM_TABLE,
    ),
    "similar_users": Kind(
        factory=f"{ENGINES}.similar_users:SimilarUsers",
        label="similar people: what people with the same choices also chose",
        trainer=f"{MODELS}.similar_users:train_similar_users",
        parameters=f"{MODELS}.similar_users:SimilarUsersParameters",
        libraries=("scipy", "numpy"),
        cost=Cost(1, "counted in one pass, and an answer sums the histories of a few users"),
        compared=True,
        arrays=_arrays(
            "item_ids S n\nitem_counts i n\nitem_weights f n\nitem_indptr i n+1\nitem_users i y\nlengths f m\n"
            "indptr i m+1\nindices i z\nvalues f z"
        ),
        tables=(*ITEM_TABLE, ("item_indptr", "item_users", "lengths")),
    ),
    "item_knn": Kind(
        factory=f"{ENGINES}.item_to_item:ItemKNN",
        label="neighbours: items that the same people chose",
        trainer=f"{MODELS}.item_knn:train_item_knn",
        parameters=f"{MODELS}.item_knn:ItemKNNParameters",
        libraries=("scipy", "numpy"),
        search=(
            {"shrinkage": (0.0, 3.0, 30.0, 100.0)},
            {"activity": (0.0, 1.0)},
            {"graded": (False,)},
            {"neighbours": (30, 300)},
        ),
        cost=Cost(1, "counted in one pass, and an answer sums a few sparse rows"),
        compared=True,
        arrays=_arrays(SPARSE_ITEMS),
        tables=ITEM_TABLE,
    ),
    "ease": Kind(
        factory=f"{ENGINES}.item_to_item:Ease",
        label="what goes together: items that people with these choices also chose",
        trainer=f"{MODELS}.ease:train_ease",
        parameters=f"{MODELS}.ease:EaseParameters",
        libraries=("scipy", "numpy"),
        solves=True,
        search=(
            {"method": ("neighbours",)},  # on sparse data as good in a tenth of the time, and without regularization
            {"regularization": (1_000.0, 300.0, 3_000.0, 100.0, 10_000.0, 30.0)},
            {"rarity": (0.0, 0.25), "popularity": (0.25, 0.0)},
            {"decay_days": (365.0, 90.0, 30.0)},
            {"activity": (0.0, 1.0)},
        ),
        cost=Cost(1, "solved in closed form within seconds, and an answer sums a few sparse rows"),
        compared=True,
        arrays=_arrays(SPARSE_ITEMS),
        tables=ITEM_TABLE,
    ),
    "next_item": Kind(
        factory=f"{ENGINES}.item_to_item:NextItem",
        label="what comes next: items that followed the latest choices",
        trainer=f"{MODELS}.next_item:train_next_item",
        parameters=f"{MODELS}.next_item:NextItemParameters",
        libraries=("scipy", "numpy"),
        solves=True,
        search=(
            {"regularization": (400.0, 100.0, 1_600.0, 30.0)},
            {"popularity": (0.0, 0.25)},
            {"long_fade": (5.0, 40.0)},
            {"only_fade": (2.0, 6.0)},
            {"backwards": (0.0, 1.0)},
        ),
        cost=Cost(1, "solved in closed form within seconds, and a new click counts without training"),
        compared=True,
        arrays=_arrays("item_ids S n\nitem_counts i n\nindptr i r+1\nindices i z\nvalues f z\nwindow_0 f w"),
        tables=ITEM_TABLE,
    ),
    "sasrec": Kind(
        factory=f"{ENGINES}.sasrec:SASRec",
        label="SASRec: items that followed the same sequence of choices",
        trainer=f"{MODELS}.sasrec:train_sasrec",
        parameters=f"{PARAMETERS}:SASRecParameters",
        libraries=("torch", "numpy"),
        search=({"dimension": (128,)}, {"recent": (50,)}),  # minutes on a large log, so few settings are tried
        cost=Cost(4, "a network trained by gradient steps for minutes, for which torch is needed; a new click counts at once"),
        compared=True,
        arrays=_arrays(
            "item_ids S n\nitem_counts i n\nitem_vectors f n,d\nhistory_vectors f n,d\nitem_bias f n\npositions f r,d\n"
            "attention_norm f q,p,d\nread_weights f q,d,w\nread_bias f q,w\noutput_weights f q,d,d\noutput_bias f q,d\n"
            "dense_norm f q,p,d\ndense1_weights f q,d,d\ndense1_bias f q,d\ndense2_weights f q,d,d\ndense2_bias f q,d\n"
            "last_norm f p,d"
        ),
        not_constant=("item_vectors", "history_vectors"),
    ),
    "margin": Kind(
        factory=f"{ENGINES}.margin:Margin",
        label="matrix factorisation: what people with a similar history liked more than the rest",
        trainer=f"{MODELS}.margin_mf:train_margin",
        parameters=f"{PARAMETERS}:MarginParameters",
        prints_steps=True,
        libraries=("torch", "scikit-learn", "numpy"),
        search=({"negatives": (32, 2)}, {"learning_rate": (0.001,)}, {"popularity_power": (0.5,)}),
        cost=Cost(4, "a network trained by gradient steps, for which torch is needed"),
        vectors=True,
        arrays=_arrays(
            "item_ids S n\nitem_vectors f n,d\nitem_biases f n\nhistory_vectors f n,d\ncontent_vectors f n,c\n"
            "user_ids S m\nuser_vectors f m,d"
        ),
        not_constant=("item_vectors",),
    ),
    "popularity": Kind(
        factory=f"{ENGINES}.popularity:Popularity",
        label="popular: what most people choose",
        needs_model=False,
        cost=Cost(0, "nothing is trained, and the order is the same for all users"),
    ),
    "ensemble": Kind(
        factory=f"{ENGINES}.ensemble:Ensemble.from_members",
        label="ensemble: several methods, each with its share",
        cost=Cost(5, "trains and asks every one of its members"),
        arrays=_arrays("members S j\nweights f j\nconfigured_weights f j"),
        optional_arrays=_arrays("segment_weights f s,j\nsegment_bounds i s"),
        not_zero=("weights", "configured_weights"),
    ),
    "attributes": Kind(
        factory=f"{ENGINES}.rule_based:RuleBased",
        label="rules: items that fit by price, distance, rating and speciality",
        about_pairs=True,
        needs_model=False,
    ),
    "neural": Kind(
        factory=f"{ENGINES}.neural:Neural",
        label="network: a neural network trained on earlier hires",
        pair_trainer=f"{PAIRS}.neural:train_neural",
        parameters=f"{PARAMETERS}:NeuralParameters",
        prints_steps=True,
        libraries=("torch", "scikit-learn", "numpy"),
        about_pairs=True,
        arrays=_arrays(
            "first_ids S m\nfirst_vectors f m,d\nsecond_ids S n\nsecond_vectors f n,d\ntokens S w\ntoken_vectors f w,e\n"
            "feature_names S f\nfeature_mean f f\nfeature_scale f f\ncollaborative1_weights f 2d,h\ncollaborative1_bias f h\n"
            "collaborative2_weights f h,k\ncollaborative2_bias f k\ncollaborative3_weights f k,1\ncollaborative3_bias f 1\n"
            "content1_weights f c,p\ncontent1_bias f p\ncontent2_weights f p,q\ncontent2_bias f q\ncontent3_weights f q,1\n"
            "content3_bias f 1\nalpha f 1"
        ),
        not_constant=("content1_weights",),
    ),
    "bid": Kind(
        role="estimator",
        factory="recommendation_service.estimators.bid:Bid",
        pair_trainer=f"{PAIRS}.bid:train_bid",
        label="suggested bids: the range that winning bids are in",
        parameters=f"{PARAMETERS}:BidParameters",
        libraries=("torch", "numpy"),
        about_pairs=True,
        arrays=_arrays(
            "features S f\ncenters f f\nscales f f\nattributes S a\nattribute_vectors f a,d\nlayer1_weights f i,h\n"
            "layer1_bias f h\nlayer2_weights f h,k\nlayer2_bias f k\nout_weights f k,o\nout_bias f o\n"
            "straight_weights f i,o\nreaches f s\nreference f u"
        ),
    ),
    "learned": Kind(
        role="ranker",
        factory="recommendation_service.rankers.lambdamart:from_artifact",
        arrays=_arrays(
            "features S f\ntree_roots i r\nnode_feature i v\nnode_threshold f v\nnode_left i v\nnode_right i v\n"
            "node_unknown_left i v\nnode_value f v"
        ),
    ),
    "cross_encoder": Kind(
        role="ranker", factory="recommendation_service.rankers.cross_encoder:from_settings", needs_model=False
    ),
    "bandit": Kind(role="router", arrays=_arrays("arms S p\nplays i p\nrewards f p")),
    "two_tower_index": Kind(role="index", arrays=_arrays("index i b\nitem_ids S n")),
}


def factories(role: Role) -> dict[str, Any]:
    """Return the factory of every kind of this role, by kind. This imports their modules."""
    return {name: resolve(kind.factory) for name, kind in KINDS.items() if kind.role == role}


def names_where(**properties: Any) -> tuple[str, ...]:
    """Return the names of the kinds with these values, in the order of the table."""
    return tuple(name for name, kind in KINDS.items() if all(getattr(kind, key) == value for key, value in properties.items()))
