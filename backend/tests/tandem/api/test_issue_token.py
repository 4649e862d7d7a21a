"""`manage.py issue_token`."""

import io

import jwt
import pytest
from django.core.management import CommandError, call_command

from tandem.service_client import tokens


def issue(*arguments: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    call_command("issue_token", *arguments, stdout=out, stderr=err)
    assert err.getvalue() == ""
    return out.getvalue()


def claims(token: str) -> dict[str, object]:
    return dict(jwt.decode(token.strip(), b"k" * 40, algorithms=["HS256"], audience="recommendation_service"))


def test_stdout_holds_the_token_and_nothing_else() -> None:
    printed = issue("--user", "u1")
    assert printed.count("\n") == 1
    assert tokens.verify(printed.strip()) == tokens.Claims("u1", frozenset({"recs:self"}))


@pytest.mark.parametrize(
    ("arguments", "subject", "scope"),
    [
        (["--user", "u1"], "u1", "recs:self"),
        (["--service"], "service", "recs:any"),
        (["--service", "--admin"], "service", "recs:any recs:admin"),
    ],
)
def test_rights_are_those_asked_for(arguments: list[str], subject: str, scope: str) -> None:
    found = claims(issue(*arguments))
    assert (found["sub"], found["scope"], found["aud"]) == (subject, scope, ["backend", "recommendation_service"])


def test_it_lives_an_hour_unless_told_otherwise() -> None:
    for arguments, seconds in (([], 3600), (["--minutes", "1440"], 86_400)):
        found = claims(issue("--service", *arguments))
        assert int(str(found["exp"])) - int(str(found["iat"])) == seconds


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--user", "u1", "--service"],
        ["--user", "u1", "--admin"],
        ["--service", "--minutes", "0"],
        ["--service", "--minutes", "1441"],
        ["--user", "null"],
        ["--user", ""],
    ],
)
def test_anything_else_is_refused_in_one_line(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as caught:
        issue(*arguments)
    assert "\n" not in str(caught.value)
