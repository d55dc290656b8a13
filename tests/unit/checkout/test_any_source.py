"""Whatever comes in: a tree, or one error and nothing left."""

from __future__ import annotations

import gc
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checkout import check_out
from grader.errors import SourceError

from .conftest import commit, git, tarred, write, zipped

Pack = Callable[[Path], Path]

PARTS = st.sampled_from(["a", "b", "src", "Straße", "naïve", "x.py", "data.csv", "ünï"])
FILES = st.dictionaries(
    st.lists(PARTS, min_size=1, max_size=3).map("/".join), st.binary(max_size=40), max_size=5
)


def clash(names: set[str]) -> bool:
    """Say whether one name would have to be a file and a folder."""
    return any(other.startswith(f"{name}/") for name in names for other in names)


@settings(max_examples=15, deadline=None)
@given(files=FILES.filter(lambda files: not clash(set(files))))
def test_every_way_in_gives_same_tree(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    here = tmp_path_factory.mktemp("same")
    files = {**files, "pyproject.toml": b"[project]\n"}
    folder = write(here / "repository", files)
    zipped(here / "a.zip", files)
    tarred(here / "a.tgz", files)
    shutil.copytree(folder, here / "plain")
    git(folder, "init", "--quiet")
    commit(folder)
    sources = ("repository", "a.zip", "a.tgz", "plain")
    digests = {check_out(str(here / name), here / f"{name}-out").tree_digest for name in sources}
    assert len(digests) == 1


def survives(source: Path, destination: Path) -> bool:
    """Check a source out; whatever is raised but the one kind of error, is a bug."""
    try:
        check_out(str(source), destination)
    except SourceError:
        return not destination.exists()
    return (destination / "tree").is_dir()


@settings(max_examples=60, deadline=None)
@given(
    pack=st.sampled_from(["a.zip", "a.tar", "a.tar.gz", "a.tar.xz", "a.tar.bz2"]),
    place=st.floats(0, 1, exclude_max=True),
    junk=st.binary(min_size=1, max_size=8),
)
def test_damaged_archive_is_tree_or_error(
    tmp_path_factory: pytest.TempPathFactory, pack: str, place: float, junk: bytes
) -> None:
    here = tmp_path_factory.mktemp("damaged")
    mode = f"w:{pack.removeprefix('a.tar').removeprefix('.')}"
    path = zipped(here / pack) if pack == "a.zip" else tarred(here / pack, mode=mode)
    content = bytearray(path.read_bytes())
    at = int(place * len(content))
    content[at : at + len(junk)] = junk
    path.write_bytes(content)
    assert survives(path, here / "out")


@pytest.fixture(scope="module", params=["loose", "packed"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write(tmp_path_factory.mktemp("original") / "repository")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder)
    lines = b"".join(b"RATE_%d = %d\n" % (number, number) for number in range(200))
    for number in range(3):
        write(folder, {"src/port/model.py": lines + b"# %d\n" % number})
        commit(folder, f"Change {number}")
    if request.param == "packed":
        git(folder, "gc", "--quiet")
    return folder


@pytest.fixture(autouse=True)
def leftovers() -> Iterator[None]:
    """Collect what Dulwich leaves open of a pack that it could not read, before the next test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


# Dulwich leaves a pack open that it could not read to the end.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=60, deadline=None)
@given(
    data=st.data(), place=st.floats(0, 1, exclude_max=True), junk=st.binary(min_size=1, max_size=8)
)
def test_damaged_repository_is_tree_or_error(
    tmp_path_factory: pytest.TempPathFactory,
    original: Path,
    data: st.DataObject,
    place: float,
    junk: bytes,
) -> None:
    here = tmp_path_factory.mktemp("damaged")
    shutil.copytree(original, here / "repository")
    inside = here / "repository" / ".git"
    files = sorted(p for p in inside.rglob("*") if p.is_file() and p.parent.name != "hooks")
    path = data.draw(st.sampled_from([file.relative_to(inside) for file in files]))
    content = bytearray((inside / path).read_bytes())
    at = int(place * len(content))
    content[at : at + len(junk)] = junk
    (inside / path).chmod(0o644)
    (inside / path).write_bytes(content)
    assert survives(here / "repository", here / "out")
