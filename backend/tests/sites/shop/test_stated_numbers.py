"""The numbers of the shop's list are the defaults of its use-case file."""

from recommendation_service.use_cases.loader import load

SHOP = load("shop")


def test_the_three_weights_and_the_two_fifties() -> None:
    hybrid = SHOP.engines["hybrid"].options
    assert hybrid["members"] == {"content_based": 0.5, "collaborative": 0.3, "popular": 0.2}
    assert hybrid["candidate_generators"] == {"content_based": 50, "collaborative": 50}
    main = SHOP.main_ensemble()
    assert main is not None
    assert main[0] == "hybrid"


def test_the_events_weigh_what_the_list_says_and_fade_in_thirty_days() -> None:
    weights = {name: rule.weight for name, rule in SHOP.events.items()}
    wanted = {
        "purchase": 5.0,
        "cart_add": 3.0,
        "wishlist_add": 2.0,
        "recommendation_click": 1.5,
        "view": 1.0,
        "cart_remove": -1.0,
    }
    assert weights == wanted
    assert SHOP.weighting.decay_days == 30


def test_every_surface_leaves_out_what_is_sold_out_and_caps_categories_at_three() -> None:
    for surface in SHOP.surfaces.values():
        assert "available" in [rule.kind for rule in surface.rules]
    for name in SHOP.surfaces:
        capped = [rule.options for rule in SHOP.surfaces[name].rules if rule.kind == "max_per_category"]
        assert capped == [{"limit": 3}]


def test_the_best_twenty_are_looked_at_again_and_new_arrivals_gain() -> None:
    rescore, freshness = SHOP.surfaces["homepage"].rerank
    assert (rescore.kind, rescore.options["top"]) == ("rescore", 20)
    assert list(rescore.options["by"]) == ["cross_encoder", "learned"]
    assert freshness.kind == "freshness"


def test_clicks_and_conversions_are_those_that_earn() -> None:
    clicks = ("recommendation_click", "view", "wishlist_add", "cart_add")  # what a card of the shop's pages may lead to
    assert (SHOP.outcomes.clicks, SHOP.outcomes.conversions) == (clicks, ("purchase",))
