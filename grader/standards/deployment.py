"""Deployment: a command for batches, a service for single rows, an image that holds both."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

from grader.model import Check, Where
from grader.standards.evidence import Evidence
from grader.standards.modularity import import_graph
from grader.standards.pipelines import LEARNING
from grader.standards.project import Project, table
from grader.standards.python import Module, call_name
from grader.standards.rubric import Judgement, rule
from grader.standards.wording import count, listing

_OPTIONS = ("--model", "--output")
_TRANSFORMING = LEARNING | {"fillna", "get_dummies", "OneHotEncoder", "StandardScaler", "cut"}


@rule(
    Check(
        code="DEPL001",
        family="deployment",
        title="Batches are scored by a command",
        why="Schedulers call commands. `python -m <package>` works wherever the wheel is "
        "installed, and needs to know nothing of where its files lie.",
        fix="Add __main__.py with the commands train (--data, --model) and score (--model, "
        "--input, --output).",
        example="python -m tariff score --model model.bin --input rows.csv --output out.csv",
        source="Python documentation, __main__; Command Line Interface Guidelines",
        weight=2,
    ),
    needs_source=True,
)
def batch_command(evidence: Evidence) -> Judgement:
    """Look for __main__.py, and for the names of the commands and options in the package."""
    project = evidence.project
    words = set(_words(project))
    named = {function.node.name for module in project.package for function in module.functions}
    parts = {
        "__main__.py": f"{project.root}/__main__.py" in project.sizes and bool(project.root),
        "the command train": "train" in words or bool(named & {"train", "train_command"}),
        "the command score": "score" in words or bool(named & {"score", "score_command"}),
        "the options --model and --output": all(_option(o, words, project) for o in _OPTIONS),
    }
    missing = [name for name, there in parts.items() if not there]
    message = f"Missing: {listing(missing, 4)}." if missing else "It trains and scores by command."
    return Judgement(share=1 - len(missing) / len(parts), message=message)


def _words(project: Project) -> Iterator[str]:
    """Give the short strings in the package's code."""
    for module in project.package:
        for node in module.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value[:40]


def _option(option: str, words: set[str], project: Project) -> bool:
    """Whether an option is declared by its string, or as a parameter that Typer makes one of."""
    if option in words:
        return True
    tools = {name.split(".")[0] for module in project.package for name in module.imports}
    bare = option.removeprefix("--")
    return bool(tools & {"typer", "fire", "cyclopts", "tyro"}) and any(
        argument.arg == bare
        for module in project.package
        for function in module.functions
        for argument in [*function.node.args.args, *function.node.args.kwonlyargs]
    )


@rule(
    Check(
        code="DEPL002",
        family="deployment",
        title="Single rows are scored by a service",
        why="Applications ask for one score at a time and cannot wait for a batch. A health "
        "endpoint tells the platform when to send traffic, validation keeps nonsense out.",
        fix="Define `app` in <package>/api.py with GET /health and POST /score, and validate what "
        "comes in by a typed model or by the check that batches use.",
        example="class Request(BaseModel):\n    rows: list[dict[str, object]]\n\n"
        '@app.get("/health")\ndef health() -> dict[str, str]: return {"status": "ok"}',
        source="The Twelve-Factor App, VII; Kubernetes, Liveness and Readiness Probes; FastAPI "
        "documentation, Request Body",
        weight=2,
    ),
    needs_source=True,
)
def live_service(evidence: Evidence) -> Judgement:
    """Look into the module api for the app, its two paths, and validation."""
    module = evidence.project.module("api")
    if module is None:
        message = f"There is no {evidence.project.contract.package}/api.py."
        return Judgement(share=0.0, message=message)
    neighbours = "\n".join(m.text for m in evidence.project.package)
    parts = {
        "an object named app": bool(
            re.search(r"^(app\b\s*[:=]|from .* import .*\bapp\b)", module.text, re.MULTILINE)
        ),
        "the path /health": "/health" in neighbours,
        "the path /score": "/score" in neighbours,
        "validated input": bool(
            re.search(
                r"BaseModel|TypeAdapter|marshmallow|msgspec|HTTPException|\b4(00|22)\b|abort\(",
                neighbours,
            )
        ),
    }
    missing = [name for name, there in parts.items() if not there]
    message = f"The service lacks {listing(missing, 4)}." if missing else "The service is complete."
    where = Where(path=module.path) if missing else None
    return Judgement(share=1 - len(missing) / len(parts), message=message, where=where)


