"""Modular code: stages apart, importing one way, in functions that a person can follow."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from grader.model import Check, Where
from grader.standards.evidence import Evidence
from grader.standards.project import Project
from grader.standards.python import Function, FunctionNode, Module, call_name, dotted, is_docstring
from grader.standards.rubric import Judgement, rule
from grader.standards.scales import Scale
from grader.standards.wording import count, listing, words

LEAST_STAGES = 4
LEAST_MODULES = 3
LEAST_STATEMENTS = 4
"""A module whose functions hold fewer passes on what others do."""
LONGEST = 50
WINDOW = 6
"""So many statements in a row, the same in two places, are a copy."""
FREE_COPIES = 0.03

READING = words(
    "read_csv read_parquet read_sql read_sql_query read_table read_excel read_json read_feather "
    "read_sas read_stata connect create_engine load_dataset DictReader"
)
_TRANSFORMING = words(
    "dropna fillna drop_duplicates astype clip interpolate replace cut qcut get_dummies merge "
    "OneHotEncoder StandardScaler SimpleImputer ColumnTransformer FunctionTransformer "
    "OrdinalEncoder PolynomialFeatures KBinsDiscretizer SplineTransformer MinMaxScaler "
    "TransformerMixin Categorical to_numeric where select dmatrix build_design_matrices"
)
_MODELLING = words(
    "fit train GridSearchCV cross_val_score GLM glm OLS Logit LogisticRegression LinearRegression "
    "PoissonRegressor GammaRegressor TweedieRegressor RandomForestClassifier DummyRegressor "
    "GradientBoostingClassifier RegressorMixin ClassifierMixin build_pipeline XGBClassifier "
    "RandomForestRegressor GradientBoostingRegressor HistGradientBoostingRegressor Pipeline "
    "make_pipeline LGBMRegressor Ridge lstsq minimize"
)
_EVALUATING = re.compile(r"(\w+_(score|error|loss|deviance|curve)|confusion_matrix|bincount)$")
_SCORING = frozenset({"predict", "predict_proba", "predict_frame", "score_rows", "score_frame"})
_SERVING = words("FastAPI Flask Starlette Litestar APIRouter Blueprint HTTPException")
WRITING = words("to_csv to_parquet to_sql to_pickle dump save_model savefig to_excel")

_MACHINE_PATH = re.compile(
    r"^([A-Za-z]:[\\/]|/home/|/Users/|/mnt/|/media/|\\\\\w|/content/|/kaggle/|~/)"
)
_ENTRY = re.compile(r"^(__main__|main|cli|commands?|app|api|server?|service|web|asgi|wsgi)$")


_PURITY = Scale(
    measure="share of a stage's calls that lie in modules of that stage",
    none=0.3,
    full=0.6,
    reason="Some mixing is natural in small packages; below a third there are no stages.",
)


@rule(
    Check(
        code="MODU001",
        family="modularity",
        title="The stages live apart",
        why="Reading, transforming, modelling, evaluating, scoring and serving change for "
        "different reasons and at different times. Apart, each can be tested, reused and "
        "replaced alone.",
        fix="Give each stage a module of its own, and let a thin command call them.",
        example="data.py → features.py → pipeline.py → training.py → scoring.py → api.py",
        source="Google, Rules of Machine Learning, 4 and 32; Cookiecutter Data Science",
        weight=3,
    ),
    needs_source=True,
    scales=(_PURITY,),
)
def stages_apart(evidence: Evidence) -> Judgement:
    """Find each module's main stage by what it calls: four stages, in modules of their own."""
    tallies = {m.path: tally for m in evidence.project.source if (tally := _stages(m))}
    if not tallies:
        return Judgement(share=0.0, message="No module reads, transforms, models or scores.")
    main = {path: max(sorted(tally), key=lambda s: tally[s]) for path, tally in tallies.items()}
    total = sum(tally.total() for tally in tallies.values())
    purity = sum(tallies[path][stage] for path, stage in main.items()) / total
    stages = sorted(set(main.values()))
    share = min(1.0, len(stages) / LEAST_STAGES) * _PURITY.share(purity)
    mixed = min(main, key=lambda path: (tallies[path][main[path]] / tallies[path].total(), path))
    return Judgement(
        share=share,
        message=f"{count(len(stages), 'stage')} have modules of their own ({listing(stages, 6)}); "
        f"{purity:.0%} of the stages' calls lie in them.",
        where=Where(path=mixed),
    )


