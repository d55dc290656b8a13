"""Pipelines: the model as structure, fitted once on training data, applied the same everywhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from grader.model import Check, Where
from grader.standards.evidence import Evidence
from grader.standards.modularity import import_graph
from grader.standards.project import Project
from grader.standards.python import FunctionNode, Module, call_name, dotted
from grader.standards.rubric import Judgement, rule
from grader.standards.scales import Scale
from grader.standards.wording import count, listing, words

PIPELINES = frozenset({"Pipeline", "make_pipeline"})
LEARNING = words("fit fit_transform fit_predict partial_fit get_dummies LabelEncoder factorize")
_BY_HAND = frozenset({"fit_transform", "get_dummies", "LabelEncoder", "factorize"})
_SCORING = re.compile(
    r"^(api|app|server?|service|web|scor(e|ing|er)|predict(ion|or)?|infer(ence)?|batch)$"
)
_TRAINING = re.compile(r"train|fit|learn|pipeline|report|evaluat|tun(e|ing)")


@rule(
    Check(
        code="PIPE001",
        family="pipelines",
        title="build_pipeline gives an unfitted scikit-learn Pipeline",
        why="A pipeline holds every learnt step together with the model, so that what was fitted "
        "on the training rows is what scores. Unfitted, it can be inspected, tuned and refitted.",
        fix="Define build_pipeline() in <package>/pipeline.py, with defaults for all parameters; "
        "return a Pipeline, and leave fitting to training.",
        example="def build_pipeline() -> Pipeline:\n"
        '    return Pipeline([("features", Features()), ("model", PoissonRegressor())])',
        source="scikit-learn User Guide, 7.1 Pipelines and composite estimators",
        weight=3,
    ),
    needs_source=True,
)
def builds_pipeline(evidence: Evidence) -> Judgement:
    """Find the function, and what it and its helpers in the same module call."""
    project = evidence.project
    module, function = _builder(project)
    if module is None or function is None:
        package = project.contract.package
        message = f"{package}.pipeline defines no build_pipeline."
        path = next((m.path for m in project.package if m.name == f"{package}.pipeline"), "")
        return Judgement(share=0.0, message=message, where=Where(path=path) if path else None)
    where = Where(path=module.path, line=function.lineno)
    calls = _reached(module, function)
    required = len(function.args.posonlyargs + function.args.args) - len(function.args.defaults)
    required += sum(default is None for default in function.args.kw_defaults)
    faults = {
        "it builds no Pipeline": not calls & PIPELINES,
        "it fits": bool(calls & {"fit", "fit_transform"}),
        "nothing of the package uses it": not _is_used(project, function.name, module),
        "it needs arguments": required > 0,
        "it returns nothing": not any(
            isinstance(node, ast.Return) and node.value for node in ast.walk(function)
        ),
    }
    found = [fault for fault, there in faults.items() if there]
    if not found:
        return Judgement(share=1.0, message="build_pipeline builds an unfitted Pipeline.")
    idle = faults["it builds no Pipeline"] or faults["nothing of the package uses it"]
    share = 0.0 if idle else 0.7 - 0.2 * len(found)
    return Judgement(share=share, message=f"build_pipeline: {listing(found, 4)}.", where=where)


def _builder(project: Project) -> tuple[Module | None, FunctionNode | None]:
    """Find build_pipeline in the module pipeline, or where that module imports it from."""
    module = project.module("pipeline")
    if module is None:
        return None, None
    found = _top_function(module, "build_pipeline")
    if found:
        return module, found
    if any(name.endswith(".build_pipeline") for name, _ in module.imported_names):
        for other in project.package:
            found = _top_function(other, "build_pipeline")
            if found:
                return other, found
    return module, None


def _is_used(project: Project, name: str, builder: Module) -> bool:
    """Whether a module other than its own calls or passes on what builds the pipeline."""
    return any(
        imported in {builder.name, f"{builder.name}.{name}"}
        for module in project.package
        if module is not builder
        for imported, _ in module.imported_names
    )


def _top_function(module: Module, name: str) -> FunctionNode | None:
    functions = (node for node in module.tree.body if isinstance(node, FunctionNode))
    return next((node for node in functions if node.name == name), None)


def _reached(module: Module, start: FunctionNode) -> set[str]:
    """Give the names that a function calls, itself or through functions of its module."""
    seen: set[str] = set()
    called: set[str] = set()
    waiting: list[FunctionNode | None] = [start]
    while waiting:
        node = waiting.pop()
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        names = {call_name(item) for item in ast.walk(node) if isinstance(item, ast.Call)}
        called |= names
        waiting += [_top_function(module, name) for name in sorted(names)]
    return called


_LEARNING = Scale(
    measure="calls that learn on the way of scoring",
    none=2,
    full=0,
    reason="One is enough to make an answer depend on its neighbours.",
)


@rule(
    Check(
        code="PIPE002",
        family="pipelines",
        title="Scoring learns nothing",
        why="A step that is fitted again on the rows to be scored gives each row an answer that "
        "depends on its neighbours: a batch of one is then priced unlike a batch of many.",
        fix="Load the fitted pipeline and call predict or transform; nothing else.",
        example="artefact = load(path)\nanswers = artefact.pipeline.predict(rows)",
        source="scikit-learn, Common pitfalls: inconsistent preprocessing and data leakage",
        weight=3,
    ),
    needs_source=True,
    scales=(_LEARNING,),
)
def scoring_learns_nothing(evidence: Evidence) -> Judgement:
    """Look for fits in the modules of scoring and serving, and in what they import."""
    modules = _scoring_path(evidence.project)
    if not modules:
        return Judgement(share=0.0, message="No module of scoring or serving was found.")
    bad = [
        (module.path, call.lineno, call_name(call))
        for module in modules
        for call in _calls_outside_fitting(module)
        if call_name(call) in LEARNING
    ]
    if not bad:
        names = listing(sorted(module.name.rsplit(".", 1)[-1] for module in modules), 6)
        return Judgement(share=1.0, message=f"Nothing is fitted on the way of scoring ({names}).")
    path, line, name = min(bad)
    return Judgement(
        share=_LEARNING.share(len(bad)),
        message=f"{count(len(bad), 'call')} learn on the way of scoring; the first is {name}.",
        where=Where(path=path, line=line),
    )


def _scoring_path(project: Project) -> list[Module]:
    """Give the scoring and serving modules, and what they import short of training."""
    graph = import_graph(project)
    waiting = [name for name in graph if _SCORING.match(name.rsplit(".", 1)[-1])]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        stem = name.rsplit(".", 1)[-1]
        if name in reached or (_TRAINING.search(stem) and not _SCORING.match(stem)):
            continue
        reached.add(name)
        waiting += graph[name]
    return [module for module in project.source if module.name in reached]


def _calls_outside_fitting(module: Module) -> Iterator[ast.Call]:
    """Give the calls that lie neither in an estimator nor in a function that says it fits."""
    fitting = [node for node in module.classes if _method(node, "fit")]
    fitting_functions = [f.node for f in module.functions if _TRAINING.search(f.node.name)]
    spans = [(n.lineno, n.end_lineno or n.lineno) for n in [*fitting, *fitting_functions]]
    for call in module.calls:
        if not any(first <= call.lineno <= last for first, last in spans):
            yield call


def _method(node: ast.ClassDef, name: str) -> FunctionNode | None:
    methods = (item for item in node.body if isinstance(item, FunctionNode))
    return next((item for item in methods if item.name == name), None)


_BESIDE = Scale(
    measure="calls that learn beside the pipeline",
    none=3,
    full=0,
    reason="Each is a step that scoring has to repeat by hand.",
)


@rule(
    Check(
        code="PIPE003",
        family="pipelines",
        title="All that is learnt is learnt in the pipeline",
        why="Encoders and fill values fitted beside the pipeline are lost when the model is saved, "
        "or leak from the rows that it is judged on.",
        fix="Put encoders, scalers and imputers into the pipeline, as steps.",
        example='ColumnTransformer([("region", OneHotEncoder(drop="first"), ["region"])])',
        source="scikit-learn, Common pitfalls: how to avoid data leakage",
        weight=2,
    ),
    needs_source=True,
    scales=(_BESIDE,),
)
def learnt_in_pipeline(evidence: Evidence) -> Judgement:
    """Count fit_transform, get_dummies and fills with means outside estimators."""
    if not evidence.project.package:
        return Judgement(share=0.0, message="The package was not found.")
    bad = [
        (module.path, call.lineno, call_name(call))
        for module in evidence.project.source
        for call in _calls_outside_estimators(module)
        if call_name(call) in _BY_HAND or _fills_with_statistic(call)
    ]
    if not bad:
        return Judgement(share=1.0, message="Nothing is learnt beside the pipeline.")
    path, line, name = min(bad)
    return Judgement(
        share=_BESIDE.share(len(bad)),
        message=f"{count(len(bad), 'call')} learn beside the pipeline; the first is {name}.",
        where=Where(path=path, line=line),
    )


def _calls_outside_estimators(module: Module) -> Iterator[ast.Call]:
    spans = [
        (node.lineno, node.end_lineno or node.lineno)
        for node in module.classes
        if _method(node, "fit")
    ]
    for call in module.calls:
        if not any(first <= call.lineno <= last for first, last in spans):
            yield call


def _fills_with_statistic(call: ast.Call) -> bool:
    if call_name(call) != "fillna":
        return False
    inner = [n for argument in call.args for n in ast.walk(argument) if isinstance(n, ast.Call)]
    return any(call_name(item) in {"mean", "median", "mode"} for item in inner)


_UNCONVENTIONAL = Scale(
    measure="share of home-made steps that break the conventions",
    none=1.0,
    full=0.0,
    reason="Each step is cloned, tuned and stored by itself, so each counts alike.",
)


@rule(
    Check(
        code="PIPE004",
        family="pipelines",
        title="Home-made steps follow scikit-learn's conventions",
        why="A step that keeps the conventions can be cloned, tuned and put into any pipeline. One "
        "that does work in __init__, or does not return itself from fit, breaks in ways that are "
        "hard to find.",
        fix="Derive from BaseEstimator and a mixin; let __init__ store its arguments alone; let "
        "fit return self.",
        example="class Cap(TransformerMixin, BaseEstimator):\n"
        "    def __init__(self, limit=10_000): self.limit = limit\n"
        "    def fit(self, X, y=None): return self",
        source="scikit-learn, Developing scikit-learn estimators",
        weight=1,
    ),
    needs_source=True,
    scales=(_UNCONVENTIONAL,),
)
def steps_follow_conventions(evidence: Evidence) -> Judgement:
    """Judge each class that has a fit: its bases, its __init__, and what fit returns."""
    if not evidence.project.package:
        return Judgement(share=0.0, message="The package was not found.")
    steps = [
        (module.path, node)
        for module in evidence.project.source
        for node in module.classes
        if _method(node, "fit")
    ]
    known = {node.name: node for module in evidence.project.source for node in module.classes}
    bases = {name for node in known.values() for name in map(dotted, node.bases)}
    # What others derive from may leave its part of fit to them.
    steps = [(path, node) for path, node in steps if node.name not in bases]
    faults = [(path, node, fault) for path, node in steps for fault in _step_faults(node)]
    if not faults:
        message = f"{count(len(steps), 'home-made step')}, all by the conventions."
        return Judgement(share=1.0, message=message)
    path, node, fault = faults[0]
    wrong = len({id(item) for _, item, _ in faults})
    steps_text = count(len(steps), "home-made step")
    return Judgement(
        share=_UNCONVENTIONAL.share(wrong / len(steps)),
        message=f"{wrong} of {steps_text} break the conventions: {node.name} {fault}.",
        where=Where(path=path, line=node.lineno),
    )


def _step_faults(node: ast.ClassDef) -> Iterator[str]:
    if not node.bases:
        yield "derives from no estimator"
    fit = _method(node, "fit")
    returns = [item.value for item in ast.walk(fit) if isinstance(item, ast.Return)] if fit else []
    abstract = any("abstract" in dotted(d) for d in (fit.decorator_list if fit else []))
    fluent = any(
        isinstance(value, ast.Call) or (isinstance(value, ast.Name) and value.id == "self")
        for value in returns
    )
    if not fluent and not abstract:
        yield "does not return self from fit"
    init = _method(node, "__init__")
    if init and not all(_stores(statement) for statement in init.body):
        yield "does work in __init__"


def _stores(statement: ast.stmt) -> bool:
    """Whether a statement of __init__ stores an argument, calls super, or does nothing."""
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return isinstance(statement.value, ast.Name | ast.Constant)
    if isinstance(statement, ast.Expr):
        value = statement.value
        return isinstance(value, ast.Constant) or "super" in ast.dump(value)
    return isinstance(statement, ast.Pass)


@rule(
    Check(
        code="PIPE005",
        family="pipelines",
        title="Training fits the pipeline that build_pipeline gives",
        why="A pipeline for show, beside the code that really trains, is two models: the one that "
        "is reviewed and the one that is deployed.",
        fix="Call build_pipeline() in training, fit what it returns, and save that.",
        example="pipeline = build_pipeline()\npipeline.fit(rows, target)",
        source="scikit-learn, Common pitfalls: use the same pipeline for fitting and scoring",
        weight=2,
    ),
    needs_source=True,
)
def training_fits_pipeline(evidence: Evidence) -> Judgement:
    """Look for a module of the package that calls build_pipeline and fits."""
    users = [
        module
        for module in evidence.project.package
        if any(call_name(call) == "build_pipeline" for call in module.calls)
    ]
    fitting = [m for m in users if any(call_name(call) == "fit" for call in m.calls)]
    if fitting:
        return Judgement(share=1.0, message=f"{fitting[0].name} fits what build_pipeline gives.")
    if users:
        message = f"{users[0].name} calls build_pipeline, but no such module fits."
        return Judgement(share=0.5, message=message, where=Where(path=users[0].path))
    return Judgement(share=0.0, message="No module of the package calls build_pipeline.")


_REMADE = Scale(
    measure="share of home-made steps that scikit-learn has, without a word on why",
    none=1.0,
    full=0.0,
    reason="Each is code to keep and test that others keep and test already.",
)
_STANDARD = re.compile(
    r"scal(e|er|ing)$|standardi[sz]|normali[sz]|one_?hot|dumm(y|ies)|imput|fill_?(na|missing)"
    r"|ordinal|label_?encod|polynomial|binari[sz]|discreti[sz]|column_?select|select_?columns?"
    r"|drop_?columns?",
    re.IGNORECASE,
)
"""Names of what scikit-learn's preprocessing, impute and compose have ready."""
_WHY = re.compile(
    r"legacy|exact(ly)?|\bas (in )?(R|SAS|SPSS)\b|\b(R|SAS|SPSS|Excel)('s|s'|\b)|instead of"
    r"|unlike|scikit-learn|sklearn|original",
)


