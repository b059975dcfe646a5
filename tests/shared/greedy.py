"""A program that wants too much: `python -m tests.shared.greedy WHAT`."""

import json
import os
import sys
import tempfile
import time

from shared.confined import confine


def main(what: str) -> None:
    confine(256 * 1024 * 1024, 1)
    match what:
        case "memory":
            bytearray(1024 * 1024 * 1024)
        case "time":
            while True:
                pass
        case "disk":
            with tempfile.TemporaryFile() as file:
                file.write(b"x" * 100_000)
        case "patience":
            print(os.getpid(), flush=True)
            time.sleep(60)
        case "environment":
            print(json.dumps(dict(os.environ)))


if __name__ == "__main__":
    main(sys.argv[1])