def _stages(module: Module) -> Counter[str]:
    bases = [dotted(base).rsplit(".", 1)[-1] for node in module.classes for base in node.bases]
    names = [*(call_name(call) for call in module.calls), *bases]
    return Counter(stage for name in names if (stage := _stage(name)))


def _stage(name: str) -> str:
    groups = {
        "reading": READING,
        "transforming": _TRANSFORMING,
        "modelling": _MODELLING,
        "scoring": _SCORING,
        "serving": _SERVING,
    }
    for stage, names in groups.items():
        if name in names:
            return stage
    return "evaluating" if _EVALUATING.search(name) else ""


_AT_IMPORT = Scale(
    measure="share of lines that do work on import, where any do",
    none=0.05,
    full=-0.0125,
    reason="The first line costs a fifth; at one line in twenty the module is a script.",
)


@rule(
    Check(
        code="MODU002",
        family="modularity",
        title="Nothing works on import",
        why="Importing a module must be safe: tests, workers and the API import it many times. "
        "Work at import makes the order of imports part of the program.",
        fix="Move the work into functions; call them from a command or behind a main guard.",
        example='if __name__ == "__main__":\n    sys.exit(main())',
        source="Google Python Style Guide, 3.17 Main; The Hitchhiker's Guide to Python, Modules",
        weight=2,
    ),
    needs_source=True,
    scales=(_AT_IMPORT,),
)
def nothing_at_import(evidence: Evidence) -> Judgement:
    """Count lines of statements at module level that loop, read, fit, score, write or print."""
    work = [(m.path, node) for m in evidence.project.source for node in _work(m)]
    lines = sum((node.end_lineno or node.lineno) - node.lineno + 1 for _, node in work)
    if not work:
        return Judgement(share=1.0, message="Importing the modules does no work.")
    path, first = work[0]
    return Judgement(
        share=_AT_IMPORT.share(lines / evidence.project.code_lines),
        message=f"{count(lines, 'line')} at module level do work on import.",
        where=Where(path=path, line=first.lineno),
    )


def _work(module: Module) -> Iterator[ast.stmt]:
    if module.path.endswith("__main__.py"):
        return
    noisy = READING | _SCORING | WRITING | {"fit", "fit_transform", "print", "open", "read_text"}
    for node in module.tree.body:
        if isinstance(node, FunctionNode | ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.If) and _guards(node.test):
            continue
        calls = {call_name(item) for item in ast.walk(node) if isinstance(item, ast.Call)}
        if isinstance(node, ast.For | ast.While | ast.With | ast.AugAssign) or calls & noisy:
            yield node


def _guards(test: ast.expr) -> bool:
    names = {dotted(n).rsplit(".", 1)[-1] for n in ast.walk(test) if isinstance(n, ast.expr)}
    return bool(names & {"__name__", "TYPE_CHECKING"})


_INSIDE = Scale(
    measure="share of lines in functions, classes or constants",
    none=0.0,
    full=0.75,
    reason="Tables and settings at module level are code as well, up to a quarter.",
)


