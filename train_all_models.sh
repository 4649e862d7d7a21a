#!/usr/bin/env bash
# Trains everything anew: exports the site's data, trains every model, publishes what is good enough.
# Running workers notice new models by themselves. Options are those of recommendation_service.train_all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# A pool of threads per library makes the libraries fight for the same cores: many times slower.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMEXPR_NUM_THREADS=1

if [[ -x .venv/bin/python ]]; then PYTHON=.venv/bin/python; else PYTHON=${PYTHON:-python3}; fi
command -v "$PYTHON" >/dev/null || { echo "train_all_models: no Python found; create .venv or set PYTHON" >&2; exit 1; }

asked_for_help=0
for word in "$@"; do [[ "$word" == "-h" || "$word" == "--help" ]] && asked_for_help=1; done
if ((asked_for_help)); then exec "$PYTHON" -m recommendation_service.train_all --help; fi

echo "[1/2] exporting the two-tower and ALS datasets"
"$PYTHON" backend/manage.py generate_all_datasets || {
  code=$?
  echo "train_all_models: the export failed ($code); today's models keep serving" >&2
  exit "$code"
}

echo "[2/2] training, measuring and publishing"
"$PYTHON" -m recommendation_service.train_all "$@" || {
  code=$?
  echo "train_all_models: training ended with $code; whatever was not published keeps its old model" >&2
  exit "$code"
}
echo "done: running workers take what was published within RS_RELOAD_SECONDS (2 s unless set)"
