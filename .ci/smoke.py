"""Start `make demo`, use it as a visitor would, stop it, and see that nothing stays: python .ci/smoke.py"""

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
    """A port nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def call(url: str, token: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON answer; raises on anything but success."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:  # noqa: S310 - our own loopback address
        return json.load(answer)


def read_until_shown(demo: "subprocess.Popen[str]") -> str:
    """The demo's output up to its last line; raises when it ends before."""
    said = ""
    assert demo.stdout is not None  # noqa: S101 - it is a pipe, and mypy must know
    for line in demo.stdout:
        sys.stdout.write(line)
        said += line
        if line.startswith("Stop with"):
            return said
    raise SystemExit("the demo ended before it showed anything")


LISTS = ("recommendations", "results")  # what the sites call their items


def use(said: str) -> None:
    """Every shown curl; then one click more on the first site, which must be counted."""
    shown, token = re.findall(r"'(http://\S+)'", said), (ROOT / ".demo/token").read_text().strip()
    if not shown:
        raise SystemExit("the demo printed no curl")
    for url in shown:
        answer = call(url, token)
        items = next((answer[name] for name in LISTS if name in answer), [])
        if not items or answer["degraded"]:
            raise SystemExit(f"{url} gave {len(items)} items, degraded: {answer['degradation']}")
        method = answer.get("method_used") or answer["mode"]  # the marketplace says which of its modes
        sys.stdout.write(f"used: {method} gave {len(items)} items at {url.partition('?')[0]}\n")
    url = shown[0]
    before = call(url, token)
    item = before["recommendations"][0]["item_id"]
    site = url.partition("/api/")[0]
    event = {"user_id": before["user_id"], "catalogue": before["use_case"], "item_id": item, "event": "like"}
    call(f"{site}/api/v1/interactions", token, event)
    after = call(url, token)
    if after["interaction_count"] != before["interaction_count"] + 1:
        raise SystemExit(f"the click was not counted: {before['interaction_count']}, then {after['interaction_count']}")
    if item in [one["item_id"] for one in after["recommendations"]]:
        raise SystemExit("what was clicked is still recommended")
    sys.stdout.write(f"used: {before['method_used']}, {before['interaction_count']} interactions, then one more\n")


def left_over(group: int) -> list[str]:
    """Command lines of processes that still belong to the demo."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"\0DEMO_RUN={group}\0".encode() in b"\0" + (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def too_late(number: int, frame: FrameType | None) -> None:
    """The alarm's handler: raises, so that the demo is stopped on the way out."""
    raise TimeoutError(f"the demo was not done after {LIMIT_S} s")


def main() -> int:
    """0 when the demo came up, was used, and went away."""
    ports = [f"PORT={free_port()}", f"SERVICE_PORT={free_port()}"]
    environment = {**os.environ, "DEMO_RUN": str(os.getpid())}
    begun = time.monotonic()
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
    sys.stdout.write(f"demo: up, used and gone in {time.monotonic() - begun:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
