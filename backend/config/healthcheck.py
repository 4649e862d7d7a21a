"""Whether the Django process in this container is alive: python backend/config/healthcheck.py. Exit status 0 or 1."""

import http.client
import os
import sys
from collections.abc import Mapping

PORT = 8000
TIMEOUT_S = 2.0


def is_alive(environ: Mapping[str, str], port: int = PORT) -> bool:
    """Ask /livez as the proxy would: with a host name the site accepts, and as if over TLS."""
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
