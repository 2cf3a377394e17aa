"""The floors of the house: which room may import from which (DESIGN, section 2)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "obs_magics"

FLOORS: dict[int, set[str]] = {
    0: {"model"},
    1: {"net", "syntax", "display"},
    2: {"language", "analysis", "store", "security", "config", "notify", "llm"},
    3: {"adapters", "local", "accessor"},
    4: {"session"},
    5: {"incident", "dashboards", "demo"},
    6: {"api"},
    7: {"agents", "widgets"},
    8: {"magics"},
    9: {"cli"},
    10: {"__main__"},
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}

# Loading the extension must cost next to nothing: none of these may be imported by it.
HEAVY = {"pandas", "numpy", "altair", "sklearn", "duckdb", "pyarrow", "httpx", "pydantic", "scipy", "vl_convert"}


def room_of(path: Path) -> str:
    """The room a module belongs to: the folder or the module right below the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Every room of ours that a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            names = [node.module or ""]
            if node.module == "obs_magics":
                names = [f"obs_magics.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("obs_magics.")}
    return found - {"__version__"}


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_from_lower_floors(path: Path) -> None:
    room = room_of(path)
    assert room in FLOOR_OF, f"{room} stands on no floor: give it one in the table"
    for other in imported_rooms(path) - {room}:
        assert FLOOR_OF.get(other, 99) < FLOOR_OF[room], f"{room} (floor {FLOOR_OF[room]}) imports {other}"


def test_every_room_that_exists_is_in_the_table() -> None:
    rooms = {room_of(path) for path in MODULES}
    assert rooms <= set(FLOOR_OF)
    assert {"model", "net", "adapters", "local", "session", "magics"} <= rooms


def test_loading_the_extension_imports_nothing_heavy() -> None:
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell;"
        "shell = InteractiveShell.instance(); before = set(sys.modules);"
        "shell.run_line_magic('load_ext', 'obs_magics');"
        "print(' '.join(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
    assert "obs_magics" in done.stdout
