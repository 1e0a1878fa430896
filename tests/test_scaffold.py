"""The house itself: lock and pins, layers, make's plain sentences, the honest list of what did not run."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zoneinfo
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.needs import need

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
PRODUCT = ("models", "integrations", "flows", "tending")
OUTSIDE = {"tests", "deploy", "docs"}


def locked() -> dict[str, tuple[str, str | None, int]]:
    """Package -> version, marker, number of hashes."""
    found = {}
    for entry in re.split(r"\n(?=\S)", LOCK.strip()):
        head, *hashes = (part.strip().rstrip("\\").strip() for part in entry.split("\n"))
        requirement = Requirement(head)
        version = str(requirement.specifier).removeprefix("==")
        marker = str(requirement.marker) if requirement.marker else None
        found[canonicalize_name(requirement.name)] = (
            version,
            marker,
            sum(h.startswith("--hash=sha256:") for h in hashes),
        )
    return found


def direct() -> list[Requirement]:
    return [Requirement(r) for r in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]]


# ---------------------------------------------------------------- the lock


def test_the_lock_names_every_direct_dependency_within_its_bounds():
    versions = {name: version for name, (version, _, _) in locked().items()}
    for requirement in direct():
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


def test_every_locked_package_has_hashes():
    assert len(locked()) > 100
    assert [name for name, (version, _, hashes) in locked().items() if not version or not hashes] == []


def test_the_lock_names_no_place_to_fetch_from():
    assert "://" not in LOCK
    assert [line for line in LOCK.splitlines() if re.match(r"\s*-(?!-hash=)", line)] == []


def test_the_environment_is_the_locked_one():
    wanted = {n: v for n, (v, marker, _) in locked().items() if marker is None or Marker(marker).evaluate()}
    here = {n: importlib.metadata.version(n) for n in wanted}
    assert here == wanted, "requirements.lock changed: run make venv"


def test_nothing_that_is_installed_lacks_what_it_needs():
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_there_is_one_lock_and_no_setting_of_one_machine():
    names = {path.name for path in ROOT.iterdir()}
    assert not names & {
        "uv.lock",
        "uv.toml",
        "pip.conf",
        "poetry.lock",
        "Pipfile.lock",
        "setup.cfg",
        "requirements.txt",
    }


def imported(package: str) -> set[str]:
    """Top-level names that a package of ours imports, wherever in a file."""
    names = set()
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names)


def test_what_the_product_imports_is_a_direct_dependency():
    declared = {canonicalize_name(Requirement(r).name) for r in PROJECT["project"]["dependencies"]}
    distributions = importlib.metadata.packages_distributions()
    undeclared = {
        name
        for package in PRODUCT
        for name in imported(package) - set(PRODUCT)
        if not {canonicalize_name(d) for d in distributions.get(name, [])} & declared
    }
    assert undeclared == set()


# ---------------------------------------------------------------- layers


def test_every_top_level_folder_of_python_is_a_layer_or_named_as_outside():
    (layers,) = (c["layers"] for c in PROJECT["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    folders = {path.parent.name for path in ROOT.glob("[!.]*/*.py")}
    assert folders - OUTSIDE == set(layers)
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PRODUCT)


def test_nothing_that_may_stand_alone_on_the_path_is_named_like_a_standard_module():
    modules = {path.stem for place in (ROOT, ROOT / "flows") for path in place.glob("*.py")} | set(PRODUCT)
    assert modules & set(sys.stdlib_module_names) == set()


def test_zone_data_come_from_the_locked_package():
    assert zoneinfo.TZPATH == ()
    assert zoneinfo.ZoneInfo("Europe/Berlin").key == "Europe/Berlin"


# ---------------------------------------------------------------- what the documents promise


def test_the_changelog_has_an_unreleased_section():
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text()


def test_decisions_are_numbered_once_and_say_what_was_decided():
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [record.name[:4] for record in records]
    assert numbers == sorted(set(numbers))
    assert all(re.match(rf"# {int(record.name[:4])}\. \S", record.read_text()) for record in records)


def test_ci_runs_the_command_that_users_are_told():
    script = (ROOT / ".ci" / "run").read_text()
    assert "\nmake test FULL=1" in script
    assert "export TENDING_REQUIRE=all" in script
    assert "set -euo pipefail" in script


# ---------------------------------------------------------------- make


def make(folder: Path, *words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        need("make", "its targets are tried", "apt-get install make")
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    environment = {"PATH": path or os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(["make", *words], cwd=folder, env=environment, capture_output=True, text=True)


def test_make_alone_lists_what_it_can_do(tmp_path):
    done = make(tmp_path)
    assert done.returncode == 0, done.stderr
    for target in ("demo", "test", "check", "fix", "lock", "bench", "clean"):
        assert re.search(rf"^  make {target} +\S", done.stdout, re.MULTILINE)
    assert not (tmp_path / ".venv").exists()


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What make's user reads: all but make's own last line."""
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize("target", ["venv", "test", "demo", "lock"])
def test_no_fitting_python_is_one_plain_sentence(tmp_path, target):
    said = sentence(make(tmp_path, target, "PYTHON=/nowhere/python3"))
    assert said.startswith("Tending needs Python 3.11, 3.12 or 3.13 and found none at /nowhere/python3: install one")


