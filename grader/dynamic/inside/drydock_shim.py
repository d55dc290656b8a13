"""Answers for the tools that a CI installs things with, where nothing can be fetched.

What installs has nothing to do: the environment holds the packages. What builds a wheel builds it.
What runs a command runs it. What is not here is noted in the file that ``DRYDOCK_MISSING`` names,
and passed over.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tomllib
from pathlib import Path

from drydock_warm import run_file, run_module

PROGRAMS = {"pytest": "pytest", "py.test": "pytest", "coverage": "coverage"}
"""Commands that are modules, and so can be forked."""
RUNNERS = {"uv", "poetry", "pdm", "pipenv", "hatch", "rye", "pixi"}
BUILDERS = {"uv", "poetry", "pdm", "hatch", "flit", "rye"}
TAKES_VALUE = {"--extra", "--group", "--with", "--python", "-p", "--env", "-e", "--env-file"}


def answer(called: list[str]) -> None:
    """Do what the tool would have done, as far as it can be done here.

    :param called: the tool's name and its own arguments
    """
    tool, arguments = called[0], called[1:]
    if tool in PROGRAMS:
        run_module(PROGRAMS[tool], arguments)
    elif tool in {"python", "python3"}:
        python(arguments)
    elif tool in {"pip", "pip3"}:
        pip(arguments)
    elif tool == "uvx" or (tool == "pipx" and arguments[:1] == ["run"]):
        run(arguments[tool == "pipx" :])
    elif tool in RUNNERS and arguments[:1] == ["run"]:
        run(arguments[1:])
    elif tool in BUILDERS and arguments[:1] == ["build"]:
        build("dist")
    elif tool == "uv" and arguments[:2] == ["tool", "run"]:
        run(arguments[2:])
    elif tool in RUNNERS | {"pipx"}:
        say(f"{tool} has nothing to do: the environment holds the packages")
    else:
        missing(tool)


def python(arguments: list[str]) -> None:
    """Run the interpreter; modules that are tools of their own have their own answer."""
    if arguments[:1] == ["-m"] and len(arguments) > 1:
        module = arguments[1]
        if module == "pip":
            return pip(arguments[2:])
        if module == "build":
            return build(after(arguments, {"--outdir", "-o"}) or "dist")
        if module == "venv":
            return say("no virtual environment is needed here")
        sys.path.insert(0, str(Path.cwd()))
        return run_module(module, arguments[2:]) if known(module) else missing(module)
    if arguments and not arguments[0].startswith("-"):
        return run_file(arguments[0], arguments[1:])
    return replace([sys.executable, *arguments])


def known(module: str) -> bool:
    """Whether a module can be found without importing what is in it."""
    try:
        return importlib.util.find_spec(module.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def pip(arguments: list[str]) -> None:
    """Build a wheel where that is asked for; there is nothing to install."""
    if "wheel" in arguments[:2]:
        build(after(arguments, {"--wheel-dir", "-w"}) or ".")
    else:
        say("pip has nothing to do: the environment holds the packages")


def run(arguments: list[str]) -> None:
    """Run a command, past the options of what would have run it."""
    left = list(arguments)
    while left and left[0].startswith("-"):
        option = left.pop(0)
        if option in TAKES_VALUE and left:
            left.pop(0)
    if not left:
        return
    name = left[0].partition("@")[0]
    if shutil.which(name):
        replace([name, *left[1:]])
    else:
        missing(name)


def build(folder: str) -> None:
    """Build the wheel of the project in the working folder."""
    from drydock_build import LEGACY, back_end  # noqa: PLC0415 - only where it is needed

    Path(folder).mkdir(parents=True, exist_ok=True)
    text = Path("pyproject.toml").read_text(encoding="utf-8")
    system = tomllib.loads(text).get("build-system", {"build-backend": LEGACY})
    say(f"built {back_end(system).build_wheel(folder)}")


def after(arguments: list[str], options: set[str]) -> str:
    """Return the value of one of these options; empty where it is not given."""
    for place, word in enumerate(arguments[:-1]):
        if word in options:
            return arguments[place + 1]
    return ""


def missing(tool: str) -> None:
    """Note what is not here."""
    with Path(os.environ["DRYDOCK_MISSING"]).open("a", encoding="utf-8") as notes:
        notes.write(f"{tool}\n")


def replace(command: list[str]) -> None:
    """Go on as another program."""
    os.execvp(command[0], command)  # noqa: S606 - the team's own command, in its own sandbox


def say(text: str) -> None:
    """Tell the log."""
    sys.stdout.write(f"{text}\n")
