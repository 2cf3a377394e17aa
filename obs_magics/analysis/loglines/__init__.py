"""Log lines: what each of them says about its level, service and trace, and the logs frame that comes of it.

`logs_frame_from` makes the logs frame (`model.logs`) of raw columns; `fold_stacks` folds stack traces that came line by
line into their first line. `level_code` and `infer_levels` are the same reading of levels for others to use.
"""

from __future__ import annotations

from obs_magics.analysis.loglines.assemble import logs_frame_from
from obs_magics.analysis.loglines.bodies import infer_levels
from obs_magics.analysis.loglines.folding import fold_stacks
from obs_magics.analysis.loglines.ids import hex_ids
from obs_magics.analysis.loglines.levels import level_code

__all__ = ["fold_stacks", "hex_ids", "infer_levels", "level_code", "logs_frame_from"]