def test_a_name_that_fails_when_called_is_passed_over_and_a_missing_venv_module_is_one_plain_sentence(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("python3.13", "python3.12", "python3"):
        (tools / name).write_text("#!/bin/sh\necho not this one >&2; exit 127\n")
    (tools / "python3.11").write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    for name in ("sh", "cat", "rm", "make", "grep", "mktemp"):
        (tools / name).symlink_to(shutil.which(name))
    said = sentence(make(tmp_path, "venv", path=str(tools)))
    assert said.startswith("python3.11 cannot make virtual environments: install its venv module")
    assert "apt-get install python3-venv" in said


# A Python whose environments hold a pip that reaches nothing.
PYTHON_WITHOUT_INDEX = r"""#!/bin/sh
if [ "$1" = --version ]; then echo Python 3.13.9; fi
if [ "$2" = venv ]; then
    mkdir -p .venv/bin && printf '#!/bin/sh\necho no route >&2; exit 1\n' > .venv/bin/pip && chmod +x .venv/bin/pip
fi
"""


def test_packages_that_cannot_be_had_are_said_plainly_and_tried_again_next_time(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "python3.13").write_text(PYTHON_WITHOUT_INDEX)
    (tools / "python3.13").chmod(0o755)
    done = make(tmp_path, "venv", path=f"{tools}:{os.environ['PATH']}")
    assert done.returncode != 0
    assert "no route" in done.stderr
    assert "The packages could not be installed" in done.stderr
    assert not (tmp_path / ".venv" / ".packages").exists()


# ---------------------------------------------------------------- skips are named, or fail

SKIPPING = """
import pytest
from tests.needs import need

def test_one():
    need("a harp", "music is tried", "apt-get install harp")

def test_two():
    need("a harp", "music is tried", "apt-get install harp")

def test_three():
    pass

@pytest.mark.long
def test_four():
    pass
"""


def run_skipping(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    file = folder / "test_skipping.py"
    file.write_text(SKIPPING)
    settings = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), "-p", "tests.conftest", "-m", "not long"]
    environment = {k: v for k, v in os.environ.items() if k != "TENDING_REQUIRE"} | more
    command = [sys.executable, "-m", "pytest", *settings, str(file)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_what_did_not_run_is_named_once_with_the_command_that_enables_it(tmp_path):
    done = run_skipping(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "Not run here:" in done.stdout
    assert "    2  needs a harp (music is tried); to enable: apt-get install harp\n" in done.stdout
    assert "    1  long tests; to enable: make test FULL=1\n" in done.stdout
    assert re.search(r"1 passed, 2 skipped, 1 deselected in ", done.stdout.splitlines()[-1])


def test_where_everything_is_required_a_skip_is_a_failure(tmp_path):
    done = run_skipping(tmp_path, TENDING_REQUIRE="all")
    assert done.returncode == 1, done.stdout
    assert "TENDING_REQUIRE=all allows no skip: needs a harp" in done.stdout
    assert re.search(r"2 failed, 1 passed, 1 deselected in ", done.stdout.splitlines()[-1])


def test_the_console_script_is_installed():
    assert (Path(sysconfig.get_path("scripts")) / "tending").exists()
