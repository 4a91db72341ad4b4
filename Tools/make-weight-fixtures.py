#!/usr/bin/env python3
"""Makes the small files of weights in Tests/Fixtures/weights: those of PyTorch and NumPy, each with the numbers that
PyTorch itself reads from it (NAME.expected.npz), and hostile ones. Needs torch and numpy.

    python Tools/make-weight-fixtures.py [FOLDER]
"""

import argparse
import collections
import io
import os
import pickle
import sys
import zipfile

import numpy as np
import torch

FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "Fixtures", "weights")

TYPES = ["float32", "float64", "float16", "bfloat16", "uint8", "int8", "int16", "int32", "int64", "bool"]


def path(name):
    return os.path.join(FOLDER, name)


def flattened(value, prefix=""):
    """Tensors and arrays by their paths."""
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        yield prefix, value
    elif isinstance(value, argparse.Namespace):
        yield from flattened(vars(value), prefix)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from flattened(item, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from flattened(item, f"{prefix}.{i}" if prefix else str(i))


def expect(name, value):
    arrays = {}
    for key, item in flattened(value):
        if isinstance(item, torch.Tensor):
            item = item.detach().to(torch.float64).numpy()
        arrays[key] = np.asarray(item, dtype=np.float64)
    np.savez_compressed(path(f"{name}.expected.npz"), **arrays)


def save(name, value, **options):
    torch.save(value, path(name), **options)
    with torch.serialization.safe_globals([argparse.Namespace]):
        expect(name, torch.load(path(name), map_location="cpu", weights_only=False))


def kinds():
    """Every element type, and views of all sorts."""
    ramp = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    shared = torch.arange(10, dtype=torch.float64)
    tensors = {name: (torch.arange(6) % 5).reshape(2, 3).to(getattr(torch, name)) for name in TYPES}
    tensors.update(
        transposed=ramp.permute(2, 0, 1), sliced=ramp[:, 1:, ::2], head=shared[:4], tail=shared[6:],
        whole=shared, again=shared, expanded=torch.tensor([[1.0], [2.0]]).expand(2, 5),
        scalar=torch.tensor(7.0), empty=torch.zeros(0, 3), parameter=torch.nn.Parameter(torch.ones(2, 2)))
    return tensors


def checkpoint():
    """What a training script saves: a wrapped model, an optimizer, scalars."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    wrapped = torch.nn.DataParallel(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.125)
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    return {
        "epoch": 7, "state_dict": wrapped.state_dict(), "optimizer": optimizer.state_dict(),
        "best": np.float64(0.75), "loss": [0.5, 0.25], "name": "tëst",
        "args": argparse.Namespace(lr=0.125, layers=(3, 4, 2), device=torch.device("cuda", 1), dtype=torch.float16),
        "counts": collections.defaultdict(int, a=1), "tags": {"x"}, "none": None,
    }


def big_endian(source, target):
    """The same archive as a big-endian machine would have written it."""
    sizes = {"0": 4, "1": 8, "2": 2}
    with zipfile.ZipFile(path(source)) as old, zipfile.ZipFile(path(target), "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            folder, _, key = entry.filename.rpartition("/")
            if folder.endswith("/data"):
                data = np.frombuffer(data, f"<u{sizes[key]}").byteswap().tobytes()
            elif key == "byteorder":
                data = b"big"
            new.writestr(entry.filename, data)


class Script(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(2, 3)
        self.register_buffer("mean", torch.tensor([1.0, 2.0]))

    def forward(self, x):
        return self.fc(x - self.mean)


class Execute:
    """Unpickled by Python it would make a file."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def hostile():
    command = "touch tarn-was-here"
    for protocol in (0, 2, 4):
        with open(path(f"hostile_system_{protocol}.pkl"), "wb") as file:
            if protocol == 0:
                file.write(b"\x80\x02cposix\nsystem\n(S'" + command.encode() + b"'\ntR.")
            else:
                pickle.dump({"w": Execute(os.system, command)}, file, protocol=protocol)
    torch.save({"w": torch.ones(2), "x": Execute(eval, "1 + 1")}, path("hostile_eval.pt"))
    torch.save({"x": Execute(os.system, command)}, path("hostile_system.pth"), _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(2, 2), path("whole_module.pt"))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    save("kinds.pt", kinds())
    save("kinds_legacy.pth", kinds(), _use_new_zipfile_serialization=False)
    save("kinds_4.pt", kinds(), pickle_protocol=4)
    save("checkpoint.pt", checkpoint())
    save("checkpoint_legacy.pth", checkpoint(), _use_new_zipfile_serialization=False)
    save("checkpoint_legacy_4.pth", checkpoint(), _use_new_zipfile_serialization=False, pickle_protocol=4)
    save("unsigned.pt", {"u2": torch.arange(3).to(torch.uint16), "u4": torch.arange(3).to(torch.uint32)})
    torch.save({"z": torch.ones(2, dtype=torch.complex64)}, path("complex.pt"))
    small = {"a": torch.tensor([1.5, -2.0]), "b": torch.tensor([3], dtype=torch.int64),
             "c": torch.tensor([0.5, 4.0], dtype=torch.float16)}
    save("small.pt", small)
    save("small_legacy.pth", small, _use_new_zipfile_serialization=False)
    big_endian("small.pt", "small_big_endian.pt")
    expect("small_big_endian.pt", small)
    torch.serialization.set_crc32_options(False)
    save("small_without_checksums.pt", small)
    torch.serialization.set_crc32_options(True)
    torch.manual_seed(2)
    script = Script()
    torch.jit.save(torch.jit.script(script), path("script.pt"))
    expect("script.pt", script.state_dict())
    arrays = {"w": np.arange(6, dtype=np.float32).reshape(2, 3),
              "f": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)),
              "b": np.arange(3, dtype=">i4"), "s": np.float32(2.5)}
    for protocol in (2, 4, 5):
        with open(path(f"arrays_{protocol}.pkl"), "wb") as file:
            pickle.dump({"model": arrays}, file, protocol=protocol)
        expect(f"arrays_{protocol}.pkl", {"model": arrays})
    hostile()


main()
