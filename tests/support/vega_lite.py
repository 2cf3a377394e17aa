"""The JSON schema of the Vega-Lite that JupyterLab bundles: what every chart we draw is checked against."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import jsonschema
from conftest import ROOT, missing

VEGA_LITE = "5.6.1"  # what JupyterLab 4.6 bundles
_TRIES = 3  # a registry may be away for a moment


def vega_lite_validator() -> jsonschema.protocols.Validator:
    """A validator with the schema from npm, which is kept under .cache."""
    path = ROOT / ".cache" / f"vega-lite-{VEGA_LITE}.schema.json"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(
            dir=path.parent
        ) as folder:  # one each: several test processes may fetch at once
            _fetch(Path(folder)).replace(path)
    schema = json.loads(path.read_text())
    return jsonschema.validators.validator_for(schema)(schema)


def _fetch(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        missing(f"the schema of vega-lite {VEGA_LITE}", "install npm, which fetches it")
    assert npm
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), f"vega-lite@{VEGA_LITE}"]
    archive = folder / f"vega-lite-{VEGA_LITE}.tgz"
    for _ in range(_TRIES):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode == 0 and archive.exists():
            break
    else:
        missing(f"the schema of vega-lite {VEGA_LITE}", f"npm could not fetch it: {done.stderr.strip()[-200:]}")
    with tarfile.open(archive) as packed:
        member = packed.extractfile("package/build/vega-lite-schema.json")
        assert member
        schema = folder / "schema.json"
        schema.write_bytes(member.read())
    return schema
