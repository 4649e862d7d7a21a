"""Past participles of common events, for reasons such as "Because you bought “Tent”"."""

from collections.abc import Mapping

VERBS: Mapping[str, str] = {
    "view": "viewed",
    "click": "opened",
    "open": "opened",
    "read": "read",
    "watch": "watched",
    "play": "played",
    "listen": "listened to",
    "like": "liked",
    "love": "liked",
    "favorite": "marked as a favourite",
    "favourite": "marked as a favourite",
    "upvote": "voted for",
    "rate": "rated",
    "rating": "rated",
    "review": "reviewed",
    "comment": "commented on",
    "bookmark": "bookmarked",
    "save": "saved",
    "share": "shared",
    "follow": "followed",
    "subscribe": "subscribed to",
    "download": "downloaded",
    "recommendation_click": "opened",
    "wishlist_add": "put on your wishlist",
    "cart_add": "put into your cart",
    "add_to_cart": "put into your cart",
    "purchase": "bought",
    "buy": "bought",
    "order": "ordered",
    "book": "booked",
    "rent": "rented",
    "enroll": "enrolled in",
    "complete": "completed",
    "finish": "finished",
    "apply": "applied to",
    "invest": "invested in",
    "contact": "contacted",
    "bid": "bid for",
    "hire": "hired",
    "win": "won",
}


def verb_of(event: str, configured: str | None = None) -> str:
    """Return what a user did, such as "bought"; "" for an event that has no configured and no common verb."""
    return configured or VERBS.get(event, "")
