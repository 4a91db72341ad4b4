#!/usr/bin/env python3
"""Measures Tarn and the peers that are installed, by turns, and writes Docs/Performance.md.

    python3 Benchmarks/compare.py --tarn .build/release/tarn --python venv/bin/python
    python3 Benchmarks/compare.py … --only matmul-512,cold-start --threads 1 --repeat 3
    python3 Benchmarks/compare.py --report         # only writes the page, from results of before

Results are added to a file, a line of JSON each, so a run may be cut short and continued, row by row. Several interpreters,
with --python more than once, may have different peers. Nothing else should keep the machine busy.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

import report

FOLDER = pathlib.Path(__file__).resolve().parent
PEERS = ["torch", "onnxruntime", "jax"]
LONGEST = 300
# Has glibc keep freed memory: no page faults on large outputs.
KEEP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 34), "MALLOC_TOP_PAD_": str(1 << 26)}


class Tarn:
    """Our side."""

    def __init__(self, program):
        self.program = os.path.abspath(program)
        # Results of another build do not mix with this one's.
        self.version = "build " + hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()[:12]

    def workloads(self):
        lines = subprocess.run([self.program, "bench", "--list", "--json"], check=True, capture_output=True, text=True)
        return [json.loads(line)["workload"] for line in lines.stdout.splitlines()]

    def measure(self, workload, threads):
        command = [self.program, "bench", "--only", workload, "--threads", str(threads), "--json"]
        result = finished(command)
        result = result if "error" in result else json.loads(result["output"])
        return {**result, "workload": workload, "threads": threads, "side": "tarn", "config": "", "version": self.version}


class Peer:
    """A framework in the interpreter that has it."""

    def __init__(self, name, python):
        self.name, self.python = name, python
        run = subprocess.run([python, "-m", "peers", name, "list"], check=True, capture_output=True, text=True, cwd=FOLDER)
        listed = json.loads(run.stdout)
        self.configs, self.is_bound = listed["configs"], listed["bound"]

    def prepare(self, workload):
        finished([self.python, "-m", "peers", self.name, "prepare", workload])

    def measure(self, workload, config, threads):
        threads = str(threads)
        variables = {name: threads for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        keep = KEEP if config.endswith("+keep") else {}
        command = [self.python, "-m", "peers", self.name, "measure", workload, config, threads]
        result = finished(command, {**variables, **keep}, cores=int(threads) if self.is_bound else None)
        if "error" not in result:
            lines = [line for line in result["output"].splitlines() if line.startswith("RESULT ")]
            return json.loads(lines[-1].removeprefix("RESULT "))
        return {"workload": workload, "side": self.name, "config": config, "threads": int(threads), **result}


def finished(command, variables={}, cores=None):
    """What a command printed, or how it failed."""
    bind = (lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])) if cores else None
    try:
        run = subprocess.run(
            command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=LONGEST, cwd=FOLDER,
            preexec_fn=bind)
    except subprocess.TimeoutExpired:
        return {"error": f"took more than {LONGEST} s"}
    if run.returncode == 0:
        return {"output": run.stdout}
    last = [line for line in run.stderr.splitlines() if line.strip()][-1:] or ["it said nothing"]
    return {"error": f"code {run.returncode}: {last[0][:200]}"}


def measure(options, tarn, peers):
    """All rows, each side by turns, added to the file of results as they come."""
    known = tarn.workloads()
    rows = options.only or known
    if unknown := set(rows) - set(known):
        sys.exit(f"there is no workload {', '.join(sorted(unknown))}; see tarn bench --list")
    machine = report.machine()
    # Percentages refer to the peaks: once on each machine is enough.
    rows = [name for name in known if name in rows or name.startswith("peak-") and not options.only]
    with open(options.results, "a+") as file:
        file.seek(0)
        missing = {f"peak-{what}" for what in ("arithmetic", "memory")} - report.measured(file, machine, options.threads)
        rows = sorted(missing - set(rows)) + rows
        for workload in rows:
            for peer in peers:
                if workload in peer.configs:
                    peer.prepare(workload)
            for threads in options.threads:
                for result in turns(workload, threads, tarn, peers, options):
                    stamped = {**result, "machine": machine, "time": round(time.time())}
                    file.write(json.dumps(stamped) + "\n")
                    file.flush()
                    say(stamped)


def turns(workload, threads, tarn, peers, options):
    sides = [(peer, config) for peer in peers for config in peer.configs.get(workload, [])]
    for number in range(options.repeat):
        yield tarn.measure(workload, threads)
        found = []
        for peer, config in sides:
            result = peer.measure(workload, config, threads)
            found.append((result.get("median_ms", float("inf")), peer, config))
            yield result
        # What is far behind once is not measured again.
        fastest = min((median for median, _, _ in found), default=0)
        sides = [(peer, config) for median, peer, config in found if median <= options.prune * fastest]


def say(result):
    what = f"{result['median_ms']:.5g} ms" if "median_ms" in result else result["error"]
    side = f"{result['side']} {result['config']}".strip()
    print(f"{result['workload']:<30} {result['threads']} {side:<28} {what}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: [name.strip() for name in text.split(",") if name.strip()]
    parser.add_argument("--tarn", default=".build/release/tarn", help="the command, built for release")
    parser.add_argument("--python", action="append", default=[], help="an interpreter that has peers; more than one may be given")
    parser.add_argument("--only", type=names, help="these workloads, by commas")
    parser.add_argument("--peers", type=names, default=PEERS, help=f"of {', '.join(PEERS)}")
    parser.add_argument("--threads", type=lambda text: [int(n) for n in names(text)], default=[1, 2])
    parser.add_argument("--repeat", type=int, default=3, help="processes of each side and row")
    parser.add_argument("--prune", type=float, default=1.5, help="configurations slower than so many times the best run once only")
    parser.add_argument("--results", default=".build/benchmarks.jsonl", help="the file that results are added to")
    parser.add_argument("--page", default=FOLDER.parent / "Docs" / "Performance.md", help="where the tables go")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    options = parser.parse_args()
    pathlib.Path(options.results).parent.mkdir(parents=True, exist_ok=True)
    if not options.report:
        found = {}
        for python in options.python or [sys.executable]:
            for name in options.peers:
                peer = Peer(name, os.path.abspath(python) if os.path.sep in python else python)
                if peer.configs:
                    found.setdefault(name, peer)
        print("peers:", ", ".join(found) or "none is installed for this interpreter", file=sys.stderr)
        measure(options, Tarn(options.tarn), list(found.values()))
    report.write(options.results, options.page)


if __name__ == "__main__":
    main()
