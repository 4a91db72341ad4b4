#!/usr/bin/env python3
"""Weights under the names of Keras, timm, Caffe, MXNet and transformers, loaded by Tarn and compared with whose they are.

    pip install torch torchvision safetensors keras h5py timm transformers
    python Tools/foreign_check.py --tarn .build/release/tarn                      # everything: a table of largest errors
    python Tools/foreign_check.py --tarn .build/release/tarn keras timm           # these makers only
    python Tools/foreign_check.py --tarn .build/release/tarn --network resnet50   # this network of all makers

Each network is made with random weights, running statistics included, saved in every format its maker writes, and read by
`tarn run`. Networks are made one at a time, so that memory and disk stay small.
"""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "torch")

LARGEST = 1e-4
MAKERS = ["keras", "timm", "caffe", "gluon", "transformers"]


def cases(maker):
    """(network of Tarn, words for the table, function from a folder to input, logits and files) for each of a maker's networks."""
    module = __import__(f"foreign_cases.{maker}_cases", fromlist=["CASES"])
    return module.CASES


def error(tarn, network, file, folder):
    """The largest difference of logits over the largest logit."""
    from safetensors.numpy import load_file

    out = folder / "answer.safetensors"
    out.unlink(missing_ok=True)
    command = [*shlex.split(tarn), "run", network, "--weights", file, "--input", folder / "input.safetensors", "--output", out]
    run = subprocess.run([*map(str, command), "--quiet"], capture_output=True, text=True)
    if run.returncode:
        return None, run.stderr.strip().splitlines()
    found, wanted = load_file(out)["logits"], load_file(folder / "wanted.safetensors")["logits"]
    if found.shape != wanted.shape:
        return None, [f"logits {found.shape}, wanted {wanted.shape}"]
    return float(abs(found - wanted).max() / abs(wanted).max()), []


def check(tarn, maker, network, words, make):
    """What is wrong; prints a line of the table."""
    from safetensors.numpy import save_file

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        x, logits, files = make(folder)
        save_file({"input": x}, folder / "input.safetensors")
        save_file({"logits": logits}, folder / "wanted.safetensors")
        worst, wrong = 0.0, []
        for file in files:
            figure, lines = error(tarn, network, file, folder)
            worst = max(worst, figure or 0.0)
            if figure is None or not figure <= LARGEST:
                wrong += [f"{network} from {words}, {file.name}: {'differs by %.1e' % figure if figure is not None else 'fails'}"]
                wrong += [f"    {line}" for line in lines[:8]]
    formats = ", ".join(dict.fromkeys("".join(file.suffixes[-2:]).removeprefix(".") for file in files))
    print(f"| {network} | {words} | {formats} | {'**wrong**' if wrong else f'{worst:.1e}'} |", flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description="Compare weights of others, loaded by Tarn, with whose they are.")
    parser.add_argument("--tarn", default="swift run -c release tarn", metavar="COMMAND", help="how the command is called")
    parser.add_argument("--network", action="append", metavar="NAME", help="only this one of Tarn's; may be repeated")
    parser.add_argument("makers", nargs="*", help=f"of {', '.join(MAKERS)}; all if none")
    options = parser.parse_args()
    if unknown := set(options.makers) - set(MAKERS):
        parser.error(f"no such maker: {', '.join(sorted(unknown))}")
    wrong = []
    print("| network | from | formats | largest error |\n| --- | --- | --- | --- |")
    for maker in options.makers or MAKERS:
        for network, words, make in cases(maker):
            if not options.network or network in options.network:
                wrong += check(options.tarn, maker, network, words, make)
    print("\n".join(wrong) if wrong else "all agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
