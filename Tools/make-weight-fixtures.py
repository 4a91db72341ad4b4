#!/usr/bin/env python3
"""Makes the small files of weights in Tests/Fixtures/weights: those of PyTorch and NumPy, each with the numbers that
PyTorch itself reads from it (NAME.expected.npz), those of MXNet and Caffe, written here after their formats, and hostile
ones. Needs torch and numpy.

    python Tools/make-weight-fixtures.py [FOLDER]
"""

import argparse
import collections
import io
import os
import pickle
import struct
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
    torch.save({"x": Execute(os.system, command)}, path("hostile_system.pt"))
    torch.save({"x": Execute(os.system, command)}, path("hostile_system.pth"), _use_new_zipfile_serialization=False)
    np.savez(path("hostile_system.npz"), x=np.array([Execute(os.system, command)], dtype=object))
    torch.save(torch.nn.Linear(2, 2), path("whole_module.pt"))


def mxnet_array(array, version):
    """One array of a list, in the format of version 0 (no magic number) to 3."""
    flag = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int8": 5, "int64": 6, "bool": 7}[str(array.dtype)]
    if version == 0:
        head = struct.pack(f"<I{array.ndim}I", array.ndim, *array.shape)
    else:
        head = struct.pack("<I", 0xF993FAC7 + version) + (struct.pack("<i", 0) if version > 1 else b"")
        head += struct.pack(f"<i{array.ndim}q", array.ndim, *array.shape)
    return head + struct.pack("<iii", 1, 0, flag) + array.tobytes()


def mxnet(name, arrays):
    """arrays: (name, array, version)."""
    with open(path(name), "wb") as file:
        file.write(struct.pack("<QQQ", 0x112, 0, len(arrays)))
        for _, array, version in arrays:
            file.write(mxnet_array(array, version))
        file.write(struct.pack("<Q", len(arrays)))
        for key, _, _ in arrays:
            file.write(struct.pack("<Q", len(key)) + key.encode())
    expect(name, {key.split(":")[-1]: array for key, array, _ in arrays})


def field(number, value):
    """One field of a message."""
    def varint(n):
        n &= (1 << 64) - 1
        out = b""
        while n > 127:
            out += bytes([n & 127 | 128])
            n >>= 7
        return out + bytes([n])

    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def blob(array, old=False, raw=False):
    data = array.astype("<f4").tobytes()
    if old:
        lengths = [1] * (4 - array.ndim) + list(array.shape)
        return b"".join(field(i + 1, n) for i, n in enumerate(lengths)) + field(5, data)
    shape = field(7, field(1, b"".join(bytes([n]) for n in array.shape)))
    if raw:
        return shape + field(10, 2) + field(12, array.astype("<f2").tobytes())
    if array.dtype == np.float64:
        return shape + field(8, array.tobytes())
    return shape + field(5, data)


def caffe():
    ramp = lambda *shape: np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    conv, fc, half = ramp(2, 3, 2, 2), ramp(4, 5), ramp(3).astype(np.float64)
    net = field(1, "net") + field(100, field(1, "data") + field(2, "Input"))
    net += field(100, field(1, "conv1") + field(2, "Convolution") + field(7, blob(conv)) + field(7, blob(ramp(2))))
    net += field(100, field(1, "bn1") + field(2, "BatchNorm") + field(7, blob(ramp(2) * 4)) + field(7, blob(ramp(2) * 8))
                 + field(7, blob(np.array([4.0]))))
    net += field(100, field(1, "scale1") + field(2, "Scale") + field(7, blob(half)) + field(7, blob(half, raw=True)))
    net += field(100, field(1, "fc") + field(2, "InnerProduct") + field(7, blob(fc)))
    net += field(100, field(1, "lstm") + field(2, "LSTM") + field(7, blob(fc)))
    with open(path("caffe.caffemodel"), "wb") as file:
        file.write(net)
    expect("caffe.caffemodel", {
        "conv1.weight": conv, "conv1.bias": ramp(2), "bn1.running_mean": ramp(2), "bn1.running_var": ramp(2) * 2,
        "scale1.weight": half, "scale1.bias": half, "fc.weight": fc, "lstm.0": fc})
    # The second generation with the first inside it, and lengths in four fields.
    old = field(1, "old") + field(2, field(2, "data") + field(3, "c1") + field(4, "c1") + field(5, 4)
                                  + field(6, blob(conv, old=True)) + field(6, blob(ramp(2), old=True)))
    old += field(2, field(4, "ip") + field(5, 14) + field(6, blob(fc, old=True)) + field(6, blob(ramp(4), old=True)))
    old += field(2, field(1, field(1, "c0") + field(2, "conv") + field(50, blob(conv, old=True))))
    with open(path("caffe_old.caffemodel"), "wb") as file:
        file.write(old)
    expect("caffe_old.caffemodel", {
        "c1.weight": conv, "c1.bias": ramp(2), "ip.weight": fc, "ip.bias": ramp(4), "c0.weight": conv})


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
    ramp = np.arange(6, dtype=np.float32).reshape(2, 3)
    mxnet("mxnet.params", [("arg:conv0_weight", ramp, 2), ("arg:conv0_bias", ramp[0], 2),
                           ("aux:bn0_moving_mean", ramp[1].astype(np.float64), 2)])
    mxnet("mxnet_versions.params", [
        ("v0", ramp, 0), ("v1", ramp.astype(np.float16), 1), ("v2", ramp.astype(np.int64), 2), ("v3", ramp > 2, 3),
        ("scalar", np.array(7, dtype=np.int32), 3), ("u1", ramp.astype(np.uint8), 1)])
    caffe()
    hostile()


main()
