"""Lineage: from an artefact back to the code, data and settings that made it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from grader.model import Check, ReportRun, TrainingRun, Where
from grader.standards.evidence import Evidence
from grader.standards.python import Module, call_name, dotted, keyword
from grader.standards.rubric import Judgement, not_verifiable, rule, seen_rule, yes_or_no
from grader.standards.scales import Scale
from grader.standards.wording import count, listing, words

_RANDOM = words(
    "train_test_split ShuffleSplit StratifiedShuffleSplit RandomForestClassifier "
    "RandomForestRegressor GradientBoostingClassifier GradientBoostingRegressor "
    "HistGradientBoostingRegressor HistGradientBoostingClassifier RandomizedSearchCV "
    "ExtraTreesRegressor MLPRegressor MLPClassifier LGBMRegressor LGBMClassifier XGBRegressor "
    "XGBClassifier KMeans SGDRegressor SGDClassifier permutation_importance resample"
)
_GENERATORS = frozenset({"default_rng", "RandomState", "Random"})
_LEGACY = re.compile(
    r"^(np|numpy)\.random\.(?!default_rng|Generator|RandomState|seed|SeedSequence)\w+"
)
_STDLIB = re.compile(r"^random\.(random|shuffle|choices?|sample|randint|gauss|uniform)$")

_SAVES = re.compile(
    r"joblib\.dump|pickle\.dump|skops|cloudpickle|to_onnx|save_model|\.dump\(|dumps\(|write_bytes"
)
_SIGNS = {
    "the version of the code": r"__version__|importlib\.metadata|\bversion\(|rev-parse|GITHUB_SHA"
    r"|git_commit",
    "a digest of the training data": r"sha256|sha512|blake2|md5|hash_pandas_object|file_digest",
    "versions of the libraries": r"sklearn\.__version__|numpy\.__version__|np\.__version__"
    r"|pd\.__version__|importlib\.metadata|show_versions|\bversion\(",
    "seed or settings": r"\bseed\b|random_state|get_params|settings|parameters|asdict\(|config",
}


_UNSEEDED = Scale(
    measure="share of uses of chance without a seed, where any are",
    none=1.0,
    full=-0.25,
    reason="The first one costs a fifth: one is enough to make two trainings differ.",
)


@rule(
    Check(
        code="LINE001",
        family="lineage",
        title="Randomness is seeded",
        why="Two trainings on the same data must give the same model; otherwise nobody can tell a "
        "change of the code from a change of luck.",
        fix="Pass random_state or seed, as an integer from the settings, wherever chance is used.",
        example="RandomForestRegressor(random_state=SEED)\nrng = np.random.default_rng(SEED)",
        source="scikit-learn, Common pitfalls: controlling randomness; ruff NPY002",
        weight=2,
    ),
    needs_source=True,
    scales=(_UNSEEDED,),
)
def seeded(evidence: Evidence) -> Judgement:
    """Find calls that use chance, and count those without a seed. No chance at all is fine."""
    uses = [(m.path, call, ok) for m in evidence.project.source for call, ok in _chances(m)]
    bare = [(path, call) for path, call, ok in uses if not ok]
    if not bare:
        message = f"All {len(uses)} uses of chance are seeded." if uses else "No chance is used."
        return Judgement(share=1.0, message=message)
    path, call = bare[0]
    return Judgement(
        share=_UNSEEDED.share(len(bare) / len(uses)),
        message=f"{len(bare)} of {count(len(uses), 'use')} of chance have no seed; "
        f"the first is {call_name(call)}.",
        where=Where(path=path, line=call.lineno),
    )


def _chances(module: Module) -> Iterator[tuple[ast.Call, bool]]:
    for call in module.calls:
        name, full = call_name(call), dotted(call.func)
        if name in _GENERATORS:
            yield call, bool(call.args or call.keywords)
        elif name in _RANDOM:
            seed = keyword(call, "random_state", "seed")
            spread = any(item.arg is None for item in call.keywords)
            given = seed is not None and not (isinstance(seed, ast.Constant) and seed.value is None)
            unshuffled = keyword(call, "shuffle")
            yield (
                call,
                given or spread or (isinstance(unshuffled, ast.Constant) and not unshuffled.value),
            )
        elif _LEGACY.match(full) or (_STDLIB.match(full) and "random" in module.imports):
            yield call, False


@rule(
    Check(
        code="LINE002",
        family="lineage",
        title="The artefact says where it comes from",
        why="When a score is questioned a year later, the artefact must name the code, the data "
        "and the libraries that made it. Nothing else will.",
        fix="Save a manifest with the model: version of the package, digest of the training data, "
        "versions of the libraries, seed and settings.",
        example='manifest = {"package": __version__, "data": sha256(train).hexdigest(),\n'
        '            "libraries": {"scikit-learn": version("scikit-learn")}, "seed": SEED}',
        source="Google, The ML Test Score, Monitor 2 and Infra 1; Microsoft, MLOps maturity model",
        weight=3,
    ),
    needs_source=True,
)
def artefact_has_manifest(evidence: Evidence) -> Judgement:
    """Look for the four parts of a manifest in the modules that save, or are used by them."""
    saving = [m for m in evidence.project.source if _SAVES.search(_code(m))]
    if not saving:
        return Judgement(share=0.0, message="No module saves an artefact.")
    text = "\n".join(_code(module) for module in evidence.project.source)
    missing = [name for name, pattern in _SIGNS.items() if not re.search(pattern, text)]
    if not missing:
        return Judgement(share=1.0, message=f"{saving[0].path} saves a manifest with the model.")
    return Judgement(
        share=1 - len(missing) / len(_SIGNS),
        message=f"The artefact does not keep {listing(missing, 4)}.",
        where=Where(path=saving[0].path),
        fix=f"Keep {listing(missing, 4)} in the artefact.",
    )


@seen_rule(
    Check(
        code="LINE003",
        family="lineage",
        title="Training again gives the same artefact",
        why="Where the same data gives another file each time, nobody can tell whether the model "
        "in production is the one that was approved.",
        fix="Seed all chance, sort what comes out of sets and folders, and keep clocks, paths and "
        "host names out of the artefact.",
        example="lineage = trace(train_csv, seed=SEED)  # no datetime.now(), no getcwd()",
        source="Google, The ML Test Score, Infra 1 (training is reproducible); "
        "reproducible-builds.org, Definition",
        weight=3,
        requires="training",
    ),
    lambda observed: observed.training,
)
def artefact_is_reproducible(_: Evidence, run: TrainingRun) -> Judgement:
    """Hold the artefacts of two trainings against each other, byte for byte."""
    if run.problem:
        return Judgement(share=0.0, message=f"There are no two artefacts: {run.problem}")
    return yes_or_no(
        run.same,
        "Two trainings on the same data leave the same file.",
        "Two trainings on the same data leave files that differ.",
    )


@seen_rule(
    Check(
        code="LINE004",
        family="lineage",
        title="The report names the data that the model was trained on",
        why="A figure means something only for a known model, and a model is known by its data: a "
        "digest settles what a file's name and date leave open.",
        fix="Keep the SHA-256 of each training file with the artefact, and hand it on to the "
        "metrics report as lineage.data, by the file's name.",
        example='"lineage": {"package_version": "1.2.0",\n'
        '            "data": {"train.csv": "9f86d081884c7d65…"}}',
        source="Gebru et al. 2021, Datasheets for Datasets; in-toto, Attestation: materials",
        weight=1,
        requires="report",
    ),
    lambda observed: observed.report,
)
def report_names_its_data(_: Evidence, run: ReportRun) -> Judgement:
    """Hold the digests that the report gives against the challenge's own files."""
    if not run.asked:
        return not_verifiable("The challenge has no public case to report on.")
    if run.problem:
        return Judgement(share=0.0, message=f"There is no report to read: {run.problem}")
    return yes_or_no(
        not run.untraced,
        "The report gives the digest of each training file.",
        f"The report lacks the SHA-256 of {listing(run.untraced)}.",
    )


def _code(module: Module) -> str:
    """Give a module's text without its comments."""
    return re.sub(r"(?m)^\s*#.*$|\s#\s.*$", "", module.text)
