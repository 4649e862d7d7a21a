"""`tandem update-bandit`, under the name that acceptance list 004 uses."""

import sys

from recommendation_service.cli import script

main = script("update-bandit")

if __name__ == "__main__":
    sys.exit(main())
