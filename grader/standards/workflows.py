"""Continuous integration as declared: what starts it, and which commands it runs.

GitHub Actions and GitLab CI are read by their structure; other systems' files are read for their
commands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from grader.standards.wording import words

MOST_BYTES = 200_000
MOST_ALIASES = 100
DEEPEST = 40
MOST_NODES = 20_000
"""Bounds on a YAML file once its aliases are written out; people stay far below."""

TESTING = re.compile(
    r"\b(pytest|py\.test|unittest|tox|nox|(make|just|poe|task|invoke|hatch|hatch run|uv run|pixi"
    r" run|mise run|pdm run|poetry run)\s+[\w:-]*(test|check)\w*)\b"
)
"""What a step that runs the tests says."""

_GITHUB = re.compile(r"^\.github/workflows/[^/]+\.ya?ml$")
_GITLAB = re.compile(r"^\.gitlab-ci\.ya?ml$")
_OTHER = re.compile(
    r"^(azure-pipelines\.ya?ml|bitbucket-pipelines\.ya?ml|Jenkinsfile|\.circleci/config\.ya?ml"
    r"|\.woodpecker\.ya?ml|\.woodpecker/[^/]+\.ya?ml|\.(gitea|forgejo)/workflows/[^/]+\.ya?ml)$"
)
_NOT_JOBS = words(
    "stages variables default include workflow image services cache pages before_script "
    "after_script spec"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CiStep:
    """One step of a job."""

    command: str
    """What it runs: shell lines, or the action it uses."""
    line: int
    can_fail: bool
    """Whether its failure turns the run red, as far as its own settings say."""
    enabled: bool
    """Whether it is ever run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One file that declares continuous integration."""

    path: str
    system: str
    """``github``, ``gitlab`` or ``other``."""
    on_push: bool
    """Whether a push or a merge request starts it."""
    steps: tuple[CiStep, ...]
    document: Mapping[str, Any]
    error: str = ""


class UnreadableYamlError(Exception):
    """YAML that is not valid, or not of a size that people write."""


def read_workflows(texts: Mapping[str, str]) -> tuple[Workflow, ...]:
    """Read all files that declare continuous integration, by path."""
    return tuple(_read(path, texts[path]) for path in sorted(texts) if _system(path))


def load_yaml(text: str) -> Any:
    """Load YAML that a stranger wrote: plain data, with bounds on size, depth and aliases.

    :raises UnreadableYamlError: it is not valid, or beyond the bounds
    """
    if len(text) > MOST_BYTES:
        raise UnreadableYamlError(f"it is larger than {MOST_BYTES // 1000} kB")
    try:
        _bound_events(text)
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        reason = str(getattr(error, "problem", "") or "it can't be read")
        raise UnreadableYamlError(reason.splitlines()[0]) from error
    _bound_nodes(document)
    return document


def _system(path: str) -> str:
    for system, pattern in (("github", _GITHUB), ("gitlab", _GITLAB), ("other", _OTHER)):
        if pattern.search(path):
            return system
    return ""


def _read(path: str, text: str) -> Workflow:
    system = _system(path)
    if system == "other":
        steps = tuple(_shell_steps(text, text))
        return Workflow(path=path, system=system, on_push=True, steps=steps, document={})
    try:
        document = load_yaml(text)
    except UnreadableYamlError as error:
        return _unreadable(path, system, str(error))
    if not isinstance(document, dict):
        return _unreadable(path, system, "it is no mapping")
    if True in document:  # YAML 1.1 reads the key `on` as true
        document["on"] = document.pop(True)
    steps = tuple(_github(document, text) if system == "github" else _gitlab(document, text))
    return Workflow(
        path=path,
        system=system,
        on_push=_starts_on_push(document) if system == "github" else _gitlab_on_push(document),
        steps=steps,
        document={str(key): value for key, value in document.items()},
    )


def _unreadable(path: str, system: str, error: str) -> Workflow:
    return Workflow(path=path, system=system, on_push=False, steps=(), document={}, error=error)


def _bound_events(text: str) -> None:
    depth = aliases = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > DEEPEST or aliases > MOST_ALIASES:
            raise UnreadableYamlError("it is nested too deeply, or has too many aliases")


def _bound_nodes(document: object) -> None:
    """Count the nodes as if aliases were written out, and stop at the bound."""
    waiting, seen = [document], 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > MOST_NODES:
            raise UnreadableYamlError("its aliases blow it up beyond any use")
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _starts_on_push(document: Mapping[Any, Any]) -> bool:
    events = document.get("on")
    names = {events} if isinstance(events, str) else set(map(str, events or ()))
    if not names & {"push", "pull_request"}:
        return False
    push = events.get("push") if isinstance(events, dict) else None
    only_tags = isinstance(push, dict) and "tags" in push and "branches" not in push
    return "pull_request" in names or not only_tags


def _gitlab_on_push(document: Mapping[Any, Any]) -> bool:
    workflow = document.get("workflow")
    rules = workflow.get("rules") if isinstance(workflow, dict) else None
    if not isinstance(rules, list):
        return True
    whens = [rule.get("when", "always") for rule in rules if isinstance(rule, dict)]
    return any(when != "never" for when in whens)


def _github(document: Mapping[Any, Any], text: str) -> Iterator[CiStep]:
    jobs = document.get("jobs")
    for job in jobs.values() if isinstance(jobs, dict) else ():
        if not isinstance(job, dict):
            continue
        steps = job.get("steps")
        for step in steps if isinstance(steps, list) else ():
            if isinstance(step, dict):
                command = str(step.get("run") or step.get("uses") or "")
                yield CiStep(
                    command=command,
                    line=_line(text, command),
                    can_fail=not (_truthy(job, step) or is_softened(command)),
                    enabled=not (_never(job) or _never(step)),
                )


def _truthy(*settings: Mapping[Any, Any]) -> bool:
    """Whether any of them continues on an error, or may (an expression counts as may)."""
    return any(s.get("continue-on-error") not in {None, False, "false"} for s in settings)


def _never(settings: Mapping[Any, Any]) -> bool:
    condition = str(settings.get("if", "")).strip().removeprefix("${{").removesuffix("}}").strip()
    return condition.lower() in {"false", "0", "''", "github.event_name == 'workflow_dispatch'"}


def _gitlab(document: Mapping[Any, Any], text: str) -> Iterator[CiStep]:
    for name, job in document.items():
        if not isinstance(job, dict) or name in _NOT_JOBS or str(name).startswith("."):
            continue
        scripts = [job.get(key) for key in ("before_script", "script")]
        lines = [str(x) for s in scripts for x in (s if isinstance(s, list) else [s or ""])]
        command = "\n".join(lines)
        yield CiStep(
            command=command,
            line=_line(text, command),
            can_fail=not (job.get("allow_failure") or is_softened(command)),
            enabled=job.get("when") not in {"manual", "never"},
        )


def _shell_steps(command: str, text: str) -> Iterator[CiStep]:
    soft = is_softened(command)
    yield CiStep(command=command, line=_line(text, command), can_fail=not soft, enabled=True)


_SOFT = re.compile(
    r"\|\|\s*(true|:|echo|printf|exit\s+0|\()|\bset\s+\+e\b|--exit-zero|;\s*(exit\s+0|true)\s*$"
    r"|;\s*echo\b|\|\s*(tee|cat)\b(?![^\n]*pipefail)|(?<!&)&\s*$|\bif\s+(!\s+)?(python\b[^\n]*)?pytest",
    re.MULTILINE,
)


def is_softened(command: str) -> bool:
    """Whether shell lines swallow a failure, as ``|| true``, ``set +e`` or a pipe do."""
    piped_safely = "pipefail" in command
    matches = (match[0] for match in _SOFT.finditer(command))
    return any(not (match.lstrip().startswith("| ") and piped_safely) for match in matches)


def _line(text: str, command: str) -> int:
    """Find the line where a command stands."""
    first = next((line.strip() for line in command.splitlines() if line.strip()), "")
    at = text.find(first) if first else -1
    return text.count("\n", 0, at) + 1 if at >= 0 else 1
