"""A job without walls: limits alone, then the program. For ``--unsafe-no-sandbox``."""

from __future__ import annotations

import json
import os
import resource
import sys

from . import files, program


def main() -> None:
    """Run the order on the command line in this process."""
    order = json.loads(sys.argv[1])
    sys.path[0] = order["work"]
    for name, (soft, hard) in order["limits"].items():
        resource.setrlimit(getattr(resource, name), (soft, hard))
    if order["copy_to_work"] is not None:
        files.copy_tree(order["copy_to_work"], order["work"])
    os.chdir(order["work"])
    program.become(order["module"], order["arguments"], order["python_path"])
