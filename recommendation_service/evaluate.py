"""`tandem evaluate models`, under the name that the evaluation pages uses."""

import sys

from recommendation_service.cli import script

main = script("evaluate", "models")

if __name__ == "__main__":
    sys.exit(main())
