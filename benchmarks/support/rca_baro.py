"""Run by the peers' Python: rankings of columns by BARO's robust scorer and by its n-sigma. Writes JSON.

usage: PYTHON rca_baro.py FOLDER OUT.json

FOLDER holds one CASE.csv per case: the reference's rows, then the incident's, and the column `period` (0 or 1); the
other columns are series. OUT.json gets {method: {case: {"ranks": [column, …], "seconds": CPU}}}.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from baro.root_cause_analysis import nsigma, robust_scorer  # type: ignore[import-not-found]

METHODS = {"n-sigma": nsigma, "BARO": robust_scorer}


def main() -> None:
    """Rank the columns of every case by every method."""
    warnings.simplefilter("ignore")
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    told: dict[str, dict[str, Any]] = {method: {} for method in METHODS}
    for path in sorted(source.glob("*.csv")):
        table = pd.read_csv(path)
        border = int((table.pop("period") == 0).sum())
        table.insert(0, "time", range(len(table)))
        for method, rank in METHODS.items():
            began = time.process_time()
            ranks = rank(table.copy(), inject_time=border)["ranks"]
            told[method][path.stem] = {"ranks": list(ranks), "seconds": time.process_time() - began}
    target.write_text(json.dumps(told))


if __name__ == "__main__":
    main()
