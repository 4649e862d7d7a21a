"""Runs a planned demo and prints its pages and first answers."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import urllib3

from demo.plan import HOST, TOKEN_COMMAND, Plan, Server, Site
from demo.processes import Processes, StageFailed
from recommendation_service.datasets.reader import Dataset

Say = Callable[[str], None]
READY_S = 60.0
MARKER = "kept.json"


def run(plan: Plan, processes: Processes, say: Say, *, keep: bool) -> None:
    """Prepare, start, print, and wait for a signal. Raises StageFailed with the fix, Stopped."""
    begun = time.monotonic()
    _prepare(plan, processes, say, keep=keep)
    for stage in plan.always:
        say(_timed(stage.name, processes.run(stage.name, *stage.commands)))
    for server in plan.servers:
        processes.start(server.name, server.command)
    say(_timed("start", processes.wait_ready(plan.servers, READY_S)))
    say(_timed("all", time.monotonic() - begun))
    _show(plan, processes, say)
    processes.supervise(plan.servers, say)


def make_folder(plan: Plan, *, keep: bool) -> None:
    """Make an empty folder for this demo, or reuse the existing one."""
    if not keep:
        shutil.rmtree(plan.folder, ignore_errors=True)
    plan.folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _prepare(plan: Plan, processes: Processes, say: Say, *, keep: bool) -> None:
    made_by = json.dumps(
        [[entry[2:] for entry in stage.commands] for stage in plan.prepare]
        + [plan.environment["DATABASE_URL"].rpartition("@")[2]]
    )
    marker = plan.folder / MARKER
    if keep and marker.exists() and marker.read_text() == made_by:
        say("reused    results of the last demo of this site (KEEP=1)")
        return
    marker.unlink(missing_ok=True)
    for stage in plan.prepare:
        say(_timed(stage.name, processes.run(stage.name, *stage.commands)))
    marker.write_text(made_by)


def _show(plan: Plan, processes: Processes, say: Say) -> None:
    service, django = plan.servers
    page = f"http://{HOST}:{django.port}"
    token = plan.folder.parent / "token"
    _write_private(token, processes.output("token", TOKEN_COMMAND))
    say("")
    for site in plan.sites:
        say(f"page      {page}/{site.name}/")
    say(f"API       {page}/api/docs/   and of the service: {_docs(service)}")
    say(f"admin     {page}/admin/   user: staff   password: {plan.environment['DEMO_STAFF_PASSWORD']}   (this demo only)")
    for index, site in enumerate(plan.sites):
        url = page + site.path.format(shown_id(plan.folder / "data", site))
        answer = ask(url, token.read_text().strip())
        say("")
        say(f"$ curl -H \"Authorization: Bearer $(cat {_short(token)})\" '{url}'")
        if index == 0:
            say(json.dumps(answer, indent=2, ensure_ascii=False))
    say("")
    say("Stop with Ctrl-C.")


def shown_id(data_dir: Path, site: Site) -> str:
    """Return the id of the shown list's person or item. Raises StageFailed if there is none."""
    return newest_item(data_dir, site.newest) if site.newest else busiest_user(data_dir, site)


def newest_item(data_dir: Path, catalogue: str) -> str:
    """Return the id of the newest available item of the export. Raises StageFailed if there is none."""
    records = Dataset.open(data_dir, catalogue, verify=False).records()
    offered = [(entry.created_at or 0.0, entry.item_id) for entry in records if entry.available]
    if not offered:
        raise StageFailed(f"the export of {catalogue} has no available item")
    return max(offered)[1]


def busiest_user(data_dir: Path, site: Site) -> str:
    """Return the id of the user with the most exported interactions among those of the site's surface."""
    dataset = Dataset.open(data_dir, site.name, verify=False)
    lengths = np.diff(dataset.array("history_indptr"))
    ids = (dataset.user_ids.id(int(row)) for row in np.argsort(-lengths, kind="stable"))
    return next(entry for entry in ids if not site.known or site.known in dataset.profile(entry))


def ask(url: str, token: str) -> Any:
    """Return the answer of the printed curl command. Raises StageFailed if its status is not 200."""
    answer = urllib3.request("GET", url, headers={"Authorization": f"Bearer {token}"}, timeout=10.0, retries=False)
    if answer.status != 200:
        raise StageFailed(f"{url} answered {answer.status}: {answer.data.decode(errors='replace')[:300]}")
    return answer.json()


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text + "\n")


def _docs(service: Server) -> str:
    return f"http://{HOST}:{service.port}/docs"


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _timed(name: str, seconds: float) -> str:
    return f"{name:<9} {seconds:5.1f} s"
