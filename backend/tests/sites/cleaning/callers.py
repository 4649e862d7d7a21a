"""Two clients and two cleaners with accounts and a job between them, for tests of the marketplace's doors."""

import json
from typing import Any

from django.test import Client as Browser

from tests.sites.cleaning import agreed, marketplace

API = "/api/v1/cleaning"


class Market:
    """Nikos has a job for which Maria has bid; Olga is another client, Petros another cleaner; all have accounts."""

    def __init__(self) -> None:
        self.accounts = {name: agreed.account(name, is_staff=name == "staff") for name in (
            "nikos", "olga", "maria", "petros", "staff", "nobody",
        )}  # fmt: skip
        self.nikos = marketplace.make_client("Nikos", account=self.accounts["nikos"], budget="high")
        self.olga = marketplace.make_client("Olga", account=self.accounts["olga"])
        place = {"latitude": 37.98381, "longitude": 23.72751, "tier": "premium"}
        self.maria = marketplace.make_cleaner("Maria", account=self.accounts["maria"], **place)
        self.petros = marketplace.make_cleaner("Petros", account=self.accounts["petros"])
        self.job = agreed.job_at("bidding", self.nikos, self.maria)
        type(self.job.place).objects.filter(pk=self.job.place_id).update(latitude=37.990123, longitude=23.740123)

    def session(self, name: str) -> Browser:
        """Logged in as one of them."""
        browser = Browser()
        if name != "anonymous":
            browser.force_login(self.accounts[name])
        return browser


def post(browser: Browser, path: str, body: Any = None, **more: Any) -> Any:
    return browser.post(API + path, json.dumps({} if body is None else body), content_type="application/json", **more)
