#!/usr/bin/env python3
"""Writes the files that other programs made, as base64 texts, for the tests of TarnData and TarnInterop.

Run in the repository's root, with numpy, ml_dtypes and safetensors installed:
    python3 Tools/make-data-fixtures.py
"""

import base64
import io
import warnings
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
from numpy.lib import format as npy
from safetensors.numpy import save

warnings.simplefilter("ignore")
GRID = np.arange(6).reshape(2, 3) - 2


def as_npy(array, version=None):
    out = io.BytesIO()
    npy.write_array(out, array, version=version)
    return out.getvalue()


def as_npz(packed, **arrays):
    out = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(out, **arrays)
    return out.getvalue()


def as_zip64():
    """An archive that uses the 64-bit extension though it is small."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        with archive.open(zipfile.ZipInfo("x.npy"), "w", force_zip64=True) as entry:
            entry.write(as_npy(GRID.astype("f4")))
    return out.getvalue()


def numpy_fixtures():
    signed = ["i1", "<i2", "<i4", "<i8", ">i2", ">i4", ">i8"]
    floating = ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8"]
    for kind in signed + floating:
        yield f"grid {kind}", as_npy(GRID.astype(kind))
    for kind in ["u1", "<u2", "<u4", ">u4"]:
        yield f"grid {kind}", as_npy((GRID + 2).astype(kind))
    yield "grid bool", as_npy(GRID > 0)
    yield "grid bfloat16", as_npy(GRID.astype(ml_dtypes.bfloat16))
    yield "fortran", as_npy(np.asfortranarray(np.arange(24, dtype="<f4").reshape(2, 3, 4)))
    yield "scalar", as_npy(np.array(2.5))
    yield "empty", as_npy(np.zeros((0, 3), "f4"))
    yield "version 2", as_npy(GRID.astype("f4"), (2, 0))
    yield "version 3", as_npy(GRID.astype("f4"), (3, 0))
    yield "object", as_npy(np.array([1, "a"], dtype=object))
    yield "structured", as_npy(np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
    yield "text", as_npy(np.array(["ab", "c"]))
    yield "complex", as_npy(np.zeros(2, "c8"))
    yield "date", as_npy(np.zeros(2, "M8[s]"))
    yield "u8", as_npy(np.zeros(2, "u8"))
    arrays = {"weight": GRID.astype("f4"), "bias": np.arange(3)}
    yield "npz stored", as_npz(False, **arrays)
    yield "npz packed", as_npz(True, **arrays)
    yield "npz wide", as_zip64()


def safetensors_fixtures():
    kinds = ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"]
    tensors = {kind: (GRID + 2).astype(kind) for kind in kinds}
    tensors["bfloat16"] = (GRID + 2).astype(ml_dtypes.bfloat16)
    tensors["scalar"] = np.array(2.5, "float32")
    tensors["empty"] = np.zeros((0, 3), "float32")
    yield "safetensors all", save(tensors, metadata={"format": "np", "note": 'a "b" é'})
    yield "safetensors uint16", save({"x": GRID.astype("uint16")})


def write(path, name, fixtures):
    lines = "".join(
        f'    "{key}":\n      "{base64.b64encode(data).decode()}",\n' for key, data in fixtures
    )
    Path(path).write_text(
        "// Made by Tools/make-data-fixtures.py; not to be edited.\n\n"
        "// swift-format-ignore-file\n\n"
        f"/// Files as base64 text.\nlet {name}: [String: String] = [\n{lines}  ]\n"
    )


def main():
    write("Tests/TarnDataTests/NumPyFixtures.swift", "numPyFiles", numpy_fixtures())
    write("Tests/TarnInteropTests/SafetensorsFixtures.swift", "savedFiles", safetensors_fixtures())


if __name__ == "__main__":
    main()
