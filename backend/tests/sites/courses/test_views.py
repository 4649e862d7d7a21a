"""The platform's own paths: lists in its own words, figures for those who may see them, and errors that name the field."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sites.courses.models import Completion, Course, Enrolment, Learner
from tandem.models import Impression
from tandem.service_client.client import RecommendationClient
from tests.support import board, campus

pytestmark = pytest.mark.django_db
STRATEGIES = ("two_tower", "popularity", "content", "hybrid")


@pytest.fixture(autouse=True)
def _alone(service_at: Callable[[str], RecommendationClient]) -> None:
    """The recommendation service is away: every answer is Django's own last resort, and must be as whole."""
    service_at("http://127.0.0.1:9")
    campus.make_courses()


@pytest.fixture
def learner() -> Learner:
    return campus.make_learner("user1", User.objects.create_user("a"))


@pytest.fixture
def own(learner: Learner) -> Client:
    client = Client()
    client.force_login(learner.account)  # type: ignore[arg-type]  # it was just made
    return client


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    return client


def test_the_curl_example_of_the_list_answers_in_the_sites_words(client: Client, learner: Learner) -> None:
    answer = client.get(f"{campus.HOME}?user_id=user1", headers=board.service_header()).json()
    assert set(answer) == {
        "request_id", "user_id", "strategy", "method_used", "model_version", "degraded", "degradation", "probabilities",
        "generated_at", "recommendations",
    }  # fmt: skip
    assert answer["user_id"] == "user1"
    course = answer["recommendations"][0]
    assert set(course) == {"course_id", "title", "category", "level", "hours", "skills", "score", "position"}
    assert Course.objects.filter(pk=course["course_id"], title=course["title"]).exists()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_can_be_asked_for(own: Client, strategy: str) -> None:
    answer = own.get(f"{campus.HOME}?strategy={strategy}").json()
    assert answer["strategy"] == strategy
    assert answer["degraded"]
    assert answer["recommendations"]


def test_explain_adds_a_reason_to_each_course(own: Client) -> None:
    courses = own.get(f"{campus.HOME}?explain=true").json()["recommendations"]
    assert courses
    assert all(course["reason"] and isinstance(course["reason"], str) for course in courses)
    assert "reason" not in own.get(campus.HOME).json()["recommendations"][0]


def test_what_is_shown_is_recorded_with_its_reader(own: Client) -> None:
    answer = own.get(campus.HOME).json()
    shown = Impression.objects.get(request_id=answer["request_id"])
    assert (shown.use_case, shown.surface, shown.user.user_id) == ("courses", "home", "user1")  # type: ignore[union-attr]
    assert shown.items.count() == len(answer["recommendations"])


def test_similar_courses_leave_out_the_course_itself(own: Client) -> None:
    courses = own.get(campus.SIMILAR.format("course_python_basic")).json()["recommendations"]
    assert courses
    assert "course_python_basic" not in {course["course_id"] for course in courses}


def test_a_course_nobody_knows_is_not_found(own: Client) -> None:
    response = own.get(campus.SIMILAR.format("course_of_nothing"))
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("strategy=magic", "/strategy"),
        ("explain=perhaps", "/explain"),
        ("limit=0", "/limit"),
        ("limit=1000", "/limit"),
        ("user_id=", "/user_id"),
        ("colour=red", "/colour"),
    ],
)
def test_a_wrong_parameter_is_named(staff: Client, query: str, pointer: str) -> None:
    response = staff.get(f"{campus.HOME}?{query}")
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_one_persons_figures_count_their_own_lists_only(own: Client) -> None:
    campus.answered()
    told = own.get(campus.USER_STATS.format("user1")).json()
    wanted = {"user_id": "user1", "num_lists": 2, "num_recommendations": 4, "num_clicks": 2, "num_enrolls": 1, "ctr": 0.5}
    assert {name: told[name] for name in wanted} == wanted
    assert told["top_categories"] == [{"category": "music", "count": 1}, {"category": "programming", "count": 1}]


def test_figures_of_everybody_add_up(staff: Client) -> None:
    campus.answered()
    told = staff.get(f"{campus.GLOBAL_STATS}?days=7").json()
    assert (told["num_recommendations"], told["num_clicks"], told["num_enrolls"], told["ctr"]) == (6, 3, 1, 0.5)
    shares = {one["strategy"]: one["share"] for one in told["strategy_distribution"]}
    assert shares == {"hybrid": pytest.approx(2 / 3, abs=1e-6), "popularity": pytest.approx(1 / 3, abs=1e-6)}
    assert len(told["daily_stats"]) == 7
    assert sum(day["num_clicks"] for day in told["daily_stats"]) == told["num_clicks"]
    assert told["most_answered_courses"][0]["course_id"] == "course_python_basic"
    popular = {one["course_id"] for one in told["most_popular_courses"]}
    assert popular == {"course_python_basic", "course_guitar_basic", "course_go_basic"}


@pytest.mark.parametrize("query", ["days=0", "days=401", "days=x", "days=1&days=2", "weeks=1"])
def test_a_wrong_span_is_named(staff: Client, query: str) -> None:
    response = staff.get(f"{campus.GLOBAL_STATS}?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


def test_figures_of_nobody_are_not_found(staff: Client) -> None:
    assert staff.get(campus.USER_STATS.format("nobody")).status_code == 404


def test_an_enrolment_answers_the_list_before_bid_to_it(own: Client, learner: Learner) -> None:
    answer: dict[str, Any] = own.get(campus.HOME).json()
    course = Course.objects.get(pk=answer["recommendations"][0]["course_id"])
    taken = Enrolment.objects.create(learner=learner, course=course, request_id=answer["request_id"])
    Completion.objects.create(learner=learner, course=course)
    assert str(taken) == f"user1: {course.pk}"
    told = own.get(campus.USER_STATS.format("user1")).json()
    assert (told["num_enrolls"], told["num_clicks"]) == (1, 0)


def test_a_click_through_the_interactions_door_is_counted(own: Client) -> None:
    answer = own.get(campus.HOME).json()
    row = {
        "catalogue": "courses",
        "item_id": answer["recommendations"][0]["course_id"],
        "event": "click",
        "request_id": answer["request_id"],
    }
    for _ in range(2):
        assert own.post("/api/v1/interactions", row, content_type="application/json").status_code == 201
    told = own.get(campus.USER_STATS.format("user1")).json()
    assert (told["num_clicks"], told["num_recommendations"]) == (1, len(answer["recommendations"]))
