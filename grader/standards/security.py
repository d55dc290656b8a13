"""Security: what must not be in a tree, and what its code must not do."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from grader.model import Check, Where
from grader.standards.evidence import Evidence
from grader.standards.project import Project
from grader.standards.python import Module, call_name, dotted, keyword
from grader.standards.rubric import Judgement, rule
from grader.standards.scales import Scale
from grader.standards.wording import count, listing, words

_EVALUATES = frozenset({"eval", "exec", "compile", "__import__"})
_SHELLS = re.compile(
    r"^(os\.(system|popen|exec\w*|spawn\w*|fork)|pty\.spawn|commands\.getoutput|subprocess\.\w+"
    r"|asyncio\.create_subprocess_\w+)$"
)
_UNPICKLES = frozenset({"read_pickle"})
_UNPICKLING_MODULES = frozenset({"dill", "marshal", "shelve", "cloudpickle", "jsonpickle"})
_ENGINES = re.compile(
    r"\b(Rscript|R CMD|rpy2|oct2py|octave(-cli)?|saspy|sas\.exe|sas7bcat|pspp|statapy|stata-mp"
    r"|matlab|libreoffice|soffice|xlwings|pyper|pyreadr|julia)\b"
)
_ENGINE_MODULES = words("rpy2 oct2py saspy pyper xlwings matlab juliacall pystata")
_CLIENTS = words(
    "requests urllib.request http.client httpx aiohttp urllib3 ftplib smtplib telnetlib socket "
    "paramiko boto3 botocore websockets pycurl gcsfs s3fs"
)


_PLACES = Scale(
    measure="places where it is done",
    none=2,
    full=0,
    reason="One is enough for an attack, and two are no oversight.",
)


@rule(
    Check(
        code="SECU001",
        family="security",
        title="No secret lies in the tree",
        why="Who can read the repository can use what lies in it, for as long as it is valid, from "
        "anywhere. Deleting the line leaves it in the history.",
        fix="Revoke the secret first. Then remove it from the tree and its history, and read it "
        "from the environment.",
        example='token = os.environ["REGISTRY_TOKEN"]',
        source="OWASP Secrets Management Cheat Sheet; detect-secrets; CWE-798",
        weight=3,
    ),
    tools=("detect-secrets",),
)
def no_secret(evidence: Evidence) -> Judgement:
    """Ask the detectors, which look at every text file."""
    found = evidence.linters.secrets
    if not found:
        return Judgement(share=1.0, message="No secret was found.")
    first = found[0]
    return Judgement(
        share=0.0,
        message=f"{count(len(found), 'secret')} found; the first: {first.kind}.",
        where=Where(path=first.path, line=first.line),
    )


@rule(
    Check(
        code="SECU002",
        family="security",
        title="No text is run as code, and no other program is called",
        why="eval and exec run whatever reaches them; a shell does so with the rights of the "
        "service. A model needs neither.",
        fix="Use a table of functions instead of eval, and a library instead of another program.",
        example='RULES = {"cap": cap, "floor": floor}\nvalue = RULES[name](value)',
        source="OWASP, Code Injection and Command Injection; ruff S102, S307, S602, S605",
        weight=2,
    ),
    needs_source=True,
    scales=(_PLACES,),
)
def runs_no_text(evidence: Evidence) -> Judgement:
    """Look for calls that evaluate text, or start another program."""
    return _none_of(
        evidence.project, _text_runs, "Nothing is evaluated, and no program called.", "run text"
    )


def _text_runs(module: Module) -> Iterator[tuple[str, int]]:
    for call in module.calls:
        name = dotted(call.func)
        shell = keyword(call, "shell")
        if (name in _EVALUATES and isinstance(call.func, ast.Name)) or _SHELLS.match(name):
            yield name, call.lineno
        elif isinstance(shell, ast.Constant) and shell.value is True:
            yield "shell=True", call.lineno
    for name, line in module.imported_names:
        if re.match(r"(subprocess|pty|commands)(\.|$)", name) and "." in name:
            yield name, line


def _none_of(
    project: Project,
    look: Callable[[Module], Iterator[tuple[str, int]]],
    good: str,
    doing: str,
) -> Judgement:
    """Judge by what a look at each module of the source finds; a single find loses most."""
    found = [(m.path, what, line) for m in project.source for what, line in look(m)]
    if not found:
        return Judgement(share=1.0, message=good)
    path, _, line = found[0]
    names = sorted({what for _, what, _ in found})
    return Judgement(
        share=_PLACES.share(len(found)),
        message=f"{count(len(found), 'place')} {doing}: {listing(names, 5)}.",
        where=Where(path=path, line=line),
    )


@rule(
    Check(
        code="SECU003",
        family="security",
        title="Nothing foreign is unpickled",
        why="To unpickle is to run what the file says. That is acceptable for the artefact that "
        "this very package wrote, and for nothing that comes from elsewhere.",
        fix="Read data as CSV, Parquet or JSON; load pickles only from the artefact's own path.",
        example="artefact = joblib.load(path)  # written by `train`\nyaml.safe_load(text)",
        source="Python documentation, pickle (warning); scikit-learn, Model persistence; ruff "
        "S301, S506",
        weight=2,
    ),
    needs_source=True,
    scales=(_PLACES,),
)
def unpickles_nothing_foreign(evidence: Evidence) -> Judgement:
    """Look for unpickling of bytes and data files, unsafe YAML, and pickles that are tracked."""
    tracked = evidence.project.matching(r"\.(pkl|pickle|joblib|dill)$")
    if tracked:
        message = f"Pickles are tracked: {listing(tracked)}."
        return Judgement(share=0.0, message=message, where=Where(path=tracked[0]))
    return _none_of(
        evidence.project,
        _unpicklings,
        "Nothing foreign is unpickled.",
        "unpickle what may be foreign",
    )


def _unpicklings(module: Module) -> Iterator[tuple[str, int]]:
    for call in module.calls:
        name, full = call_name(call), dotted(call.func)
        allowed = keyword(call, "allow_pickle")
        loader = ast.unparse(keyword(call, "Loader") or ast.Constant(value=""))
        if (
            name in _UNPICKLES
            or (full == "yaml.load" and "Safe" not in loader)
            or (full == "pickle.loads" and module.name.endswith((".api", ".app", ".server")))
        ):
            yield full, call.lineno
        elif isinstance(allowed, ast.Constant) and allowed.value is True:
            yield "allow_pickle=True", call.lineno
    for name, line in module.imports.items():
        if name.split(".")[0] in _UNPICKLING_MODULES:
            yield name, line


@rule(
    Check(
        code="SECU004",
        family="security",
        title="The legacy engine is not called",
        why="A wrapper around the old program is no port: it needs the old engine, its licence and "
        "its machine for ever.",
        fix="Write the model in Python; use the legacy program to make fixtures for tests, once.",
        example="tests/data/expected.csv  # recorded from the legacy program",
        source="Feathers 2004, Working Effectively with Legacy Code; CWE-78",
        weight=3,
    ),
    needs_source=True,
    scales=(_PLACES,),
)
def no_legacy_engine(evidence: Evidence) -> Judgement:
    """Look for bridges to other engines, and for their names in what the code would call."""
    return _none_of(
        evidence.project, _engines, "No legacy engine is called.", "reach for a legacy engine"
    )


def _engines(module: Module) -> Iterator[tuple[str, int]]:
    for name, line in module.imports.items():
        if name.split(".")[0] in _ENGINE_MODULES:
            yield name, line
    for call in module.calls:
        # Names of engines count where a program is called, not in a message or a docstring.
        if _SHELLS.match(dotted(call.func)) or call_name(call) in {"run", "Popen", "which"}:
            yield from ((name, call.lineno) for name in _engines_named(call))


def _engines_named(call: ast.Call) -> Iterator[str]:
    for node in ast.walk(call):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = _ENGINES.search(node.value)
            if found:
                yield found[0]


@rule(
    Check(
        code="SECU005",
        family="security",
        title="Scoring needs no network",
        why="A score that depends on another server is late when it is late, and wrong when it is "
        "wrong. It also sends customers' data to wherever that is.",
        fix="Take everything that scoring needs from the artefact and the input.",
        example="tables = artefact.tables  # not requests.get(TABLES_URL).json()",
        source="The Twelve-Factor App, IV; NIST SP 800-53, SC-7 (boundary protection)",
        weight=2,
    ),
    needs_source=True,
    scales=(_PLACES,),
)
def no_network(evidence: Evidence) -> Judgement:
    """Look for imports of network clients in the source."""
    return _none_of(
        evidence.project, _clients, "No network client is imported.", "import a network client"
    )


def _clients(module: Module) -> Iterator[tuple[str, int]]:
    for name, line in module.imported_names:
        known = next((c for c in _CLIENTS if name == c or name.startswith(f"{c}.")), None)
        if known:
            yield known, line