@rule(
    Check(
        code="PIPE006",
        family="pipelines",
        title="Standard estimators come before home-made ones",
        why="Scaling, encoding, imputing and binning have been written, tested and documented by "
        "others. Each home-made copy has to be tested here, for every release, by somebody.",
        fix="Use scikit-learn's transformer, or say in the step's docstring what the legacy "
        "program does that it can't.",
        example='class Bands(TransformerMixin, BaseEstimator):\n    """Age bands, open on the '
        'right as in the legacy program: KBinsDiscretizer learns its edges."""',
        source="scikit-learn, Preprocessing data; Sculley et al. 2015, Hidden Technical Debt in "
        "Machine Learning Systems (glue code)",
        weight=1,
    ),
    needs_source=True,
    scales=(_REMADE,),
)
def standard_before_home_made(evidence: Evidence) -> Judgement:
    """Look for steps that do by their name what scikit-learn does, and whose text says no why."""
    steps = [
        (module, node)
        for module in evidence.project.source
        for node in module.classes
        if _method(node, "fit") and _method(node, "transform")
    ]
    remade = [
        (module, node)
        for module, node in steps
        if _STANDARD.search(node.name) and not _WHY.search(ast.get_docstring(node) or "")
    ]
    if not remade:
        message = f"{count(len(steps), 'home-made step')}, none that scikit-learn has ready."
        return Judgement(share=1.0, message=message)
    module, first = remade[0]
    return Judgement(
        share=_REMADE.share(len(remade) / len(steps)),
        message=f"{listing(node.name for _, node in remade)} can be had from scikit-learn.",
        where=Where(path=module.path, line=first.lineno),
    )
