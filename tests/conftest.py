"""The surroundings of every test: locked zone data, nobody's own settings, and an honest list of what did not run."""

import atexit
import gc
import os
import shutil
import signal
import sys
import tempfile
import threading
import zoneinfo
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

# Before anything of the product or of Prefect is imported: both read their environment at import.
KEPT = {"TENDING_REQUIRE", "TENDING_CORPUS", "TENDING_TEST_POSTGRES"}
for name in [n for n in os.environ if n.startswith(("TENDING_", "PREFECT_")) and n not in KEPT]:
    del os.environ[name]
PREFECT_HOME = tempfile.mkdtemp(prefix="tending-prefect-home-")
atexit.register(shutil.rmtree, PREFECT_HOME, ignore_errors=True)
os.environ.update(
    PYTHONTZPATH="",  # zone data come from the locked tzdata package, the same on every machine
    DO_NOT_TRACK="1",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    PREFECT_SERVER_EPHEMERAL_ENABLED="false",  # a forgotten server address fails at once instead of starting one
    PREFECT_HOME=PREFECT_HOME,
)
zoneinfo.reset_tzpath([])
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell that runs us in the background has us ignore Ctrl-C, and each process that a test starts would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

import hypothesis  # noqa: E402 - the environment above comes first
import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
# No test here is about time: a machine that has other work to do is no reason to fail.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")
pytest_plugins = ["tests.postgres", "tests.prefect_server", "tests.clinics"]


@pytest.fixture(autouse=True)
def no_events_for_a_server_that_is_gone() -> Iterator[None]:
    """Prefect's sender of events stays with the server that it met first, though the next test may have another one: each ends with its
    test, whatever order tests come in."""
    yield
    worker = sys.modules.get("prefect.events.worker")
    if worker is not None:
        # In a thread of its own: beside a running loop (a driven browser keeps one) it would answer with a coroutine and not wait.
        draining = threading.Thread(target=worker.EventsWorker.drain_all, kwargs={"timeout": 10})
        draining.start()
        draining.join()


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of calendars, mails and record rows that nobody here wrote; see TENDING_CORPUS."""
    from tests.needs import need

    folder = Path(os.environ.get("TENDING_CORPUS") or ROOT.parent / "shared" / "corpus")
    if not folder.is_dir():
        need("the corpus", "files from the wild run through intake", "TENDING_CORPUS=/path/to/corpus make test")
    return folder


# ---------------------------------------------------------------- what runs when
STORE = ("integrations/store", "test_databases.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The store itself runs on both databases every time; what stands on it runs on PostgreSQL too with the long tests."""
    store = [ROOT / "tests" / name for name in STORE]
    for item in items:
        variant = getattr(getattr(item, "callspec", None), "id", "")
        if "postgres" in variant and not any(item.path.is_relative_to(part) for part in store):
            item.add_marker(pytest.mark.long)


def pytest_collection_finish() -> None:
    """The thousands of tests themselves stay to the end: no search for garbage has to go through them again and again."""
    gc.collect()
    gc.freeze()


# ---------------------------------------------------------------- what could not run is named, or fails


def _everything_required() -> bool:
    return os.environ.get("TENDING_REQUIRE", "") == "all"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The words given to skip, without pytest's own prefix."""
    where = report.longrepr
    text = str(where[2]) if isinstance(where, tuple) else str(where)
    return text.removeprefix("Skipped: ")


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if _everything_required() and report.skipped and not hasattr(report, "wasxfail"):
        report.longrepr = f"TENDING_REQUIRE=all allows no skip: {_reason(report)}"
        report.outcome = "failed"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where everything is required."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself as a whole."""
    report = yield
    _refuse_skip(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name each distinct reason for which something did not run, with the command that enables it."""
    reasons = Counter(_reason(r) for r in terminalreporter.stats.get("skipped", []))
    left_out = len(terminalreporter.stats.get("deselected", []))
    chosen = terminalreporter.config.getoption("markexpr")
    if not reasons and not (left_out and chosen == "not long"):
        return
    terminalreporter.section("Not run here:", sep="-")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count:5d}  {reason}")
    if left_out and chosen == "not long":
        terminalreporter.write_line(f"{left_out:5d}  long tests; to enable: make test FULL=1")
