"""The facts of a submission's tree, read once: which file plays which part, and what it says.

Nothing here runs or imports anything of the submission. Whatever a file holds, reading it gives
facts, in bounded time and memory.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from grader.model import Checkout, Contract, WaiverRequest, Where
from grader.standards.python import Module, read_module
from grader.standards.waivers import read_waivers
from grader.standards.wording import words
from grader.standards.workflows import Workflow, read_workflows

MOST_TEXT_BYTES = 1_000_000
"""A text file larger than this is not read; it is no text that people write."""

MOST_PYTHON_BYTES = 3_000_000
"""How much Python is parsed in all."""

_TEXT_SUFFIXES = words(
    ".py .md .rst .txt .toml .cfg .ini .yml .yaml .json .lock .sh .ipynb .env .in .adoc "
    ".properties .conf .r .R .sas .tf .xml .pem .key .dockerfile .cff .typed"
)
_TEST = re.compile(r"(^|/)(tests?|testing)/|(^|/)test_[^/]*\.py$|_test\.py$|(^|/)conftest\.py$")
_ASIDE = re.compile(
    r"(^|/)(docs?|examples?|notebooks?|scripts?|tools|benchmarks?|legacy)/"
    r"|^(setup|noxfile|tasks|conf|fabfile)\.py$"
)
_CONTAINER = re.compile(r"(^|/)(docker|container)file([.-][\w.-]+)?$|\.dockerfile$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a submission's tree holds, without the files that its challenge handed out."""

    contract: Contract
    files: tuple[str, ...]
    """Paths, sorted."""
    sizes: Mapping[str, int]
    """Bytes by path."""
    texts: Mapping[str, str]
    """Content by path, of the text files that people write."""
    pyproject: Mapping[str, Any]
    """What ``pyproject.toml`` says; empty if there is none, or if it can't be read."""
    pyproject_error: str
    root: str
    """Folder of the package that the challenge names, such as ``src/tariff``; empty if absent."""
    source: tuple[Module, ...]
    """The code itself: not tests, documentation, scripts or notebooks."""
    tests: tuple[Module, ...]
    workflows: tuple[Workflow, ...]
    waivers: tuple[WaiverRequest, ...]
    """What it asks to be let off."""

    @property
    def package(self) -> tuple[Module, ...]:
        """Modules of the package that the challenge names."""
        return tuple(m for m in self.source if self.root and m.path.startswith(f"{self.root}/"))

    @property
    def code_lines(self) -> int:
        """Lines of source that are neither blank nor comments."""
        return sum(module.code_lines for module in self.source)

    @property
    def readme(self) -> str:
        """Path of the README at the root, or empty."""
        return next(iter(self.matching(r"^readme(\.(md|rst|txt|adoc))?$")), "")

    @property
    def containers(self) -> tuple[str, ...]:
        """Paths of container files, those at the root first."""
        found = [path for path in self.files if _CONTAINER.search(path)]
        return tuple(sorted(found, key=lambda path: (path.count("/"), path)))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The ``[project]`` table."""
        return table(self.pyproject, "project")

    @property
    def version(self) -> str:
        """The version: from the metadata, or from ``__version__`` in the package."""
        stated = self.metadata.get("version")
        if isinstance(stated, str):
            return stated
        found = (
            re.search(
                r"""^__version__\s*(?::\s*\w+\s*)?=\s*["']([^"'\n]+)["']""", m.text, re.MULTILINE
            )
            for m in self.package
        )
        return next((match[1] for match in found if match), "")

    def tool(self, name: str) -> Mapping[str, Any]:
        """Give a ``[tool.<name>]`` table of pyproject.toml, empty if there is none."""
        return table(self.pyproject, "tool", name)

    def matching(self, pattern: str) -> list[str]:
        """Give the paths that a pattern is found in, whatever their case."""
        compiled = re.compile(pattern, re.IGNORECASE)
        return [path for path in self.files if compiled.search(path)]

    def text(self, path: str) -> str:
        """Give a file's text, empty where there is none to read."""
        return self.texts.get(path, "")

    def module(self, name: str) -> Module | None:
        """Give a module of the package by its name inside it, such as ``pipeline``."""
        full = f"{self.contract.package}.{name}"
        return next((module for module in self.package if module.name == full), None)

    def holds(self, path: str) -> bool:
        """Whether a path names a file or a folder of the tree."""
        clean = path.removeprefix("./").rstrip("/")
        folder = f"{clean}/"
        return clean in self.sizes or any(name.startswith(folder) for name in self.files)

    def line_of(self, path: str, pattern: str) -> Where:
        """Point at the first line of a file in which a pattern is found, or at the file."""
        match = re.search(pattern, self.text(path), re.IGNORECASE | re.MULTILINE)
        if not match:
            return Where(path=path)
        return Where(path=path, line=self.text(path).count("\n", 0, match.start()) + 1)