@rule(
    Check(
        code="MODU003",
        family="modularity",
        title="The code is in functions",
        why="Only what is in a function can be called by a test with inputs of its own.",
        fix="Extract functions that take what they need and return what they make.",
        example="def add_exposure(rows: pd.DataFrame) -> pd.DataFrame: …",
        source="Wilson et al. 2014, Best Practices for Scientific Computing, 4",
        weight=1,
    ),
    needs_source=True,
    scales=(_INSIDE,),
)
def in_functions(evidence: Evidence) -> Judgement:
    """Weigh the lines inside functions and classes; three quarters are enough."""
    inside = total = 0
    for module in evidence.project.source:
        for node in module.tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom) or is_docstring(node):
                continue
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            total += lines
            constant = isinstance(node, ast.Assign | ast.AnnAssign) and not _calls(node)
            inside += lines * (isinstance(node, FunctionNode | ast.ClassDef) or constant)
    share = inside / total if total else 0.0
    message = f"{share:.0%} of the lines are in functions, classes or constants."
    return Judgement(share=_INSIDE.share(share), message=message)


def _calls(node: ast.AST) -> bool:
    return any(isinstance(item, ast.Call) for item in ast.walk(node))


_LENGTHY = Scale(
    measure="share of the lines of all functions that lie in long ones; any at all costs a fifth",
    none=0.3,
    full=0.0,
    reason="One long function among many is a flaw; a third of the code in such is a habit.",
)
_NUMBER = re.compile(r"_?(part|step|chunk|block|stage)?_?\d+$")
LEAST_PARTS = 3


