"""`tandem train als`, under the name that acceptance list 002 uses."""

import sys

from recommendation_service.cli import script

main = script("train", "als")

if __name__ == "__main__":
    sys.exit(main())
