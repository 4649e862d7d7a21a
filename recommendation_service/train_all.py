"""`tandem train all`, under the name that `train_all_models.sh` uses."""

import sys

from recommendation_service.cli import script

main = script("train", "all")

if __name__ == "__main__":
    sys.exit(main())
