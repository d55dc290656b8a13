"""Well-kept tools, run side by side on a tree with our configuration.

A submission's own configuration and its suppressing comments count for nothing here. A tool that
is missing, crashes, or says something unexpected leaves a reason in `Linters.failures`, which is
not the same as having found nothing. Only files that Python itself can parse are shown to tools,
and deptry sees no code at all but the imports: so no submission can crash them, or talk to them.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
from packaging.requirements import InvalidRequirement, Requirement
from validate_pyproject import api, errors, plugins

from grader.standards.project import Project, strings, table
from grader.standards.python import Module
from grader.standards.secrets import Secret, find_secrets

TIMEOUT_SECONDS = 20.0

SELECTED = (
    "E7,E9,F,B,NPY,PD,S,T20,BLE,PLE,PLW,DTZ,PGH,ARG001,C901,PERF,A001,A002,SIM115,TRY002,RET503"
)
"""Ruff's rules that point at defects. What its formatter or ``--fix`` settles is left out."""
IGNORED = "PD901,PLE1205,PLE1206,PLW2901,S101,S301,S311,S403,S404,S603,S607"
"""Of these, the petty, and those that a check of our own judges."""

MODULE_NAMES = (
    "scikit-learn=sklearn,pyyaml=yaml,python-dotenv=dotenv,pillow=PIL,beautifulsoup4=bs4,"
    "opencv-python=cv2,pydantic-settings=pydantic_settings,imbalanced-learn=imblearn,"
    "python-dateutil=dateutil,python-multipart=multipart"
)
"""Distributions whose module has another name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """One thing that a tool found."""

    code: str
    path: str
    line: int | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linters:
    """All that the tools found."""

    ruff: tuple[Lint, ...] = ()
    formatting: tuple[Lint, ...] = ()
    """One per file that the formatter would change."""
    complexity: tuple[Lint, ...] = ()
    """One per function; the code is its cognitive complexity, as digits."""
    dependencies: tuple[Lint, ...] = ()
    """deptry's findings; the message is the name of the module or distribution."""
    workflows: tuple[Lint, ...] = ()
    """zizmor's findings; the message is the severity."""
    schemas: tuple[Lint, ...] = ()
    """Where CI definitions break their schema."""
    containers: tuple[Lint, ...] = ()
    """hadolint's findings."""
    metadata: tuple[Lint, ...] = ()
    """What validate-pyproject refuses."""
    secrets: tuple[Secret, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    """Reason by tool, for each that failed."""


class ToolFailureError(Exception):
    """A tool that is missing, crashed, took too long, or said something unexpected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where the tools work."""

    project: Project
    tree: Path
    scratch: Path
    """A private folder, home of the tools that want one."""
    binaries: Path


def run_linters(
    project: Project,
    tree: Path,
    wanted: Collection[str] | None = None,
    *,
    binaries: Path | None = None,
) -> Linters:
    """Run tools on a tree, side by side.

    :param tree: folder with the submission's files; nothing is written to it
    :param wanted: names of the tools to run; None for all
    :param binaries: where the tools' programs lie; by default, beside the running interpreter
    """
    tools: dict[str, Callable[[_Site], tuple[Any, ...]]] = {
        "deptry": _deptry,
        "ruff format": _ruff_format,
        "ruff": _ruff,
        "complexipy": _complexipy,
        "zizmor": _zizmor,
        "hadolint": _hadolint,
        "validate-pyproject": _validate_pyproject,
        "CI schemas": _schemas,
        "detect-secrets": _detect_secrets,
    }
    if wanted is not None:
        tools = {name: tool for name, tool in tools.items() if name in wanted}
    found: dict[str, tuple[Any, ...]] = {}
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="drydock-linters-") as scratch:
        site = _Site(
            project=project,
            tree=tree,
            scratch=Path(scratch),
            binaries=binaries or Path(sys.executable).parent,
        )
        with ThreadPoolExecutor(max_workers=max(1, len(tools))) as pool:
            futures = {name: pool.submit(_attempt, tool, site) for name, tool in tools.items()}
        for name, future in futures.items():
            found[name], failures[name] = future.result()
    return _gather(found, {name: reason for name, reason in failures.items() if reason})


