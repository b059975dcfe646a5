"""Run the benchmarks: ``python -m tools.bench`` all of them, ``python -m tools.bench pledges 1000`` one with sizes."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "benchmarks"


def main() -> int:
    known = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    names, arguments = (sys.argv[1:2], sys.argv[2:]) if sys.argv[1:] else (known, [])
    if unknown := set(names) - set(known):
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    for name in names:
        print(f"== {name}", flush=True)
        # Each in a process of its own: what one leaves in memory is not the next one's.
        code = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
