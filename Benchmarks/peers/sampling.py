"""How calls and processes are timed: as Sources/TarnBench does it."""

import os
import resource
import statistics
import subprocess
import time

WARM_SECONDS, WARM_CALLS = 0.7, 2
SECONDS, LEAST, MOST = 3.0, 5, 4000
SHORTEST = 5e-4
PROCESSES = 7


def calls(call, units):
    """Seconds a unit, and the peak memory of this process in MB."""
    now = time.perf_counter
    begin, count, last = now(), 0, 0.0
    while count < WARM_CALLS or (now() - begin < WARM_SECONDS and count < 2000):
        start = now()
        call()
        last = now() - start
        count += 1
    group = max(1, int(SHORTEST / max(last, 1e-7)))
    samples, begin = [], now()
    while len(samples) < LEAST or (now() - begin < SECONDS and len(samples) < MOST):
        start = now()
        for _ in range(group):
            call()
        samples.append((now() - start) / group / units)
    return samples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def processes(command):
    """Seconds from start to end of `command`, after one run that does not count."""
    samples = []
    for number in range(PROCESSES + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
        if number:
            samples.append(time.perf_counter() - start)
    return samples, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def summary(samples, memory):
    samples = sorted(samples)
    digits = lambda seconds: float(f"{seconds * 1e3:.5g}")
    return {
        "median_ms": digits(statistics.median(samples)),
        "min_ms": digits(samples[0]),
        "p90_ms": digits(samples[int(0.9 * (len(samples) - 1) + 0.5)]),
        "samples": len(samples),
        "peak_rss_mb": round(memory),
    }
