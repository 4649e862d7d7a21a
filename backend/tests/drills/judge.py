"""How a drill judges an answer: what must hold of every reply, whatever is broken behind it."""

from dataclasses import dataclass

from pydantic import ValidationError

from recommendation_service.domain.answer import Answer

COLD_BELOW, WARM_BELOW = 5, 20  # of the startups use case


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is asked for, with what is known of them without running the code under test."""

    user_id: str
    surface: str
    count: int
    seen: frozenset[str]
    known: bool = True  # False: no site ever heard of this id

    @property
    def routed(self) -> str:
        """The engine whose turn it is."""
        if self.count < COLD_BELOW:
            return "content_based"
        return "als" if self.count < WARM_BELOW else "ensemble"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, or the lack of one."""

    person: Person
    limit: int
    due: float  # monotonic moment at which it was to be asked
    waited_s: float  # from then on, not from when a thread was free
    status: int  # 0: no answer came
    body: bytes
    problem: str = ""  # of the connection

    @property
    def served(self) -> Answer:
        """The body; raises ValidationError where it is none."""
        return Answer.model_validate_json(self.body)


def breaches(reply: Reply, items: frozenset[str]) -> list[str]:
    """What is wrong with the reply; empty when every promise holds. `items` is the whole catalogue."""
    if reply.status != 200:
        return [f"status {reply.status} {reply.problem}"]
    try:
        served = reply.served
    except ValidationError as error:
        return [f"not an answer: {error.errors()[0]['loc']}"]  # NaN and infinity end here too
    return [*_of_the_question(reply, served), *_of_the_list(reply, served, items), *_of_the_engine(reply, served)]


def _of_the_question(reply: Reply, served: Answer) -> list[str]:
    asked = ("startups", reply.person.surface, reply.person.user_id)
    found = [] if (served.use_case, served.surface, served.user_id) == asked else ["answers another question"]
    if served.interaction_count != reply.person.count:
        found.append(f"counts {served.interaction_count} interactions, not {reply.person.count}")
    return found


def _of_the_list(reply: Reply, served: Answer, items: frozenset[str]) -> list[str]:
    ids = [item.item_id for item in served.recommendations]
    scores = [item.score for item in served.recommendations]
    wanted = min(reply.limit, len(items - reply.person.seen))
    rules = {
        f"{len(ids)} items, not {wanted}": len(ids) != wanted,
        "an item twice": len(set(ids)) != len(ids),
        "an unknown item": not items.issuperset(ids),
        "an item already seen": not reply.person.seen.isdisjoint(ids),
        "scores not in order": scores != sorted(scores, reverse=True),
        "positions not 1, 2, 3": [item.position for item in served.recommendations] != [*range(1, len(ids) + 1)],
    }
    return [rule for rule, broken in rules.items() if broken]


def _of_the_engine(reply: Reply, served: Answer) -> list[str]:
    found = []
    if served.degraded != bool(served.degradation):
        found.append("degraded and its reasons disagree")
    if not served.degraded and served.method_used != reply.person.routed:
        found.append(f"{served.method_used} in place of {reply.person.routed}, untold")
    if not served.degraded and not served.model_version:
        found.append("no model version")
    return found
