"""Run by the peers' Python: the templates that one library finds in lines, or its CPU seconds. Writes JSON.

usage: PYTHON peer_templates.py LIBRARY LINES.json OUT.json

LINES.json holds {name: [line, …]}; OUT.json gets {name: {"templates": [one a line], "seconds": CPU}}.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Drain3's examples/drain3.ini (MIT), as its documentation recommends to start from.
_MASKS = (
    (r"((?<=[^A-Za-z0-9])|^)(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))((?=[^A-Za-z0-9])|$)", "ID"),
    (r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"),
    (r"((?<=[^A-Za-z0-9])|^)([0-9a-f]{6,} ?){3,}((?=[^A-Za-z0-9])|$)", "SEQ"),
    (r"((?<=[^A-Za-z0-9])|^)([0-9A-F]{4} ?){4,}((?=[^A-Za-z0-9])|$)", "SEQ"),
    (r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)", "HEX"),
    (r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
    (r"(?<=executed cmd )(\".+?\")", "CMD"),
)
# Of logparser's demo of Brain; one setting for all systems.
_BRAIN = (
    r"blk_(|-)[0-9]+",
    r"(/|)([0-9]+\.){3}[0-9]+(:[0-9]+|)(:|)",
    r"(?<=[^A-Za-z0-9])(\-?\+?\d+)(?=[^A-Za-z0-9])|[0-9]+$",
)

Found = tuple[list[str], float]


def _drain3(*, masks: bool) -> Callable[[list[str]], Found]:
    from drain3 import TemplateMiner  # type: ignore[import-not-found]
    from drain3.masking import MaskingInstruction  # type: ignore[import-not-found]
    from drain3.template_miner_config import TemplateMinerConfig  # type: ignore[import-not-found]

    def run(lines: list[str]) -> Found:
        config = TemplateMinerConfig()
        if masks:
            config.mask_prefix, config.mask_suffix, config.drain_extra_delimiters = "<:", ":>", ["_"]
            config.masking_instructions = [MaskingInstruction(*mask) for mask in _MASKS]
        miner = TemplateMiner(config=config)
        began = time.process_time()
        clusters = [miner.add_log_message(line)["cluster_id"] for line in lines]
        seconds = time.process_time() - began
        templates = {cluster.cluster_id: cluster.get_template() for cluster in miner.drain.clusters}
        return [templates[cluster] for cluster in clusters], seconds

    return run


def _brain() -> Callable[[list[str]], Found]:
    import pandas as pd
    from logparser.Brain import LogParser  # type: ignore[import-not-found]

    def run(lines: list[str]) -> Found:
        with tempfile.TemporaryDirectory() as folder:
            flat = [" ".join(line.split()) or "-" for line in lines]
            Path(folder, "lines.log").write_text("\n".join(flat) + "\n")
            parser = LogParser("all", "<Content>", indir=folder, outdir=folder, threshold=2, rex=list(_BRAIN))
            began = time.process_time()
            with contextlib.redirect_stdout(io.StringIO()):
                parser.parse("lines.log")
            seconds = time.process_time() - began
            found = pd.read_csv(Path(folder, "lines.log_structured.csv"), dtype=str, keep_default_na=False)
        return list(found["EventTemplate"]), seconds

    return run


LIBRARIES: dict[str, tuple[str, Callable[[], Callable[[list[str]], Found]]]] = {
    "drain3": ("drain3", lambda: _drain3(masks=False)),
    "drain3-masks": ("drain3", lambda: _drain3(masks=True)),
    "brain": ("logparser3", _brain),
}


def main() -> None:
    """Run one library over every list of lines."""
    library, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    distribution, make = LIBRARIES[library]
    run = make()
    told: dict[str, Any] = {"version": version(distribution), "sets": {}}
    for name, lines in json.loads(source.read_text()).items():
        templates, seconds = run(lines)
        told["sets"][name] = {"templates": templates, "seconds": seconds}
    target.write_text(json.dumps(told))


if __name__ == "__main__":
    main()
