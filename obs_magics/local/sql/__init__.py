"""SQL over a local source and frames of the notebook: DuckDB, which here can read and do nothing else."""

from obs_magics.local.sql.database import Database
from obs_magics.local.sql.problems import judged
from obs_magics.local.sql.tables import layout_of

__all__ = ["Database", "judged", "layout_of"]
