"""One JupyterLab and one Chromium for all that is tried in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from conftest import missing
from support.lab import CHROMIUM_FLAGS, Lab, Notebook, running_lab
