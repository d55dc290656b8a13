"""A shell for the sandbox, which has none: the host's bash and a few small programs, as copies.

::

    <folder>/
    ├── bin/      bash, and what scripts expect beside it
    └── lib/      the shared libraries that these link to and that the environment lacks
"""

from __future__ import annotations

import shutil
from pathlib import Path

from grader.commands import place_files
from grader.environment import linked_libraries
from grader.errors import SandboxError
from grader.sandbox import Sandbox

PROGRAMS = (
    "bash", "cat", "chmod", "cp", "cut", "date", "dirname", "basename", "env", "expr", "find",
    "grep", "head", "ln", "ls", "mkdir", "mktemp", "mv", "rm", "rmdir", "sed", "seq", "sleep",
    "sort", "tail", "tee", "touch", "tr", "true", "false", "uname", "uniq", "wc", "xargs",
)  # fmt: skip
"""What Debian calls essential, as far as scripts of a CI use it."""
_HOST_PATH = "/usr/bin:/bin"
_ALWAYS_THERE = ("libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "ld-linux")


def place_shell(sandbox: Sandbox) -> Path:
    """Put a shell where jobs can be given it, and return the folder.

    :raises SandboxError: this machine has no bash
    """
    found = {name: shutil.which(name, path=_HOST_PATH) for name in PROGRAMS}
    programs = {name: Path(path).resolve() for name, path in found.items() if path}
    if "bash" not in programs:
        raise SandboxError(
            "no-shell",
            "This machine has no bash, so the CI of submissions can't be run.",
            remedy="Install it, say with: apt-get install bash",
        )
    libraries = {
        library.name: library.resolve()
        for library in linked_libraries(map(str, programs.values()))
        if not library.name.startswith(_ALWAYS_THERE)
    }
    files = {f"bin/{name}": path.read_bytes() for name, path in programs.items()}
    files |= {f"lib/{name}": path.read_bytes() for name, path in libraries.items()}
    folder = place_files(sandbox, "shell", files)
    for program in (folder / "bin").iterdir():
        program.chmod(0o755)
    return folder
