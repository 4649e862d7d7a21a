"""A Django project that is not this one, in a process of its own: its settings, one API view of its own, and Tandem's API.

    python foreign_project.py FOLDER REST_FRAMEWORK-as-JSON

Prints what every request of REQUESTS got, as JSON: status, content type and the keys of the body.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse

USE_CASE = """
name = "groups"
catalogues = ["groups"]
[events]
like = 1.0
[engines]
popular = { kind = "popularity" }
[surfaces.for-you]
catalogue = "groups"
fallback = ["popular"]
router = { kind = "fixed", options = { engine = "popular" } }
"""
FOR_YOU = "/tandem/recommendations/groups/for-you/"
ROW = {"item_id": "1", "event": "like", "catalogue": "groups"}
# name -> (user, method, path, body)
REQUESTS: dict[str, tuple[str | None, str, str, Any]] = {
    "anonymous": (None, "get", FOR_YOU + "1", None),
    "own list": ("1", "get", FOR_YOU + "1", None),
    "another person's list": ("1", "get", FOR_YOU + "2", None),
    "negative limit": ("1", "get", FOR_YOU + "1?limit=-1", None),
    "unknown parameter": ("1", "get", FOR_YOU + "1?order_by=password", None),
    "unknown surface": ("1", "get", "/tandem/recommendations/groups/nowhere/1", None),
    "a form": ("1", "form", "/tandem/v1/interactions", {"item_id": "1"}),
    "other method": ("1", "delete", "/tandem/v1/interactions", None),
    "one interaction": ("1", "post", "/tandem/v1/interactions", ROW),
    "anonymous interaction": (None, "post", "/tandem/v1/interactions", ROW),
    "bad rows": ("1", "post", "/tandem/v1/interactions", [1, {}, {**ROW, "value": "5"}]),
    "NaN": ("1", "post", "/tandem/v1/interactions", b'{"value": NaN}'),
    "not JSON": ("1", "post", "/tandem/v1/feedback", b"{"),
    "a verdict": ("1", "post", "/tandem/v1/feedback", {"catalogue": "groups", "item_id": "1", "verdict": "hide"}),
    "a number beyond the column": (
        "1",
        "post",
        "/tandem/v1/feedback",
        {"catalogue": "groups", "item_id": "9" * 30, "verdict": "hide"},
    ),
    "the site's own view": ("1", "get", "/own/", None),
    "the site's own error": ("1", "get", "/own/?fail=1", None),
}


def own_handler(error: Exception, context: Any) -> HttpResponse:
    return HttpResponse(b'{"own": "handler"}', status=418, content_type="application/json")


def set_up(folder: Path, rest_framework: dict[str, Any]) -> None:
    (folder / "groups.toml").write_text(USE_CASE)
    settings.configure(
        SECRET_KEY="of-a-foreign-project-0000000000000000000000000000000",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "tandem"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        TANDEM={"USE_CASES_DIR": str(folder), "SERVICE_URL": "http://127.0.0.1:9"},
        **({"REST_FRAMEWORK": rest_framework} if rest_framework else {}),
    )
    django.setup()


def result(client: Any, method: str, path: str, body: Any) -> list[Any]:
    if method == "form":
        response = client.post(path, body)
    else:
        content = body if isinstance(body, bytes) else json.dumps(body)
        options = {} if body is None else {"data": content, "content_type": "application/json"}
        response = getattr(client, method)(path, **options)
    return [response.status_code, response.headers["Content-Type"], sorted(json.loads(response.content))]


def main() -> None:
    folder, rest_framework = Path(sys.argv[1]), json.loads(sys.argv[2])
    set_up(folder, rest_framework)
    logging.disable(logging.CRITICAL)
    from django.contrib.auth.models import Group, User
    from django.test import Client
    from django.urls import include, path
    from rest_framework.exceptions import ValidationError
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from tandem.sources import ItemSource

    class Groups(ItemSource):
        catalogue = "groups"
        queryset = Group.objects.all()
        text = ("name",)

    class OwnView(APIView):
        def get(self, request: Request) -> Response:
            if "fail" in request.query_params:
                raise ValidationError("own")
            return Response({"own": "view"})

    global urlpatterns
    urlpatterns = [path("tandem/", include("tandem.api.urls")), path("own/", OwnView.as_view())]
    call_command("migrate", verbosity=0)
    for name in "ab":
        Group.objects.create(name=name)
        User.objects.create_user(name)
    clients: dict[str | None, Client] = {None: Client(), "1": Client()}
    clients["1"].force_login(User.objects.get(pk=1))
    sys.stdout.write(json.dumps({name: result(clients[user], *request) for name, (user, *request) in REQUESTS.items()}))


urlpatterns: list[Any] = []
if __name__ == "__main__":
    main()
