"""A golden file in the making: named arrays, and for each case the call that made it."""

import io
import zipfile
import zlib

import numpy as np
import torch


class Book:
    def __init__(self):
        self.arrays = {}
        self.calls = {}

    def case(self, name, call):
        if name in self.calls:
            raise ValueError(f"case {name} appears twice")
        self.calls[name] = call

    def put(self, case, what, value, dtype=None):
        if case not in self.calls:
            raise ValueError(f"{case}/{what}: no such case")
        if isinstance(value, torch.Tensor):
            value = value.detach().numpy()
        array = np.asarray(value, dtype=dtype)
        key = f"{case}/{what}"
        if key in self.arrays:
            raise ValueError(f"{key} appears twice")
        self.arrays[key] = np.ascontiguousarray(array).reshape(array.shape)

    def bytes(self):
        """An NPZ archive with nothing of the moment in it: same arrays, same bytes."""
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for key, array in self.arrays.items():
                entry = zipfile.ZipInfo(key + ".npy", date_time=(1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                member = io.BytesIO()
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
                archive.writestr(entry, member.getvalue())
        return stream.getvalue()


def generator(case):
    """Random numbers that belong to this case alone, so that adding a case changes no other."""
    return torch.Generator().manual_seed(zlib.crc32(case.encode()))


def single(tensor):
    """Rounded to float32: what the golden file holds of a float64 computation."""
    return tensor.detach().to(torch.float32) if tensor.is_floating_point() else tensor.detach()


def normal(shape, source, dtype=torch.float64):
    """Normal numbers that float32 holds exactly, so both precisions start from the same."""
    return torch.randn(shape, generator=source, dtype=torch.float32).to(dtype)


def uniform(shape, low, high, source, dtype=torch.float64):
    numbers = torch.rand(shape, generator=source, dtype=torch.float32) * (high - low) + low
    return numbers.to(torch.float32).to(dtype)
