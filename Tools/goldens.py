#!/usr/bin/env python3
"""Makes the golden files of Tests/Goldens with PyTorch, or checks that they are still what it gives.

    pip install torch==2.15 torchvision numpy
    python Tools/goldens.py            # writes Tests/Goldens/*.npz and Cases.md
    python Tools/goldens.py --check    # compares instead, and every network of the zoo; exit code 1 if anything differs
    python Tools/goldens.py layers     # only these files
    python Tools/goldens.py --check networks --network resnet50    # only this network: saved in three formats, loaded by Tarn,
                                                                   # answers and one training step's gradients compared
"""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

import numpy as np
import torch

from golden_cases import (
    attention, images, layers, losses, ops, optimizers, recurrent, schedules, text, zoo,
)

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Goldens"
MAKERS = {
    "layers": lambda: layers.make(layers.LAYERS),
    "pooling": lambda: layers.make(layers.POOLING),
    "activations": lambda: layers.make(layers.ACTIVATIONS),
    "recurrent": recurrent.make,
    "attention": attention.make,
    "losses": losses.make,
    "optimizers": optimizers.make,
    "schedules": schedules.make,
    "ops": ops.elementwise,
    "reductions": ops.reductions,
    "movement": ops.movement,
    "text": text.make,
    "zoo": zoo.make,
    "images": images.make,
    "contractions": ops.contractions,
}
LARGEST = 150_000


def differences(path, book):
    """What the file on disk has other than `book`, one line each."""
    if not path.exists():
        return [f"{path.name}: is missing"]
    found = []
    with np.load(path, allow_pickle=False) as stored:
        names = set(stored.files)
        found += [f"{path.name}: {key} is missing" for key in book.arrays if key not in names]
        found += [f"{path.name}: {key} is no longer made" for key in sorted(names - set(book.arrays))]
        for key, array in book.arrays.items():
            if key not in names:
                continue
            old = stored[key]
            if old.shape != array.shape or old.dtype != array.dtype:
                found.append(f"{path.name}: {key} is {old.dtype}{old.shape}, now {array.dtype}{array.shape}")
            elif not agree(old, array):
                found.append(f"{path.name}: {key} differs")
    return found


def agree(old, new):
    if new.dtype.kind != "f":
        return np.array_equal(old, new)
    relative = 1e-5 if new.dtype == np.float32 else 1e-10
    return np.allclose(old, new, rtol=relative, atol=relative / 10, equal_nan=True)


def table(books):
    """A Markdown list of every case: the call that made it, and its arrays."""
    lines = ["# Every case", "", "Written by `Tools/goldens.py`; see `README.md` for what the names mean.", ""]
    for file, book in books.items():
        lines += [f"## {file}.npz", "", "| case | made by | arrays |", "| --- | --- | --- |"]
        for case, call in book.calls.items():
            arrays = [
                f"{key[len(case) + 1:]} {list(array.shape)}" + ("" if array.dtype.kind == "f" else f" {array.dtype}")
                for key, array in book.arrays.items()
                if key.rsplit("/", 1)[0] == case
            ]
            lines.append(f"| `{case}` | `{call}` | {', '.join(arrays)} |".replace("\n", " "))
        lines.append("")
    return "\n".join(lines)


def check_networks(names, runner):
    """What differs in whole networks, one at a time to keep files and memory small. Prints the largest errors."""
    found = []
    # The tests are built before the first network is made; a quick one runs.
    if subprocess.run([*shlex.split(runner), "--filter", "namesAreTheirOwn"], stdout=subprocess.DEVNULL).returncode:
        return [f"{runner}: does not build"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        print("| network | formats | logits | training | gradients |\n| --- | --- | --- | --- | --- |")
        for name in names:
            zoo.write_state(folder, name)
            command = [*shlex.split(runner), "--skip-build", "--filter", "ZooStateTests"]
            run = subprocess.run(
                command, env={**os.environ, "TARN_ZOO_STATES": str(folder)}, capture_output=True, text=True)
            zoo.remove_state(folder, name)
            figures = folder / f"{name}.figures"
            if figures.exists():
                words = figures.read_text().split()
                row = dict(zip(words[::2], words[1::2]))
                errors = " | ".join(f"{float(row[key]):.1e}" for key in ("logits", "training", "gradients"))
                print(f"| {name} | {row['formats']} | {errors} |", flush=True)
            if run.returncode or not figures.exists():
                lines = [line for line in run.stdout.splitlines() if "recorded an issue" in line]
                found.append("\n".join([f"{name}: differs", *lines[:5]]))
    return found


def main():
    parser = argparse.ArgumentParser(description="Make or check the golden files.")
    parser.add_argument("--check", action="store_true", help="compare with what is there")
    parser.add_argument("--network", action="append", metavar="NAME", help="with --check: of the networks only this; may be repeated")
    parser.add_argument("--runner", default="swift test -c release", metavar="COMMAND", help="what builds and runs the tests")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MAKERS)}, networks; all if none")
    options = parser.parse_args()
    if unknown := set(options.names) - set(MAKERS) - {"networks"}:
        parser.error(f"no such file: {', '.join(sorted(unknown))}")
    networks = [*zoo.NAMES, *zoo.OURS]
    if unknown := set(options.network or []) - set(networks):
        parser.error(f"no such network: {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    books = {name: make() for name, make in MAKERS.items() if name in (options.names or MAKERS)}
    if options.check:
        found = [line for name, book in books.items() for line in differences(FOLDER / f"{name}.npz", book)]
        if not options.names or "networks" in options.names:
            found += check_networks(options.network or networks, options.runner)
        print("\n".join(found) if found else f"all agrees with PyTorch {torch.__version__}")
        return 1 if found else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, book in books.items():
        data = book.bytes()
        if len(data) > LARGEST:
            print(f"{name}.npz would have {len(data)} bytes; the limit is {LARGEST}", file=sys.stderr)
            return 1
        (FOLDER / f"{name}.npz").write_bytes(data)
        print(f"{name}.npz: {len(book.calls)} cases, {len(book.arrays)} arrays, {len(data)} bytes")
    if len(books) == len(MAKERS):
        (FOLDER / "Cases.md").write_text(table(books))
    return 0


if __name__ == "__main__":
    sys.exit(main())
