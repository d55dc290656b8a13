"""The repository: how the work came to be, and what is kept in it."""

from __future__ import annotations

import re

from grader.model import Check, Commit, Where
from grader.standards.evidence import Evidence
from grader.standards.project import Project, is_test, notebook_code_lines
from grader.standards.rubric import Judgement, rule, yes_or_no
from grader.standards.scales import Scale
from grader.standards.wording import count, listing

LEAST_COMMITS = 3
MOST_IN_ONE_COMMIT = 0.9
LEAST_SUBJECT_WORDS = 3
MOST_FILE_BYTES = 1_000_000
MOST_FIXTURE_BYTES = 200_000

_HOLLOW = re.compile(
    r"(updates?|updated|fix(ed|es)?|wip|tests?|add(ed)?|changes?|commit|(first|initial) commit"
    r"|init|minor|misc|cleanup|tmp|final|done|save|upload|add files via upload"
    r"|(create|update|delete|rename) [\w./-]+)[.! ]*",
    re.IGNORECASE,
)
_LITTER = re.compile(
    r"(^|/)(__pycache__|\.ipynb_checkpoints|mlruns|\.venv|venv|node_modules|catboost_info"
    r"|\.mypy_cache|\.ruff_cache|\.pytest_cache)/|(^|/)(\.DS_Store|Thumbs\.db|\.env|\.coverage"
    r"|\.RData|\.Rhistory)$|\.(pyc|egg-info)(/|$)",
    re.IGNORECASE,
)
_DATA = re.compile(
    r"\.(csv|tsv|parquet|feather|xlsx?|sas7bdat|xpt|rds|rdata|db|sqlite3?|h5|hdf5|npy|npz|dta|sav"
    r"|arrow|jsonl)(\.gz)?$",
    re.IGNORECASE,
)
_BINARY = re.compile(
    r"\.(pkl|pickle|joblib|dill|onnx|pt|pth|skops|zip|gz|tgz|bz2|xz|7z|rar|tar|whl|exe|dll|so|jar)$",
    re.IGNORECASE,
)


def _code_commits(evidence: Evidence) -> list[Commit]:
    """Give the commits that added text and joined nothing."""
    commits = evidence.history.commits if evidence.history else ()
    return [commit for commit in commits if commit.lines > 0 and commit.parents <= 1]


@rule(
    Check(
        code="REPO001",
        family="repository",
        title="The history grew in steps",
        why="A history of steps lets a reviewer follow how the port came to be, and find the step "
        "that broke a figure. A single upload shows neither, nor who did what.",
        fix="Commit each step of the port on its own: reading, features, model, scoring, tests. At "
        f"least {LEAST_COMMITS} commits add text, and none holds more than "
        f"{MOST_IN_ONE_COMMIT:.0%} of the lines that people write; what the starter kit and the "
        "challenge gave does not count. "
        "Grade the repository itself, with its history, not an archive of its files.",
        example="git log --oneline\n"
        "9f2c1ab Score batches with the fitted pipeline\n"
        "51d0e77 Port the severity model with its offset\n"
        "c03b9fe Read and validate the exposure table",
        source="Google Engineering Practices, Small CLs; OpenSSF Scorecard, Code-Review and "
        "Maintained",
        weight=3,
        requires="history",
    )
)
def grew_in_steps(evidence: Evidence) -> Judgement:
    """Ask for three commits that add text, of which none holds nine tenths of it."""
    if evidence.history is None:
        return Judgement(share=0.0, message="The source has no history: it is no repository.")
    commits = _code_commits(evidence)
    total = sum(commit.lines for commit in commits)
    if not total:
        return Judgement(share=0.0, message="No commit adds any text.")
    largest = max(commit.lines for commit in commits) / total
    message = (
        f"{count(len(commits), 'commit')} add text, and the largest holds {largest:.0%} of the "
        f"lines; {LEAST_COMMITS} are asked for, and at most {MOST_IN_ONE_COMMIT:.0%}."
    )
    enough = len(commits) >= LEAST_COMMITS and largest <= MOST_IN_ONE_COMMIT
    return yes_or_no(enough, message, message)


_SUBJECTS = Scale(
    measure="share of subjects that say what changed, less for repeated ones",
    none=0.0,
    full=0.8,
    reason="One subject in five may be a merge or a slip.",
)


