"""Builds the wheel of the project in the working folder, by the back end that it declares.

This is the part of a build front end (PEP 517) that is needed where nothing can be downloaded: the
back ends are those of the environment. The wheel is left as ``wheel/<its name>`` and, under a name
known beforehand, as the file that the first argument names.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

LEGACY = "setuptools.build_meta:__legacy__"
"""What PEP 517 says of a project that names no back end."""


def main() -> None:
    """Build, or end with one line that says why not."""
    os.umask(0o022)
    # Read now: setuptools leaves arguments of its own behind.
    target = sys.argv[1]
    project = Path("pyproject.toml")
    if not project.is_file():
        sys.exit("the project has no pyproject.toml")
    try:
        table = tomllib.loads(project.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        sys.exit(f"pyproject.toml cannot be read: {error}")
    Path("wheel").mkdir(exist_ok=True)
    name = back_end(table.get("build-system", {})).build_wheel("wheel")
    shutil.copyfile(Path("wheel") / name, target)


def back_end(system: dict[str, Any]) -> Any:
    """Import the declared build back end."""
    sys.path[:0] = [str(Path(folder).resolve()) for folder in system.get("backend-path", ())]
    declared = system.get("build-backend", LEGACY)
    module, _, attribute = declared.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        sys.exit(f"the build back end {declared!r} is not in the environment ({error})")
    for part in attribute.split(".") if attribute else ():
        found = getattr(found, part)
    return found


if __name__ == "__main__":
    main()
