"""One measurement in this process: `python -m peers PEER list|prepare|measure [WORKLOAD CONFIG THREADS]`."""

import importlib
import importlib.util
import json
import sys

from . import sampling


def main():
    peer, action, *rest = sys.argv[1:]
    side = importlib.import_module(f".{peer}_side", __package__)
    if action == "list":
        # What is there, without taking the time to import it.
        found = all(importlib.util.find_spec(name) for name in side.PACKAGES)
        bound = getattr(side, "IS_BOUND_TO_CORES", False)
        return print(json.dumps({"configs": side.CONFIGS if found else {}, "bound": bound}))
    if action == "prepare":
        if hasattr(side, "prepare") and not side.is_prepared(rest[0]):
            side.prepare(rest[0])
        return None
    workload, config, threads = rest[0], rest[1], int(rest[2])
    command = side.command(workload, threads)
    if command:
        result = sampling.summary(*sampling.processes([sys.executable] + command))
    else:
        result = sampling.summary(*sampling.calls(*side.make(workload, config, threads)))
    names = {"workload": workload, "side": peer, "config": config, "threads": threads, "version": side.version()}
    return print("RESULT " + json.dumps({**names, **result}))


main()
