"""Photographs for ImageNet's networks by torchvision: open, Resize(256), CenterCrop(224), ToTensor, Normalize.

The pictures are those of the folder TARN_BENCH_PHOTOS, otherwise those that `tarn bench --only photos` has made up.
"""

import concurrent.futures
import multiprocessing
import os
import pathlib
import tempfile

BATCH = 32


def files():
    made_up = pathlib.Path(tempfile.gettempdir()) / "tarn-bench-photos-1"
    folder = pathlib.Path(os.environ.get("TARN_BENCH_PHOTOS", made_up))
    found = sorted(path for path in folder.iterdir() if path.suffix == ".jpg")[:BATCH]
    return [found[i % len(found)] for i in range(BATCH)]


def pipeline():
    from torchvision import transforms

    return transforms.Compose([
        transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])


def read(path, transform):
    from PIL import Image

    with open(path, "rb") as file:
        return transform(Image.open(file).convert("RGB"))


# Set in a worker process before its work.
worker = {}


def start_worker():
    import torch

    torch.set_num_threads(1)
    worker["transform"] = pipeline()


def read_some(paths):
    """Nothing is sent back: only the work is timed."""
    for path in paths:
        read(path, worker["transform"])


def make(config, threads):
    """What is timed, and how many units it does."""
    import torch

    torch.set_num_threads(1)
    paths, transform = files(), pipeline()
    if config == "processes":
        pool = multiprocessing.get_context("spawn").Pool(threads, start_worker)
        shares = [paths[i::threads] for i in range(threads)]
        return (lambda: pool.map(read_some, shares, chunksize=1)), BATCH
    if threads == 1:
        return (lambda: torch.stack([read(path, transform) for path in paths])), BATCH
    executor = concurrent.futures.ThreadPoolExecutor(threads)
    return (lambda: torch.stack(list(executor.map(lambda path: read(path, transform), paths)))), BATCH
