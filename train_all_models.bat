@echo off
rem Trains everything anew: exports the site's data, trains every model, publishes what is good enough.
rem Running workers notice new models by themselves. Options are those of recommendation_service.train_all.
setlocal
cd /d "%~dp0"

rem A pool of threads per library makes the libraries fight for the same cores: many times slower.
set OPENBLAS_NUM_THREADS=1
set OMP_NUM_THREADS=1
set MKL_NUM_THREADS=1
set NUMEXPR_NUM_THREADS=1

if not defined PYTHON set PYTHON=python
if exist ".venv\Scripts\python.exe" set PYTHON=.venv\Scripts\python.exe
"%PYTHON%" --version >nul 2>&1
if errorlevel 1 (
  echo train_all_models: no Python found; create .venv or set PYTHON 1>&2
  exit /b 1
)

echo [1/2] exporting the two-tower and ALS datasets
"%PYTHON%" backend\manage.py generate_all_datasets
if errorlevel 1 (
  echo train_all_models: the export failed; today's models keep serving 1>&2
  exit /b 1
)

echo [2/2] training, measuring and publishing
"%PYTHON%" -m recommendation_service.train_all %*
if errorlevel 1 (
  echo train_all_models: training did not finish; whatever was not published keeps its old model 1>&2
  exit /b 1
)
echo done: running workers take what was published within RS_RELOAD_SECONDS (2 s unless set)
endlocal
