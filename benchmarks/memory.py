"""Run as a process of its own: the memory it has before looking at everybody, and the most it had after, in KB."""

import resource
import sys
from pathlib import Path

from benchmarks.everybody import look_at_all
from integrations.practice import open_practice

STATUS = Path("/proc/self/status")


def main() -> None:
    """Print both."""
    with open_practice(Path(sys.argv[1])) as practice:
        idle = memory("VmRSS:")
        look_at_all(practice)
        print(idle, memory("VmHWM:"))


def memory(field: str) -> int:
    """What the kernel says of this process; where there is no /proc, the peak so far."""
    if not STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    line = next(line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(field))
    return int(line.split()[1])


if __name__ == "__main__":
    main()