@rule(
    Check(
        code="DEPL003",
        family="deployment",
        title="The container file is sound",
        why="The image is what runs. A file that does not build, or that copies the whole folder "
        "with data and keys into it, is found out in production.",
        fix="Mend what hadolint finds, copy only what exists and is needed, and add a "
        ".dockerignore.",
        example="COPY pyproject.toml README.md ./\nCOPY src ./src\n"
        "RUN pip install --no-cache-dir --require-hashes -r requirements.lock",
        source="hadolint DL3007, DL3013, DL3042, DL3045; Docker, Building best practices",
        weight=2,
    ),
    tools=("hadolint",),
)
def sound_container(evidence: Evidence) -> Judgement:
    """Weigh hadolint's findings, copies of what is not there, and a missing .dockerignore."""
    project = evidence.project
    if not project.containers:
        return Judgement(share=0.0, message="There is no container file.")
    path = project.containers[0]
    lints = [lint for lint in evidence.linters.containers if lint.path == path]
    absent = [source for source in _copied(project.text(path)) if not project.holds(source)]
    ignored = bool(project.matching(r"(^|/)(\.dockerignore|\.containerignore)$|\.dockerignore$"))
    told = [f"{lint.code} (line {lint.line})" for lint in lints]
    told += [f"a copy of {source}, which does not exist" for source in absent]
    told += [] if ignored else ["no .dockerignore"]
    if not _starts(project, _instructions(project.text(path))):
        message = f"{path} starts nothing of the package."
        return Judgement(share=0.1, message=message, where=Where(path=path))
    share = 1 - 0.2 * len({lint.code for lint in lints}) - 0.3 * len(absent) - 0.2 * (not ignored)
    if not told:
        return Judgement(share=1.0, message=f"{path} is sound.")
    where = Where(path=path, line=lints[0].line if lints else None)
    return Judgement(share=share, message=f"{path}: {listing(told, 5)}.", where=where)


