"""Exit with status 0 if the Django process in this container is alive, else with 1: python backend/config/healthcheck.py."""

import http.client
import os
import sys
from collections.abc import Mapping

PORT = 8000
TIMEOUT_S = 2.0


def is_alive(environ: Mapping[str, str], port: int = PORT) -> bool:
    """True if /livez answers to a request as the proxy sends it: with an allowed host name, and as if over TLS."""
    host = environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".*") or "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/livez", headers={"Host": host, "X-Forwarded-Proto": "https"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_alive(os.environ, int(os.environ.get("PORT", PORT))) else 1)