@rule(
    Check(
        code="REPO002",
        family="repository",
        title="Commit subjects say what changed",
        why="The subject line is what blame, bisect and release notes show. `update` tells the "
        "next maintainer nothing.",
        fix="Write a subject of at least three words, in the imperative, that names the change.",
        example="Port the releveled region factor\n\nnot: update",
        source="Pro Git, chapter 5.2, Commit Guidelines",
        weight=1,
        requires="history",
    ),
    scales=(_SUBJECTS,),
)
def subjects_say_something(evidence: Evidence) -> Judgement:
    """Count the subjects that carry meaning, of commits that add text; repetition counts less."""
    commits = _code_commits(evidence)
    if not commits:
        return Judgement(share=0.0, message="There are no commits to read.")
    subjects = [commit.subject.strip() for commit in commits]
    hollow = [s for s in subjects if len(s.split()) < LEAST_SUBJECT_WORDS or _HOLLOW.fullmatch(s)]
    distinct = min(1.0, len(set(subjects)) / len(subjects) + 0.2)
    good = 1 - len(hollow) / len(subjects)
    message = f"{len(subjects) - len(hollow)} of {len(subjects)} subjects say what changed."
    return Judgement(share=_SUBJECTS.share(good * distinct), message=message)


_DUMPS = Scale(
    measure="files that should not be tracked",
    none=2,
    full=0,
    reason="One is a slip; two are a habit.",
)


@rule(
    Check(
        code="REPO003",
        family="repository",
        title="No data dumps, binaries or litter are tracked",
        why="Data in a repository cannot be taken back, goes stale unseen, and may be personal. "
        "Answers in it are no port. A model file must come out of training, not out of git.",
        fix="Remove the file with `git rm --cached`, extend .gitignore, and read data from the "
        "path given on the command line. Small fixtures belong under tests/.",
        example="git rm --cached predictions.csv model.joblib\n"
        "printf '*.joblib\\n*.csv\\n!tests/**/*.csv\\n' >> .gitignore",
        source="Cookiecutter Data Science, Opinions (data is immutable and not in source control); "
        "OpenSSF Scorecard, Binary-Artifacts",
        weight=3,
    ),
    scales=(_DUMPS,),
)
def no_dumps(evidence: Evidence) -> Judgement:
    """Look for litter, models, archives, data and oversized files; small test fixtures pass."""
    project = evidence.project
    bad = [path for path in project.files if _is_dump(project, path)]
    if not bad:
        return Judgement(share=1.0, message="No data, binaries or litter are tracked.")
    return Judgement(
        share=_DUMPS.share(len(bad)),
        message=f"{count(len(bad), 'file')} should not be tracked: {listing(bad)}.",
        where=Where(path=bad[0]),
    )


def _is_dump(project: Project, path: str) -> bool:
    size = project.sizes[path]
    if size > MOST_FILE_BYTES or _LITTER.search(path):
        return True
    fixture = is_test(path) and size <= MOST_FIXTURE_BYTES
    return bool(_DATA.search(path) or _BINARY.search(path)) and not fixture


@rule(
    Check(
        code="REPO004",
        family="repository",
        title="An ignore file keeps litter out",
        why="Without one, caches, environments and data land in a commit sooner or later.",
        fix="Add a .gitignore that names Python's caches and the virtual environment.",
        example="__pycache__/\n*.py[cod]\n.venv/\n.coverage\ndist/",
        source="github/gitignore, Python.gitignore",
        weight=1,
    )
)
def ignores_litter(evidence: Evidence) -> Judgement:
    """Look in .gitignore for Python's caches and an environment."""
    text = evidence.project.text(".gitignore")
    caches = re.search(r"__pycache__|\*\.py\[?c|\*\.pyc", text)
    environments = re.search(r"^/?\.?(v?env)\b|virtualenv|\.env", text, re.MULTILINE)
    share = (bool(caches) + bool(environments)) / 2
    missing = [
        name
        for name, there in (("Python's caches", caches), ("the virtual environment", environments))
        if not there
    ]
    if not missing:
        return Judgement(share=1.0, message=".gitignore names caches and environments.")
    message = f".gitignore does not name {' and '.join(missing)}."
    return Judgement(share=share, message=message, where=Where(path=".gitignore"))


