"""What a notebook is about: the incident that was declared last, and people's notes. It imports next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obs_magics.incident.enriched import Enriched
    from obs_magics.incident.investigate import Investigation
    from obs_magics.model.incident import Remark


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one cell: a cell that is run again takes back what it noted before.

    Args:
        cell: What the front end calls the cell; empty where it does not tell.
        number: Counts the runs of all cells.
    """

    cell: str
    number: int


@dataclass(slots=True)
class Case:
    """What a notebook is about.

    Args:
        enriched: The incident that was declared last.
        found: What was found last.
        notes: By the run that noted them, in order.
    """

    enriched: Enriched | None = None
    found: Investigation | None = None
    notes: dict[Run, list[Remark]] = field(default_factory=dict)

    def note(self, run: Run, remarks: Sequence[Remark]) -> None:
        """Keep notes; those of earlier runs of the same cell are forgotten."""
        if run.cell:
            for old in [one for one in self.notes if one.cell == run.cell and one != run]:
                del self.notes[old]
        own = self.notes.setdefault(run, [])
        own += [remark for remark in remarks if remark not in own]

    def remarks(self) -> list[Remark]:
        """All notes in order of time, each once."""
        every = dict.fromkeys(remark for own in self.notes.values() for remark in own)
        return sorted(every, key=lambda one: (one.at_ns, one.author, one.text))

    def forget(self) -> int:
        """Forget all notes; gives back how many there were."""
        count = len(self.remarks())
        self.notes.clear()
        return count


def run_of(shell: Any) -> Run:
    """The run in which a magic is called."""
    parent = shell.get_parent() if hasattr(shell, "kernel") else {}
    cell = parent.get("metadata", {}).get("cellId", "")
    return Run(str(cell), int(shell.execution_count))