def _attempt(tool: Callable[[_Site], tuple[Any, ...]], site: _Site) -> tuple[tuple[Any, ...], str]:
    """Run a tool; whatever goes wrong in it is told as its reason."""
    try:
        return tool(site), ""
    except ToolFailureError as error:
        return (), str(error)
    except Exception as error:  # noqa: BLE001 - a tool in process may raise anything; it is reported
        return (), f"it raised {type(error).__name__}"


def _gather(found: Mapping[str, tuple[Any, ...]], failures: Mapping[str, str]) -> Linters:
    return Linters(
        ruff=found.get("ruff", ()),
        formatting=found.get("ruff format", ()),
        complexity=found.get("complexipy", ()),
        dependencies=found.get("deptry", ()),
        workflows=found.get("zizmor", ()),
        schemas=found.get("CI schemas", ()),
        containers=found.get("hadolint", ()),
        metadata=found.get("validate-pyproject", ()),
        secrets=found.get("detect-secrets", ()),
        failures=failures,
    )


def _call(
    site: _Site, command: Sequence[str], *, good: Sequence[int] = (0,), given: str | None = None
) -> str:
    """Run a tool's program in the scratch folder and give what it printed.

    :param good: exit statuses that say the tool did its work
    :param given: text for its standard input
    :raises ToolFailureError: it did not do its work
    """
    program = site.binaries / command[0]
    if not program.exists():
        raise ToolFailureError("it is not installed")
    environment = {
        "PATH": os.defpath,
        "HOME": str(site.scratch),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(  # noqa: S603 - a program of ours; files are passed as ./paths
            [str(program), *command[1:]],
            cwd=site.scratch,
            env=environment,
            input=given or "",
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolFailureError(f"it took longer than {TIMEOUT_SECONDS:.0f} s") from error
    except OSError as error:
        raise ToolFailureError("it can't be started") from error
    if done.returncode not in good:
        raise ToolFailureError(f"it ended with status {done.returncode}")
    return done.stdout


def _json_list(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text or "[]")
    except ValueError as error:
        raise ToolFailureError("what it printed is no JSON") from error
    if not isinstance(found, list):
        raise ToolFailureError("what it printed is no list")
    return found


def _readable(project: Project) -> list[Module]:
    return [module for module in project.source if not module.error and module.text.strip()]


def _copies(site: _Site, name: str) -> list[str]:
    """Copy the source that Python can parse to a folder of the scratch folder.

    :returns: the copies' paths from the scratch folder, ``./<name>/…``
    """
    paths: list[str] = []
    for module in _readable(site.project):
        copy = site.scratch / name / module.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site.tree / module.path, copy)
        paths.append(f"./{name}/{module.path}")
    return paths


def _original(site: _Site, path: str, name: str) -> str:
    """Give the tree's path of a copy."""
    return os.path.relpath(site.scratch / path, site.scratch / name)


def _target(project: Project) -> str:
    return "py" + "".join(project.contract.python.split(".")[:2])


def _ruff(site: _Site) -> tuple[Lint, ...]:
    paths = _copies(site, "lint")
    if not paths:
        return ()
    options = shlex.split("--isolated --no-cache --ignore-noqa --exit-zero --output-format json")
    rules = ["--select", SELECTED, "--ignore", IGNORED, "--target-version", _target(site.project)]
    found = _json_list(_call(site, ["ruff", "check", *options, *rules, "--", *paths]))
    return _sorted(
        Lint(
            code=str(item["code"] or "invalid-syntax"),
            path=_original(site, item["filename"], "lint"),
            line=item["location"]["row"],
            message=item["message"],
        )
        for item in found
    )


def _ruff_format(site: _Site) -> tuple[Lint, ...]:
    paths = _copies(site, "format")
    if not paths:
        return ()
    options = shlex.split("--isolated --no-cache --check --output-format json")
    style = ["--line-length", str(_line_length(site.project)), "--config"]
    style += ["format.quote-style='preserve'", "--target-version", _target(site.project)]
    printed = _call(site, ["ruff", "format", *options, *style, "--", *paths], good=(0, 1))
    return _sorted(
        Lint(
            code="unformatted",
            path=_original(site, item["filename"], "format"),
            line=item["location"]["row"],
            message="the formatter would change it",
        )
        for item in _json_list(printed)
    )


def _line_length(project: Project) -> int:
    """Give the line length that the project chose, within what can be read."""
    chosen = (project.tool("ruff").get("line-length"), project.tool("black").get("line-length"))
    length = next((value for value in chosen if isinstance(value, int)), 88)
    return min(120, max(79, length))


def _complexipy(site: _Site) -> tuple[Lint, ...]:
    paths = _copies(site, "complexity")
    if not paths:
        return ()
    options = shlex.split("--isolated --no-ignore --quiet --ignore-complexity --output-format json")
    output = ["--output", "complexity.json", "--cache-dir", "complexity-cache"]
    _call(site, ["complexipy", *options, *output, *paths])
    report = site.scratch / "complexity.json"
    if not report.exists():
        raise ToolFailureError("it wrote no report")
    return _sorted(
        Lint(
            code=str(item["complexity"]),
            path=_original(site, item["path"], "complexity"),
            line=None,
            message=item["function_name"],
        )
        for item in _json_list(report.read_text(encoding="utf-8"))
    )


def _deptry(site: _Site) -> tuple[Lint, ...]:
    """Hold declared dependencies against the imports. Without metadata there is nothing to hold."""
    if not site.project.metadata or not _readable(site.project):
        return ()
    folder = site.scratch / "dependencies"
    for module in _readable(site.project):
        copy = folder / "code" / module.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(_imports_alone(module), encoding="utf-8")
    (folder / "empty.toml").write_text("", encoding="utf-8")
    needed, extra = _requirements(site.project)
    (folder / "declared.txt").write_text(needed, encoding="utf-8")
    (folder / "extra.txt").write_text(extra, encoding="utf-8")
    command = ["deptry", "dependencies/code", "--config", "dependencies/empty.toml", "--no-ansi"]
    command += ["--requirements-files", "dependencies/declared.txt", "--exclude", "^$"]
    # What only an extra declares may be imported, and need not be.
    command += ["--requirements-files-dev", "dependencies/extra.txt", "--ignore", "DEP004"]
    command += ["--package-module-name-map", MODULE_NAMES, "--json-output", "found.json"]
    for own in _own_modules(site.project):
        command += ["--known-first-party", own]
    _call(site, command, good=(0, 1))
    report = site.scratch / "found.json"
    if not report.exists():
        raise ToolFailureError("it wrote no report")
    return _sorted(
        Lint(
            code=item["error"]["code"],
            path=item["location"]["file"].removeprefix("dependencies/code/"),
            line=item["location"]["line"],
            message=item["module"],
        )
        for item in _json_list(report.read_text(encoding="utf-8"))
    )


def _imports_alone(module: Module) -> str:
    """Write a file that holds a module's absolute imports, each on its line, and nothing else."""
    lines: dict[int, list[str]] = {}
    for name, line in module.imports.items():
        lines.setdefault(line, []).append(f"import {name}")
    return "".join("; ".join(lines.get(n, [])) + "\n" for n in range(1, max(lines, default=0) + 1))


def _requirements(project: Project) -> tuple[str, str]:
    """Write the dependencies, and those of extras, as requirements; what is not valid, not."""
    extras = table(project.metadata, "optional-dependencies").values()
    needed = _names(strings(project.metadata.get("dependencies")))
    extra = _names([line for lines in extras for line in strings(lines)]) - needed
    return "\n".join(sorted(needed)) + "\n", "\n".join(sorted(extra)) + "\n"


def _names(lines: Iterable[str]) -> set[str]:
    valid = set()
    for line in lines:
        try:
            valid.add(Requirement(line).name)
        except InvalidRequirement:
            continue  # validate-pyproject tells of it
    return valid


def _own_modules(project: Project) -> list[str]:
    names = {module.name.split(".")[0] for module in project.source}
    return sorted({name for name in names if name.isidentifier()} | {project.contract.package})


def _zizmor(site: _Site) -> tuple[Lint, ...]:
    folder = site.scratch / "ci" / ".github" / "workflows"
    folder.mkdir(parents=True)
    shown = [w for w in site.project.workflows if w.system == "github" and not w.error]
    for workflow in shown:
        copy = folder / Path(workflow.path).name
        copy.write_text(site.project.text(workflow.path), encoding="utf-8")
    if not shown:
        return ()
    options = shlex.split(
        "--offline --no-config --no-ignores --no-exit-codes --quiet --no-progress"
    )
    paths = [f"./ci/{workflow.path}" for workflow in shown]
    # 3: nothing of what it was shown is a workflow to it, which the schemas tell better
    command = ["zizmor", *options, "--format", "json-v1", *paths]
    return _sorted(_zizmor_lint(item) for item in _json_list(_call(site, command, good=(0, 3))))


def _zizmor_lint(item: Mapping[str, Any]) -> Lint:
    place = item["locations"][0]
    path = place["symbolic"]["key"]["Local"]["verbatim_path"].removeprefix("./").removeprefix("ci/")
    return Lint(
        code=item["ident"],
        path=path,
        line=place["concrete"]["location"]["start_point"]["row"] + 1,
        message=item["determinations"]["severity"],
    )


def _hadolint(site: _Site) -> tuple[Lint, ...]:
    found: list[Lint] = []
    for path in site.project.containers:
        command = ["hadolint", "--no-fail", "--disable-ignore-pragma", "--format", "json", "-"]
        found += [
            Lint(code=item["code"], path=path, line=item["line"], message=item["message"])
            for item in _json_list(_call(site, command, given=site.project.text(path)))
            if item["level"] in {"error", "warning"}
        ]
    return _sorted(found)


def _validate_pyproject(site: _Site) -> tuple[Lint, ...]:
    known = ("project", "build-system", "dependency-groups")
    stated = {key: site.project.pyproject[key] for key in known if key in site.project.pyproject}
    try:
        _pyproject_validator()(stated)
    except errors.ValidationError as error:
        message = str(error).splitlines()[0]
        return (Lint(code="invalid", path="pyproject.toml", line=None, message=message[:200]),)
    except RecursionError:
        message = "it is nested too deeply"
        return (Lint(code="invalid", path="pyproject.toml", line=None, message=message),)
    return ()


@cache
def _pyproject_validator() -> api.Validator:
    # No tool's own table is looked at: those schemas would be fetched.
    listed = [p for p in plugins.list_from_entry_points() if p.tool in {"setuptools", "distutils"}]
    return api.Validator(plugins=listed)


def _schemas(site: _Site) -> tuple[Lint, ...]:
    names = {"github": "github-workflows", "gitlab": "gitlab-ci"}
    found: list[Lint] = []
    for workflow in site.project.workflows:
        if workflow.error:
            found.append(_schema_lint(workflow.path, workflow.error))
        elif workflow.system in names:
            broken = _schema(names[workflow.system]).iter_errors(workflow.document)
            found += [_schema_lint(workflow.path, _schema_message(error)) for error in broken]
    return _sorted(found)


def _schema_lint(path: str, message: str) -> Lint:
    return Lint(code="schema", path=path, line=None, message=message)


def _schema_message(error: jsonschema.ValidationError) -> str:
    place = "/".join(map(str, error.absolute_path)) or "the top"
    return f"{place} breaks the schema's {error.validator}"


@cache
def _schema(name: str) -> jsonschema.Draft7Validator:
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{name}.json"
    return jsonschema.Draft7Validator(json.loads(vendored.read_text(encoding="utf-8")))


def _detect_secrets(site: _Site) -> tuple[Secret, ...]:
    return find_secrets(site.project.texts)


def _sorted(found: Any) -> tuple[Lint, ...]:
    return tuple(sorted(found, key=lambda lint: (lint.path, lint.line or 0, lint.code)))
