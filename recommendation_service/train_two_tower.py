"""`tandem train two_tower`, under the name that acceptance lists 002 and 004 uses."""

import sys

from recommendation_service.cli import script

main = script("train", "two_tower")

if __name__ == "__main__":
    sys.exit(main())
