"""The tables of Docs/Performance.md, from the results of compare.py."""

import json
import os
import pathlib
import platform
import re
import statistics

BEGIN, END = "<!-- make bench writes from here -->", "<!-- to here -->"


def machine():
    """The processor's name and how many cores may be used."""
    name = platform.processor() or platform.machine()
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
        fields = dict(re.findall(r"^(model name|cpu family)\s*: (.*)$", text, re.MULTILINE))
        name = f"{fields.get('model name', name)}, family {fields.get('cpu family', '?')}"
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, {platform.system()}"


class Row:
    """Runs of one side and configuration."""

    def __init__(self, results):
        self.name = " ".join(filter(None, (TITLES[results[0]["side"]], results[0]["config"])))
        medians = [result["median_ms"] for result in results]
        self.median, self.least, self.most = statistics.median(medians), min(medians), max(medians)
        self.memory = statistics.median(result["peak_rss_mb"] for result in results)
        self.operations = results[0].get("giga_operations")
        self.bytes = results[0].get("giga_bytes")

    @property
    def rates(self):
        """Billions of operations, and of bytes, a second."""
        return [count / self.median * 1e3 if count else None for count in (self.operations, self.bytes)]


TITLES = {"tarn": "Tarn", "torch": "PyTorch", "onnxruntime": "ONNX Runtime", "jax": "JAX"}


def read(path):
    """Results of this machine: of Tarn those of the last build that a row was measured with."""
    lines = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines() if line.strip()]
    here = [line for line in lines if line.get("machine") == machine() and "median_ms" in line]
    last = {(line["workload"], line["threads"]): line["version"] for line in here if line["side"] == "tarn"}
    return [
        line for line in here
        if line["side"] != "tarn" or line["version"] == last[line["workload"], line["threads"]]]


def measured(lines, machine, threads):
    """Workloads that our side has results of, from this machine and for all these numbers of threads."""
    results = [json.loads(line) for line in lines if line.strip()]
    found = {
        (result["workload"], result["threads"])
        for result in results if result["side"] == "tarn" and result["machine"] == machine and "median_ms" in result}
    return {workload for workload, _ in found if all((workload, number) in found for number in threads)}


def rows(results, workload, threads):
    """Ours, and those of the peers, the fastest first."""
    groups = {}
    for result in results:
        if (result["workload"], result["threads"]) == (workload, threads):
            groups.setdefault((result["side"], result["config"]), []).append(result)
    sides = {key: Row(group) for key, group in groups.items()}
    ours = sides.pop(("tarn", ""), None)
    return ours, sorted(sides.values(), key=lambda row: row.median)


def digits(value):
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def spread(row):
    text = digits(row.median)
    return text if row.least == row.most else f"{text} ({digits(row.least)}–{digits(row.most)})"


def peaks(results, threads):
    """What this machine does at best: operations and bytes, a second."""
    found = [rows(results, name, threads)[0] for name in ("peak-arithmetic", "peak-memory")]
    # The fastest process: what slowed the others down is not the machine's.
    return [row and max(rate for rate in row.rates if rate) * row.median / row.least for row in found]


def share(row, best):
    shares = [rate / most for rate, most in zip(row.rates, best) if rate and most]
    return f"{100 * max(shares):.0f} %" if shares else ""


def table(results, threads):
    best = peaks(results, threads)
    title = f"### {threads} {'thread' if threads == 1 else 'threads'}"
    lines = [title, ""]
    if all(best):
        lines += [f"At best {best[0]:.0f} GFLOP/s in registers, and {best[1]:.1f} GB/s from memory.", ""]
    lines += [
        "| workload | Tarn, ms | of the machine's best | best peer, ms | which | peer / Tarn | memory, MB | leanest peer |",
        "|---|---|---|---|---|---|---|---|"]
    for workload in dict.fromkeys(result["workload"] for result in results):
        ours, others = rows(results, workload, threads)
        if not ours or workload.startswith("peak-"):
            continue
        cells = [workload, spread(ours), share(ours, best)]
        if others:
            peer = others[0]
            cells += [spread(peer), peer.name, f"{peer.median / ours.median:.2f}", f"{ours.memory:.0f}"]
            cells += [f"{min(row.memory for row in others):.0f}"]
        else:
            cells += ["", "", "", f"{ours.memory:.0f}", ""]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def text(results):
    versions = sorted({result["version"] for result in results if result["side"] != "tarn"})
    lines = [
        BEGIN, "", f"Machine: {machine()}. Peers: {', '.join(versions) or 'none measured'}.", "",
        "Milliseconds a call: the median of the processes' medians, in brackets the fastest and the slowest process. A peer is shown in its",
        "fastest configuration; `+keep` has glibc keep freed memory. Above 1 in *peer / Tarn*, Tarn is faster. Memory is the peak resident set of",
        "the whole process. Of the machine's best: of arithmetic counted as multiplications and additions of the plain algorithm, or of",
        "reading memory where memory is the limit; a Winograd convolution, which multiplies less, can come above 100 %.", ""]
    for threads in sorted({result["threads"] for result in results}):
        lines += table(results, threads) + [""]
    return "\n".join(lines + [END])


def write(results, page):
    """Puts the tables into the page, between the marks; at its end where there are none."""
    found = read(results)
    page = pathlib.Path(page)
    old = page.read_text() if page.exists() else "# Performance\n"
    if BEGIN in old and END in old:
        head, tail = old.split(BEGIN)[0], old.split(END)[1]
    else:
        head, tail = old.rstrip() + "\n\n## Beside others\n\n", "\n"
    page.write_text(head + text(found) + tail)