@rule(
    Check(
        code="REPO005",
        family="repository",
        title="Somebody owns it",
        why="A model in production needs a person or a team to call when its figures move.",
        fix="Name the owners: a CODEOWNERS file, `authors` or `maintainers` in pyproject.toml, or "
        "a line `Owner:` in the README.",
        example='[project]\nmaintainers = [{ name = "Pricing Analytics", email = "pricing@…" }]',
        source="GitHub Docs, About code owners; Mitchell et al. 2019, Model Cards (model details)",
        weight=1,
    )
)
def has_owner(evidence: Evidence) -> Judgement:
    """Look for an owner in any of the usual places."""
    project = evidence.project
    people = project.metadata.get("authors") or project.metadata.get("maintainers")
    files = project.matching(r"(^|/)(codeowners|maintainers|authors)(\.\w+)?$")
    told = any(
        re.search(
            r"\b(owners?|maintain(ed|ers?)|contact)\b\W+\w", project.text(path), re.IGNORECASE
        )
        for path in (project.readme, *project.matching(r"model[-_ ]?card"))
    )
    return yes_or_no(people or files or told, "An owner is named.", "No owner is named anywhere.")


_IN_MODULES = Scale(
    measure="share of the lines of code that are in modules",
    none=0.0,
    full=0.8,
    reason="A notebook to look at results is welcome; the work is in modules.",
)


@rule(
    Check(
        code="REPO006",
        family="repository",
        title="The code is in modules, not in notebooks",
        why="A notebook hides the order in which its cells ran, and cannot be imported, tested, "
        "reviewed line by line or deployed.",
        fix="Move the code of the notebook into functions of the package and import them there; "
        "keep notebooks for exploration.",
        example="from tariff.features import add_exposure  # in the notebook, not the other way",
        source="Cookiecutter Data Science, Notebooks are for exploration; Pimentel et al. 2019, "
        "A large-scale study about quality and reproducibility of Jupyter notebooks",
        weight=1,
    ),
    needs_source=True,
    scales=(_IN_MODULES,),
)
def modules_not_notebooks(evidence: Evidence) -> Judgement:
    """Weigh lines of code in notebooks against those in modules; four fifths are enough."""
    project = evidence.project
    notebooks = project.matching(r"\.ipynb$")
    lines = sum(notebook_code_lines(project.text(path)) for path in notebooks)
    share = project.code_lines / (project.code_lines + lines)
    message = f"{share:.0%} of the lines of code are in modules."
    where = Where(path=notebooks[0]) if notebooks else None
    return Judgement(share=_IN_MODULES.share(share), message=message, where=where)


@rule(
    Check(
        code="REPO007",
        family="repository",
        title="Versions are tagged",
        why="A score that is questioned was given by some version. Without a tag nobody knows "
        "which commit that was, and nobody can go back to it.",
        fix="Tag the commit of each version that is handed over, and push the tag with it or "
        "before it: a commit is graded as it was pushed.",
        example="git tag -a v0.2.0 -m 'Premiums of the open-ended age band'\n"
        "git push --follow-tags drydock HEAD:main",
        source="Pro Git, chapter 2.6, Tagging; Semantic Versioning 2.0.0",
        weight=1,
        requires="history",
    )
)
def versions_are_tagged(evidence: Evidence) -> Judgement:
    """Ask for a tag with a figure in it, which is what names of versions have."""
    tags = evidence.history.tags if evidence.history else ()
    versions = sorted(tag for tag in tags if re.search(r"\d", tag))
    if versions:
        return Judgement(share=1.0, message=f"Tagged: {listing(versions)}.")
    return Judgement(share=0.0, message="No version is tagged.")


_HANDS = Scale(
    measure="authors of commits that add text",
    none=0,
    full=2,
    reason="Two people who know the port are the least that a company needs; one is half of that.",
)


@rule(
    Check(
        code="REPO008",
        family="repository",
        title="More than one person knows it",
        why="A model that one person ported, alone, is again a model on somebody's laptop the day "
        "that person leaves.",
        fix="Let two people commit, each under their own name: take turns, or review and amend.",
        example="git shortlog --summary --numbered",
        source="OpenSSF Scorecard, Contributors; Avelino et al. 2016, A Novel Approach for "
        "Estimating Truck Factors",
        weight=1,
        requires="history",
    ),
    scales=(_HANDS,),
)
def several_hands(evidence: Evidence) -> Judgement:
    """Count the authors of commits that add text."""
    authors = {commit.author for commit in _code_commits(evidence)} if evidence.history else set()
    message = f"{count(len(authors), 'author')} of commits that add text."
    return Judgement(share=_HANDS.share(len(authors)), message=message)