@rule(
    Check(
        code="MODU004",
        family="modularity",
        title="Functions are short",
        why="A function that fits on a screen can be read, named and tested as one thing.",
        fix=f"Split functions of more than {LONGEST} lines along the steps they take.",
        example="def train(folder): return fit(build_pipeline(), read_training(folder))",
        source="Martin 2008, Clean Code, chapter 3; Google Python Style Guide, 3.18",
        weight=2,
    ),
    needs_source=True,
    scales=(_LENGTHY,),
)
def short_functions(evidence: Evidence) -> Judgement:
    """Weigh the lines that lie in functions of more than fifty, docstring apart, against all.

    Numbered parts of one function are one function: cutting it at every tenth line mends nothing.
    """
    functions = [item for module in evidence.project.source for item in _whole_functions(module)]
    if not functions:
        return Judgement(share=0.0, message="There are no functions.")
    lengthy = sorted(
        (item for item in functions if item.lines > LONGEST),
        key=lambda item: (-item.lines, item.path, item.line),
    )
    if not lengthy:
        message = f"None of {len(functions)} functions exceeds {LONGEST} lines."
        return Judgement(share=1.0, message=message)
    share = sum(item.lines for item in lengthy) / sum(item.lines for item in functions)
    first = lengthy[0]
    return Judgement(
        share=0.8 * _LENGTHY.share(share),
        message=f"{len(lengthy)} of {count(len(functions), 'function')} exceed {LONGEST} lines; "
        f"{first.name} has {first.lines}.",
        where=Where(path=first.path, line=first.line),
        fix=f"Split {first.name} along the steps it takes.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """A function, or the numbered parts that one was cut into."""

    name: str
    path: str
    line: int
    lines: int


def _whole_functions(module: Module) -> Iterator[_Whole]:
    groups: dict[str, list[Function]] = {}
    for function in module.functions:
        groups.setdefault(_NUMBER.sub("", function.node.name), []).append(function)
    for stem, members in groups.items():
        cut = len(members) >= LEAST_PARTS and stem not in {f.node.name for f in members}
        for part in [members] if cut else [[member] for member in members]:
            first = part[0].node
            yield _Whole(
                name=stem if cut else first.name,
                path=module.path,
                line=first.lineno,
                lines=sum(function.lines for function in part),
            )


_COPIED = Scale(
    measure="share of statements that are copies of others",
    none=FREE_COPIES + 0.12,
    full=FREE_COPIES,
    reason="A few like runs are chance; one statement in seven is a habit.",
)


@rule(
    Check(
        code="MODU005",
        family="modularity",
        title="Little is copied and pasted",
        why="What is written twice is mended once. In a port, the copy that was forgotten is the "
        "one whose figures differ.",
        fix="Extract the repeated statements into a function with parameters.",
        example="def relativity(rows, column, table): return rows[column].map(table)",
        source="Hunt and Thomas 1999, The Pragmatic Programmer, DRY",
        weight=2,
    ),
    needs_source=True,
    scales=(_COPIED,),
)
def little_copying(evidence: Evidence) -> Judgement:
    """Count statements in runs of six that occur twice, whatever the variables are called."""
    total = 0
    copied: dict[int, tuple[str, int]] = {}
    seen: set[tuple[object, ...]] = set()
    for module in evidence.project.source:
        for function in module.functions:
            nodes = list(_statements(function.node))
            total += len(nodes)
            copied |= {id(node): (module.path, node.lineno) for node in _repeated(nodes, seen)}
    share = len(copied) / total if total else 0.0
    if not copied:
        return Judgement(share=1.0, message=f"No run of {WINDOW} statements occurs twice.")
    path, line = min(copied.values())
    return Judgement(
        share=_COPIED.share(share),
        message=f"{share:.0%} of {total} statements are copies of others.",
        where=Where(path=path, line=line),
    )


def _repeated(nodes: Sequence[ast.stmt], seen: set[tuple[object, ...]]) -> Iterator[ast.stmt]:
    """Give the statements in runs that were seen before, and remember the others."""
    shapes = [_shape(node) for node in nodes]
    for start in range(len(shapes) - WINDOW + 1):
        window = tuple(shapes[start : start + WINDOW])
        if window in seen:
            yield from nodes[start : start + WINDOW]
        seen.add(window)


def _statements(function: ast.AST) -> Iterator[ast.stmt]:
    """Give the statements of a function in order, nested ones too, without docstring."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, ast.stmt) and not is_docstring(child):
            yield child
        if not isinstance(child, ast.expr | FunctionNode | ast.ClassDef):
            yield from _statements(child)


def _shape(statement: ast.stmt) -> tuple[object, ...]:
    """Write a statement down without its nested statements and the names of its variables."""
    parts: list[object] = []
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        parts.append(type(node).__name__)
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
        elif isinstance(node, ast.Constant):
            parts.append(repr(node.value)[:80])
        elif isinstance(node, ast.Call):
            parts.append(call_name(node))
        waiting += [n for n in ast.iter_child_nodes(node) if not isinstance(n, ast.stmt)]
    return tuple(parts)


@rule(
    Check(
        code="MODU006",
        family="modularity",
        title="Modules import one way",
        why="Where low modules import high ones, or each other in a circle, none can be used, "
        "tested or replaced without all the rest.",
        fix="Let commands and API import scoring and training, these the pipeline, this the "
        "features; move what two modules share into one below both.",
        example="cli, api → training, scoring → pipeline → features → schema",
        source="Martin 2017, Clean Architecture, the acyclic dependencies principle; import-linter",
        weight=2,
    ),
    needs_source=True,
)
def imports_one_way(evidence: Evidence) -> Judgement:
    """Look for cycles among the modules, and for modules that import a command or the API."""
    graph = import_graph(evidence.project)
    edges = sum(len(targets) for targets in graph.values())
    working = _connected(evidence.project, graph)
    if len(working) < LEAST_MODULES or not edges:
        message = f"{count(len(working), 'module')} with work of their own, {edges} imports."
        return Judgement(share=0.0, message=message)
    upward = [
        (name, target)
        for name, targets in sorted(graph.items())
        for target in sorted(targets)
        if _is_entry(target) and not _is_entry(name)
    ]
    cycle = _cycle(graph)
    if cycle:
        names = " → ".join(name.rsplit(".", 1)[-1] for name in cycle)
        where = Where(path=_path(evidence.project, cycle[0]))
        return Judgement(share=0.3, message=f"A circle of imports: {names}.", where=where)
    if upward:
        name, target = upward[0]
        where = Where(path=_path(evidence.project, name))
        return Judgement(
            share=0.7 - 0.2 * len(upward), message=f"{name} imports {target}.", where=where
        )
    return Judgement(share=1.0, message=f"{len(graph)} modules, {edges} imports, one way.")


def _connected(project: Project, graph: Mapping[str, set[str]]) -> list[Module]:
    """Give the modules that work on their own, and are imported or import: none is for show."""
    imported = {target for targets in graph.values() for target in targets}
    return [
        module
        for module in project.source
        if (graph[module.name] or module.name in imported)
        and sum(1 for f in module.functions for _ in _statements(f.node)) >= LEAST_STATEMENTS
    ]


def import_graph(project: Project) -> dict[str, set[str]]:
    """Give, for each module of the source, which of the others it imports at run time."""
    names = {module.name for module in project.source}
    graph: dict[str, set[str]] = {name: set() for name in names}
    for module in project.source:
        hidden = _type_checking_lines(module)
        for imported, line in module.imported_names:
            target = _known(imported, names)
            if target and target != module.name and line not in hidden:
                graph[module.name].add(target)
    return graph


def _known(imported: str, names: set[str]) -> str:
    """Give the longest start of a dotted name that is a module of ours."""
    parts = imported.split(".")
    candidates = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((name for name in candidates if name in names), "")


def _type_checking_lines(module: Module) -> set[int]:
    blocks = [
        n for n in module.nodes if isinstance(n, ast.If) and "TYPE_CHECKING" in _names(n.test)
    ]
    return {line for b in blocks for line in range(b.lineno, (b.end_lineno or b.lineno) + 1)}


def _names(node: ast.expr) -> str:
    return " ".join(dotted(item) for item in ast.walk(node) if isinstance(item, ast.expr))


def _is_entry(name: str) -> bool:
    return "." in name and bool(_ENTRY.match(name.rsplit(".", 1)[-1]))


def _cycle(graph: dict[str, set[str]]) -> Sequence[str]:
    ordered = {name: sorted(targets) for name, targets in sorted(graph.items())}
    try:
        TopologicalSorter(ordered).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle[::-1]
    return ()


def _path(project: Project, name: str) -> str:
    return next(module.path for module in project.source if module.name == name)


@rule(
    Check(
        code="MODU007",
        family="modularity",
        title="No paths of one machine, no shared state",
        why="A path on somebody's disk works for one person. Wildcard imports, edits of sys.path "
        "and `global` hide where things come from, and make functions depend on what ran before.",
        fix="Take paths as arguments, import names, and pass values instead of sharing them.",
        example="def read_exposure(path: Path) -> pd.DataFrame: …",
        source="The Twelve-Factor App, III. Config; ruff F403, PLW0603",
        weight=1,
    ),
    needs_source=True,
)
def no_hidden_state(evidence: Evidence) -> Judgement:
    """Look for machine paths, wildcard imports, edits of sys.path or directory, and `global`."""
    found = [
        (what, module.path, line)
        for module in evidence.project.source
        for what, line in _hidden_state(module)
    ]
    if not found:
        return Judgement(share=1.0, message="No machine paths, wildcards, or shared state.")
    kinds = Counter(what for what, _, _ in found)
    _, path, line = found[0]
    return Judgement(
        share=0.7 - 0.15 * len(found),
        message=f"Found: {listing((f'{what} ({n})' for what, n in sorted(kinds.items())), 6)}.",
        where=Where(path=path, line=line),
    )


def _hidden_state(module: Module) -> Iterator[tuple[str, int]]:
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _MACHINE_PATH.match(node.value):
                yield "a machine's path", node.lineno
        elif isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            yield "a wildcard import", node.lineno
        elif isinstance(node, ast.Global):
            yield "`global`", node.lineno
        elif isinstance(node, ast.Call) and dotted(node.func) in {
            "sys.path.append",
            "sys.path.insert",
            "os.chdir",
        }:
            yield dotted(node.func), node.lineno