def read_project(
    checkout: Checkout, contract: Contract, *, public_files: frozenset[str]
) -> Project:
    """Read the facts of a submission's tree.

    :param public_files: SHA-256 digests of files that the challenge handed out; they are nobody's
        work here, and no check sees them
    """
    files = [file for file in checkout.tree.files if file.digest not in public_files]
    sizes = {str(file.path): file.size for file in files}
    names = tuple(sorted(sizes))
    contents = {
        name: (checkout.tree.root / name).read_bytes()
        for name in names
        if _is_text(name) and sizes[name] <= MOST_TEXT_BYTES
    }
    texts = {name: content.decode("utf-8", "replace") for name, content in contents.items()}
    pyproject, error = _read_toml(texts.get("pyproject.toml"))
    modules = tuple(_read_modules(names, sizes, contents))
    return Project(
        contract=contract,
        files=names,
        sizes=sizes,
        texts=texts,
        pyproject=pyproject,
        pyproject_error=error,
        root=_package_root(names, contract.package),
        source=tuple(m for m in modules if not _TEST.search(m.path) and not _ASIDE.search(m.path)),
        tests=tuple(module for module in modules if _TEST.search(module.path)),
        workflows=read_workflows(texts),
        waivers=read_waivers(table(pyproject, "tool", "drydock", "waivers")),
    )


def table(start: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Follow keys through nested tables; what is not a table on the way counts as empty."""
    found: Any = start
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def strings(value: object) -> list[str]:
    """Give the strings of a list; anything else counts as none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def notebook_code_lines(text: str) -> int:
    """Count the lines of code in a Jupyter notebook; none if it is not one."""
    try:
        cells = json.loads(text)["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0
    return sum(bool(line.strip()) for cell in code for line in cell.splitlines())


def is_test(path: str) -> bool:
    """Whether a path is that of a test, or of something that only tests use."""
    return bool(_TEST.search(path))


def _is_text(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix in _TEXT_SUFFIXES or not path.suffix or bool(_CONTAINER.search(name))


def _read_toml(text: str | None) -> tuple[Mapping[str, Any], str]:
    if text is None:
        return {}, "there is no pyproject.toml"
    try:
        return tomllib.loads(text), ""
    except tomllib.TOMLDecodeError as error:
        return {}, f"pyproject.toml is not valid TOML: {error}"
    except (RecursionError, ValueError):
        return {}, "pyproject.toml is nested too deeply"


def _read_modules(
    names: tuple[str, ...], sizes: Mapping[str, int], contents: Mapping[str, bytes]
) -> Iterator[Module]:
    room = MOST_PYTHON_BYTES
    for name in names:
        if not name.endswith(".py"):
            continue
        room -= sizes[name]
        if room < 0 or name not in contents:
            reason = f"it is {sizes[name] // 1000} kB large, or there is too much Python in all"
            yield Module(path=name, name="", text="", error=reason)
        else:
            yield read_module(name, contents[name])


def _package_root(names: tuple[str, ...], package: str) -> str:
    for root in (f"src/{package}", package):
        if f"{root}/__init__.py" in names:
            return root
    return ""
