"""Start `make demo`, use it as a visitor does, stop it, and check that no process is left: python .ci/smoke.py"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 240


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def call(url: str, token: str, body: dict[str, Any] | None = None) -> Any:
    """Return the JSON answer. Raises for any other status than success."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:  # noqa: S310 - our own loopback address
        return json.load(answer)


def read_until_shown(demo: "subprocess.Popen[str]") -> str:
    """Return the demo's output up to its last line. Raises SystemExit if the demo ends before it."""
    output = ""
    assert demo.stdout is not None  # noqa: S101 - stdout is a pipe; this tells mypy
    for line in demo.stdout:
        sys.stdout.write(line)
        output += line
        if line.startswith("Stop with"):
            return output
    raise SystemExit("the demo ended before it showed anything")


LISTS = ("recommendations", "results")  # keys of the items in the sites' answers


def use(output: str) -> None:
    """Call every printed curl; then send a click to the first site, which must count it."""
    urls, token = re.findall(r"'(http://\S+)'", output), (ROOT / ".demo/token").read_text().strip()
    if not urls:
        raise SystemExit("the demo printed no curl")
    for url in urls:
        answer = call(url, token)
        items = next((answer[name] for name in LISTS if name in answer), [])
        if not items or answer["degraded"]:
            raise SystemExit(f"{url} gave {len(items)} items, degraded: {answer['degradation']}")
        method = answer.get("method_used") or answer["mode"]  # the marketplace answers with its mode
        sys.stdout.write(f"used: {method} gave {len(items)} items at {url.partition('?')[0]}\n")
    url = urls[0]
    before = call(url, token)
    item = before["recommendations"][0]["item_id"]
    site = url.partition("/api/")[0]
    event = {"user_id": before["user_id"], "catalogue": before["use_case"], "item_id": item, "event": "like"}
    call(f"{site}/api/v1/interactions", token, event)
    after = call(url, token)
    if after["interaction_count"] != before["interaction_count"] + 1:
        raise SystemExit(f"the click was not counted: {before['interaction_count']}, then {after['interaction_count']}")
    if item in [entry["item_id"] for entry in after["recommendations"]]:
        raise SystemExit("the clicked item is still recommended")
    sys.stdout.write(f"used: {before['method_used']}, {before['interaction_count']} interactions, then one more\n")


def left_over(group: int) -> list[str]:
    """Return the command lines of processes that still belong to the demo."""
    commands = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"\0DEMO_RUN={group}\0".encode() in b"\0" + (folder / "environ").read_bytes():
                commands.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return commands


def too_late(number: int, frame: FrameType | None) -> None:
    """Handle the alarm: raise, so that `main` stops the demo."""
    raise TimeoutError(f"the demo did not finish within {LIMIT_S} s")


def main() -> int:
    """Return 0 if the demo started, was used, and stopped."""
    ports = [f"PORT={free_port()}", f"SERVICE_PORT={free_port()}"]
    environment = {**os.environ, "DEMO_RUN": str(os.getpid())}
    started = time.monotonic()
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(LIMIT_S)
    demo = subprocess.Popen(
        ["make", "demo", *ports], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        use(read_until_shown(demo))
    finally:
        os.killpg(demo.pid, signal.SIGINT)  # what a terminal's Ctrl-C does
        demo.wait(30)
    left = left_over(os.getpid())
    if left:
        raise SystemExit(f"still running after Ctrl-C: {left}")
    sys.stdout.write(f"demo: up, used and gone in {time.monotonic() - started:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
