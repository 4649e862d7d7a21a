"""Every table of the marketplace can be looked at, added to, changed, filtered and downloaded, whatever its size."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from sites.cleaning import models
from sites.cleaning.admin import safe
from tests.sites.cleaning import agreed, marketplace

pytestmark = pytest.mark.django_db
TABLES = [
    models.Client, models.Cleaner, models.Property, models.CleaningJob, models.JobBid, models.Review, models.Payment,
    models.CleanerScore, models.JobRecommendation, models.CleanerRecommendation, models.BidSuggestion,
    models.RecommendationFeedback,
]  # fmt: skip


def live(count: int) -> None:
    """So many jobs that went all the way, each with recommendations, advice and a verdict."""
    for _ in range(count):
        cleaner, client = marketplace.make_cleaner(), marketplace.make_client()
        parts = dict.fromkeys(("overall_score", "quality", "reliability", "experience", "bidding", "activity"), 50.0)
        models.CleanerScore.objects.create(cleaner=cleaner, **parts)
        job = marketplace.done(cleaner, place=marketplace.make_place(client))
        seen, offered = agreed.shown_cleaner(job, cleaner), agreed.shown_job(job, cleaner, bid=job.accepted_bid)
        models.RecommendationFeedback.objects.create(job_recommendation=offered, feedback_type="too_far", comment="=cmd()")
        models.RecommendationFeedback.objects.create(cleaner_recommendation=seen, feedback_type="helpful")
        models.BidSuggestion.objects.create(
            job=job, cleaner=cleaner, minimum=40, optimal=50, maximum=60, method="neural", client_budget=80
        )


@pytest.fixture
def staff() -> Browser:
    browser = Browser()
    browser.force_login(User.objects.create_superuser("root"))
    return browser


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:cleaning_{model._meta.model_name}_{page}", args=args)


def name_of(model: Any) -> str:
    return str(model.__name__)


def test_all_twelve_tables_are_there() -> None:
    assert len(TABLES) == 12
    assert set(TABLES) == {model for model in admin.site._registry if model._meta.app_label == "cleaning"}


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_every_page_of_a_table_opens_with_as_many_queries_however_full_it_is(model: Any, staff: Browser) -> None:
    counts = []
    for more in (2, 1, 5):  # the first time Django itself looks up what it then remembers
        live(more)
        row = model._default_manager.first()
        assert row is not None
        assert str(row)
        pages = (address(model, "changelist"), address(model, "add"), address(model, "change", row.pk))
        made = []
        for page in pages:
            with CaptureQueriesContext(connection) as queries:
                assert staff.get(page).status_code == 200, page
            made.append(len(queries))
        counts.append(made)
    assert counts[1] == counts[2]


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_every_filter_search_and_column_to_sort_by_works(model: Any, staff: Browser) -> None:
    live(1)
    page = address(model, "changelist")
    told = admin.site._registry[model]
    assert told.list_filter
    assert told.search_fields
    assert staff.get(page, {"q": "1"}).status_code == 200
    for column in range(1, len(told.list_display) + 1):
        assert staff.get(page, {"o": str(column)}).status_code == 200
    if told.date_hierarchy:
        assert staff.get(page, {f"{told.date_hierarchy}__year": str(timezone.now().year)}).status_code == 200
    offered = staff.get(page).content.decode()
    for link in {part.split('"')[0] for part in offered.split('href="?')[1:]}:
        assert staff.get(f"{page}?{link.replace('&amp;', '&')}").status_code == 200, link


@pytest.mark.parametrize("model", TABLES, ids=name_of)
def test_a_row_can_be_changed_and_deleted(model: Any, staff: Browser) -> None:
    live(1)
    row = model._default_manager.first()
    form = staff.get(address(model, "change", row.pk)).context["adminform"].form
    sent = {name: value for name, value in _sent(form).items() if value is not None}
    for inline in staff.get(address(model, "change", row.pk)).context["inline_admin_formsets"]:
        sent |= {field.html_name: field.value() for field in inline.formset.management_form}
        for one in inline.formset.forms:
            sent |= {name: value for name, value in _sent(one).items() if value is not None}
    response = staff.post(address(model, "change", row.pk), sent)
    assert response.status_code == 302, response.context["errors"]
    assert staff.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert not model._default_manager.filter(pk=row.pk).exists()


def test_a_row_can_be_added(staff: Browser) -> None:
    assert (
        staff.post(address(models.Client, "add"), {"name": "Eleni", "budget": "low", "joined": "2026-01-01"}).status_code == 302
    )
    assert models.Client.objects.get().name == "Eleni"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"viewed_at__isempty": "1"}, 1),
        ({"viewed_at__isempty": "0"}, 2),
        ({"contacted_at__isempty": "0"}, 1),
        ({"viewed_at__isempty": "0", "contacted_at__isempty": "1"}, 1),
        ({"hired_at__isempty": "0"}, 0),
    ],
)
def test_recommendations_are_filtered_by_what_came_of_them(query: dict[str, str], found: int, staff: Browser) -> None:
    job, now = agreed.job_today(marketplace.make_client()), timezone.now()
    for told in ({}, {"viewed_at": now}, {"viewed_at": now, "contacted_at": now}):
        agreed.shown_cleaner(job, marketplace.make_cleaner(), **told)
    page = staff.get(address(models.CleanerRecommendation, "changelist"), query)
    assert page.context["cl"].result_count == found


def test_chosen_rows_are_downloaded_with_no_cell_that_a_spreadsheet_runs(staff: Browser) -> None:
    live(2)
    model = models.RecommendationFeedback
    chosen = list(model.objects.values_list("pk", flat=True))
    response = staff.post(address(model, "changelist"), {"action": "as_csv", "_selected_action": chosen})
    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "id,job_recommendation_id,cleaner_recommendation_id,feedback_type,comment,created_at"
    assert len(lines) == 5
    assert sum("'=cmd()" in line for line in lines) == 2


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_formula_gets_a_quote(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("value", ["words", "", 5, -5, None])
def test_anything_else_stays(value: Any) -> None:
    assert safe(value) == value


def test_nobody_else_looks(staff: Browser) -> None:
    browser = Browser()
    browser.force_login(User.objects.create_user("maria"))
    for model in TABLES:
        assert browser.get(address(model, "changelist")).status_code == 302


def _sent(form: Any) -> dict[str, Any]:
    """What a browser would send back of a form: dates and times in their two fields."""
    found: dict[str, Any] = {}
    for field in form:
        value = field.value()
        if isinstance(value, bool):
            value = "on" if value else None
        if hasattr(field.field, "fields") and value is not None:
            parts = field.field.widget.decompress(value)
            found |= {f"{field.html_name}_{place}": part for place, part in enumerate(parts)}
        else:
            found[field.html_name] = value
    return found
