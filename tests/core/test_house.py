"""The house keeps its own rules: who may know whom, what its files may say, and that its locks agree."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOUSE = Path(__file__).parents[2]

OURS = {".py", ".toml", ".md", ".js", ".css", ".html", ".ini", ".in", ".cfg", ".sh", ".svg", ""}
NOT_OURS = {"vendor", "build", "dist"}


def files() -> list[Path]:
    """Every text file of ours: nothing that was vendored, locked, or made on the way."""
    found = []
    for folder, inside, names in os.walk(HOUSE):
        inside[:] = [
            name
            for name in inside
            if name not in NOT_OURS
            and (not name.startswith(".") or name == ".ci")
            and not name.startswith(("__", "demo-data"))
            and not name.endswith(".egg-info")
        ]
        found += [Path(folder, name) for name in names if Path(name).suffix in OURS]
    return [path for path in found if path.name not in {"LICENSE", ".git", ".coverage"}]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_walk_finds_the_house() -> None:
    names = {path.relative_to(HOUSE).as_posix() for path in files()}
    assert {"README.md", "Makefile", ".ci/run", "monitor/model.py", "tests/core/test_house.py"} <= names


def test_every_arrow_goes_down() -> None:
    """The floors, and what the pure middle may not know, as pyproject.toml draws them."""
    # The import graph is made from this checkout, whatever is installed.
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=HOUSE,
        env={**os.environ, "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", done.stdout), done.stdout


# The patterns are written so that this file does not match itself.
FOREIGN = {
    "a path of one machine": r"(?<![\w.*>)}\]-])/(?:wor[k]|roo[t]|hom[e])/\w",
    "the host of a package registry": r"pyp[i]\.org|pythonhoste[d]|npmj[s]\.(?:org|com)|deb\.debia[n]\.org",
    "a note of something left over": r"\b(?:TOD[O]|FIXM[E]|XX[X])\b",
    "a test that is not run": r"pytest\.ski[p]|skipi[f]|xfai[l]|importorski[p]",
    "a stand-in for our own code": r"unittest\.moc[k]|MagicMoc[k]|AsyncMoc[k]",
    "a wait for the time to pass": r"\btime\.slee[p]\(",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_of_ours_holds(what: str) -> None:
    pattern = re.compile(FOREIGN[what])
    held = [
        f"{path.relative_to(HOUSE)}:{number}: {line.strip()}"
        for path in files()
        if "benchmarks" not in path.parts  # who measures may wait, and name what it measures against
        for number, line in enumerate(text(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert held == []


def test_the_patterns_find_what_they_look_for() -> None:
    samples = {  # each with a ~ that keeps this file out of its own net
        "a path of one machine": "see /ho~me/anna/notes",
        "the host of a package registry": "https://pypi~.org/simple",
        "a note of something left over": "# TO~DO: later",
        "a test that is not run": "@pytest.mark.skip~if(x)",
        "a stand-in for our own code": "Magic~Mock()",
        "a wait for the time to pass": "time.~sleep(1)",
    }
    samples = {what: sample.replace("~", "") for what, sample in samples.items()}
    assert set(samples) == set(FOREIGN)
    assert [what for what, sample in samples.items() if not re.search(FOREIGN[what], sample)] == []


def test_every_module_begins_with_a_sentence() -> None:
    python = [path for path in files() if path.suffix == ".py"]
    assert [str(path.relative_to(HOUSE)) for path in python if not re.match(r'r?"""\S', text(path))] == []


# The locks.


def locked(name: str) -> dict[str, str]:
    """What a lock file names, and at which version."""
    found = re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", text(HOUSE / name), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in found}


def test_the_lock_for_developing_holds_the_one_for_running() -> None:
    run, develop = locked("requirements.lock"), locked("requirements-dev.lock")
    assert len(run) > 50
    assert run.items() <= develop.items()
    assert "pytest" in develop
    assert "pytest" not in run


EXTRAS = ("postgres", "demo", "fhir", "hl7", "report", "sparkplug")


@pytest.mark.parametrize(
    ("lock", "extras"),
    [("requirements.lock", EXTRAS), ("requirements-dev.lock", (*EXTRAS, "dev"))],
)
def test_a_lock_holds_every_dependency_at_a_version_that_is_allowed(
    lock: str, extras: tuple[str, ...]
) -> None:
    project = tomllib.loads(text(HOUSE / "pyproject.toml"))["project"]
    wanted = [
        *project["dependencies"],
        *(w for extra in extras for w in project["optional-dependencies"][extra]),
    ]
    wanted += [line for line in text(HOUSE / "scripts/build.in").splitlines() if not line.startswith("#")]
    held = locked(lock)
    for requirement in map(Requirement, wanted):
        version = held.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in {lock}: make lock"
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{requirement}, but {version}: make lock"
        )


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_t24_every_locked_package_has_its_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", text(HOUSE / lock))
    named = [entry for entry in entries if re.match(r"[a-z0-9._-]+(\[[^\]]*\])?==", entry)]
    assert len(named) == text(HOUSE / lock).count("==") - text(HOUSE / lock).count(" == '")
    assert [entry.splitlines()[0] for entry in named if "--hash=sha256:" not in entry] == []


# What the README promises.


def test_the_readme_names_commands_that_exist() -> None:
    makefile = text(HOUSE / "Makefile")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text(HOUSE / "README.md"), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_the_documents_link_to_files_that_exist() -> None:
    lost = [
        f"{page.relative_to(HOUSE)}: {link}"
        for page in files()
        if page.suffix == ".md"
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text(page))
        if "://" not in link and not link.startswith("mailto:") and not (page.parent / link).exists()
    ]
    assert lost == []


@pytest.mark.shows("ALM-004")
def test_the_disclaimer_stands_in_the_readme_in_full() -> None:
    # alarms.md 11: on the sign-in, every screen and each export too; their own tests see to that.
    words = (
        "Not a medical device. Secondary display for evaluation. Never the only means of watching a patient."
    )
    assert words in " ".join(text(HOUSE / "README.md").split())
