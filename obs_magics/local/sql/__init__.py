"""SQL over a local source and frames of the notebook: DuckDB, which here can read and do nothing else."""

from obs_magics.local.sql.database import Database

__all__ = ["Database"]
