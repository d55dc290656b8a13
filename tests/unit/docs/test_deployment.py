"""The container files: as far as they can be checked where no engine runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent


def test_image_is_built_well() -> None:
    done = subprocess.run(
        [str(BIN / "hadolint"), "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_composition_follows_its_schema() -> None:
    command = [
        str(BIN / "check-jsonschema"),
        "--builtin-schema",
        "vendor.compose-spec",
        "compose.yaml",
    ]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)


def test_composition_holds_no_secret() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    password = services["database"]["environment"]["POSTGRES_PASSWORD"]
    assert password.startswith("${DRYDOCK_POSTGRES_PASSWORD:?")
    assert all("privileged" not in service for service in services.values())
