"""Opens Parquet files. pyarrow is optional, and imported only here and by the fast CSV reader."""

from pathlib import Path
from typing import Any

from recommendation_service.errors import DatasetError


def open_parquet(path: Path) -> Any:
    """Return a pyarrow ParquetFile. Raises DatasetError if it is unreadable, ModuleNotFoundError without pyarrow."""
    from pyarrow import ArrowException, parquet  # optional, and as slow to import as everything else together

    try:
        return parquet.ParquetFile(path)
    except (OSError, ArrowException) as error:
        raise DatasetError(f"{path.name}: cannot be read as a Parquet file ({error})") from error