def _instructions(text: str) -> list[tuple[str, str]]:
    """Give the instructions of a container file, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\[ \t]*\n", " ", "\n".join(lines))
    found = (re.match(r"\s*([A-Za-z]+)\s+(.*)", line) for line in joined.splitlines())
    return [(match[1].upper(), match[2].strip()) for match in found if match]


def _copied(text: str) -> list[str]:
    """Give the plain paths that a container file copies out of the build context."""
    sources: list[str] = []
    for name, rest in _instructions(text):
        if name not in {"COPY", "ADD"} or "--from" in rest or "<<" in rest:
            continue
        words = _words_of(rest)
        sources += [word for word in words[:-1] if not re.search(r"[*?$\[]|^https?:|^\.?/?$", word)]
    return sources


def _words_of(rest: str) -> list[str]:
    if rest.startswith("["):
        try:
            return [str(word) for word in json.loads(rest)]
        except ValueError:
            return []
    return [word for word in rest.split() if not word.startswith("--")]


@rule(
    Check(
        code="DEPL004",
        family="deployment",
        title="The image is pinned, runs without root, and reports its health",
        why="A base that moves makes each build another one. A service that runs as root turns a "
        "hole in a library into a hole in the host. A platform restarts only what says it is ill.",
        fix="Pin the base to a version or digest, add USER and HEALTHCHECK.",
        example="FROM python:3.11.11-slim-bookworm\nUSER 10001\n"
        'HEALTHCHECK CMD python -c "import urllib.request as u; '
        "u.urlopen('http://127.0.0.1:8000/health')\"",
        source="hadolint DL3002, DL3006, DL3007; CIS Docker Benchmark 4.1, 4.6",
        weight=2,
    )
)
def pinned_unprivileged_image(evidence: Evidence) -> Judgement:
    """Look for a pinned base, a last USER that is not root, a health check and a start command."""
    project = evidence.project
    if not project.containers:
        return Judgement(share=0.0, message="There is no container file.")
    path = project.containers[0]
    instructions = _instructions(project.text(path))
    users = [rest.split(":")[0].strip() for name, rest in instructions if name == "USER"]
    health = any(n == "HEALTHCHECK" and rest.upper() != "NONE" for n, rest in instructions)
    parts = {
        "a base pinned to a version": _pinned(instructions),
        "a USER other than root": bool(users) and users[-1] not in {"", "root", "0"},
        "a HEALTHCHECK": health or _probed(project),
        "a start command of the package": _starts(project, instructions),
    }
    missing = [name for name, there in parts.items() if not there]
    if "a start command of the package" in missing:
        message = f"{path} starts nothing of the package, whatever else it does."
        return Judgement(share=0.1, message=message, where=Where(path=path))
    message = f"{path} lacks {listing(missing, 4)}." if missing else f"{path} has all four."
    where = Where(path=path) if missing else None
    return Judgement(share=1 - len(missing) / len(parts), message=message, where=where)


def _starts(project: Project, instructions: list[tuple[str, str]]) -> bool:
    """Whether what a container starts names the package, a command of it, or a script of it."""
    started = " ".join(rest for name, rest in instructions if name in {"CMD", "ENTRYPOINT"})
    scripts = table(project.metadata, "scripts")
    names = [project.contract.package, *scripts]
    files = [word for word in re.findall(r"[\w./-]+", started) if project.holds(word)]
    return bool(files) or any(re.search(rf"\b{re.escape(n)}\b", started) for n in names)


def _pinned(instructions: list[tuple[str, str]]) -> bool:
    stages: set[str] = set()
    bases: list[str] = []
    for name, rest in instructions:
        if name != "FROM":
            continue
        words = _words_of(rest)
        bases += [words[0]] if words and words[0] not in stages else []
        stages |= {words[2]} if words[1:2] in (["AS"], ["as"]) else set()
    pinned = re.compile(r"(:(?!latest$)[\w.-]*\d[\w.-]*|@sha256:[0-9a-f]{64}|\$\{?\w+)")
    return bool(bases) and all(base == "scratch" or pinned.search(base) for base in bases)


def _probed(project: Project) -> bool:
    """Whether a Compose file or a Kubernetes manifest declares the check of health instead."""
    manifests = [path for path in project.files if path.endswith((".yml", ".yaml"))]
    pattern = re.compile(r"^\s*(healthcheck|livenessProbe|readinessProbe):", re.MULTILINE)
    return any(pattern.search(project.text(path)) for path in manifests)


@rule(
    Check(
        code="DEPL005",
        family="deployment",
        title="Batch and service share one scoring function",
        why="Two ways of scoring drift apart, and then the price quoted online is not the price "
        "on the invoice.",
        fix="Let the command and the API call the same function, and keep transformations out of "
        "both.",
        example="# cli.py and api.py\nfrom tariff.scoring import score",
        source="Google, Rules of Machine Learning, 32: re-use code between training and serving; "
        "Sculley et al. 2015, Hidden Technical Debt",
        weight=2,
    ),
    needs_source=True,
)
def one_scoring_function(evidence: Evidence) -> Judgement:
    """Ask that API and command call a function in common, and that the API transforms nothing."""
    project = evidence.project
    api = project.module("api")
    if api is None:
        return Judgement(share=0.0, message="There is no API module.")
    own = [call for call in api.calls if call_name(call) in _TRANSFORMING]
    if own:
        name = call_name(own[0])
        where = Where(path=api.path, line=own[0].lineno)
        message = f"{count(len(own), 'call')} in the API transform; the first is {name}."
        return Judgement(share=0.5 - 0.2 * len(own), message=message, where=where)
    shared = _shared(project, api)
    if shared:
        return Judgement(share=1.0, message=f"API and command share {listing(shared)}.")
    message = "API and command call no function in common."
    return Judgement(share=0.0, message=message, where=Where(path=api.path))


def _shared(project: Project, api: Module) -> list[str]:
    """Give the functions of the package that the API and a command module both call."""
    graph = import_graph(project)
    commands = [m for m in project.package if m is not api and _parses_arguments(m)]
    defined = {f.node.name for m in project.package if m is not api for f in m.functions}
    methods = {"predict", "predict_frame", "score"}
    ours = {call_name(call) for call in api.calls} & (defined | methods)
    theirs = {
        call_name(call)
        for module in project.package
        if any(module is c or module.name in graph[c.name] for c in commands)
        for call in module.calls
    }
    pattern = re.compile(
        r"score|predict|infer|answer|rate|quote|premium|price|apply", re.IGNORECASE
    )
    return sorted(name for name in ours & theirs if pattern.search(name))


def _parses_arguments(module: Module) -> bool:
    tools = {name.split(".")[0] for name in module.imports}
    return bool(
        tools & {"argparse", "typer", "click", "fire", "cyclopts", "tyro", "docopt"}
    ) or bool(re.search(r"\bsys\.argv\b", module.text))
