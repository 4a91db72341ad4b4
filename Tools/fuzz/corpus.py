#!/usr/bin/env python3
"""Makes Tools/fuzz/corpus: small sound files for the readers that have none among the tests' fixtures and goldens.

    Tools/fuzz/corpus.py TARN        TARN: the command, which makes a run on a short text

Files named found-… are inputs that once broke a reader; they stay as they are.
"""
import gzip, io, json, pathlib, random, shutil, struct, subprocess, sys, tempfile, zipfile

CORPUS = pathlib.Path(__file__).parent / "corpus"
random.seed(0)


def write(path, contents):
    file = CORPUS / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(contents if isinstance(contents, bytes) else contents.encode())


def packed(contents):
    return gzip.compress(contents if isinstance(contents, bytes) else contents.encode(), mtime=0)


def archive(entries, method):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as zipped:
        for name, contents in entries:
            zipped.writestr(zipfile.ZipInfo(name), contents, compress_type=method)
    return target.getvalue()


def safetensors():
    tensors = {"weight": ("F32", [2, 3], 24), "half": ("F16", [4], 8), "flags": ("BOOL", [3], 3), "none": ("I64", [0], 0)}
    header, place = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header).encode()
    write("safetensors/all", struct.pack("<Q", len(text)) + text + bytes(35))


def arrays():
    for name, code, letter in [("bytes", 8, "B"), ("shorts", 11, "h"), ("floats", 13, "f"), ("doubles", 14, "d")]:
        file = struct.pack(">BBBB", 0, 0, code, 2) + struct.pack(">2I6" + letter, 2, 3, *range(6))
        write(f"idx/{name}", file)
    write("idx/packed", packed(file))
    for version, name, header in [
        (1, "f4", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"),
        (2, "i8-fortran", "{'descr': '>i8', 'fortran_order': True, 'shape': (3,), }"),
        (1, "bool", "{'descr': '|b1', 'fortran_order': False, 'shape': (), }"),
        (1, "u2", "{'descr': '<u2', 'fortran_order': False, 'shape': (0, 4), }"),
    ]:
        size = {"f4": 24, "i8-fortran": 24, "bool": 1, "u2": 0}[name]
        text = header.encode() + b"\n"
        length = struct.pack("<H", len(text)) if version == 1 else struct.pack("<I", len(text))
        write(f"npy/{name}", b"\x93NUMPY" + bytes([version, 0]) + length + text + bytes(size))


def tables_and_texts():
    table = 'name,"size, cm",kind\nash,12.5,tree\n"o""ak",,tree\nmoss,NA,\n'
    write("csv/quoted", table)
    write("csv/semicolons", "a;b;c\r\n1;2;x\r\n3;4;y\r\n")
    write("csv/packed", packed(table))
    write("picture-table/labels", "file,label\none.png,cat\n../two.jpg,dog\n")
    text = "To see a World in a Grain of Sand\nAnd a Heaven in a Wild Flower\n"
    write("text/plain", text)
    write("text/unicode", "\ufeff" + "Grüße, 世界! naïve 𝕏 " * 3)
    write("text/packed", packed(text))
    write("vocabulary/list", json.dumps(sorted(set(text))))
    write("vocabulary/numbers", json.dumps({c: i for i, c in enumerate("abc ")}))
    write("gzip/two-members", packed("one " * 30) + packed("two") + bytes(8))
    write("gzip/named", b"\x1f\x8b\x08\x08\0\0\0\0\0\x03name\0" + gzip.compress(b"named", mtime=0)[10:])
    entries = [("a.txt", b"a" * 300), ("folder/", b""), ("folder/b", bytes(random.randbytes(40)))]
    write("zip/stored", archive(entries, zipfile.ZIP_STORED))
    write("zip/packed", archive(entries, zipfile.ZIP_DEFLATED))


def field(number, value):
    """A field of a message of protocol buffers: bytes, or a number."""
    def varint(n):
        return bytes([n & 127 | (128 if n > 127 else 0)]) + (varint(n >> 7) if n > 127 else b"")
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def sparse_graph(length):
    """y = x + s, where s is [length] with the numbers 1 and 2 at 0 and 3."""
    values = field(1, 2) + field(2, 1) + field(8, "s") + field(9, struct.pack("<2f", 1, 2))
    indices = field(1, 2) + field(2, 7) + field(8, "i") + field(9, struct.pack("<2q", 0, 3))
    sparse = field(1, values) + field(2, indices) + field(3, length)
    kind = field(1, field(1, 1) + field(2, field(1, field(1, length))))
    node = field(1, "x") + field(1, "s") + field(2, "y") + field(4, "Add")
    graph = field(1, node) + field(2, "g") + field(11, field(1, "x") + field(2, kind))
    graph += field(12, field(1, "y") + field(2, kind)) + field(15, sparse)
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17))


def graphs():
    write("onnx-run/sparse", sparse_graph(5))
    write("onnx-run/found-sparse-and-long", sparse_graph(1 << 30))


def pickles_and_pictures():
    """What would have a program run, were it Python that reads it; and a picture that unpacks to much."""
    import pickle

    class Command:
        def __reduce__(self):
            return (__import__("os").system, ("touch /tmp/tarn-was-here",))

    for version in (0, 2, 4):
        write(f"pickle/system-{version}", pickle.dumps({"w": Command()}, version))
    inner = pickle.dumps([Command()], 3)
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    array = b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + inner
    write("npy/objects", array)
    write("npz/objects", archive([("x.npy", array)], zipfile.ZIP_STORED))
    write("cifar10/two", b"".join(bytes([label]) + bytes(random.randbytes(64)) * 48 for label in (3, 9)))


def plain(file, tarn, folder):
    """The contents of a run's file, without the places of this machine."""
    text = file.read_text()
    for place, name in ((f"{folder}/", ""), (tarn, "tarn")):
        text = text.replace(json.dumps(place)[1:-1], name)
    return text


def runs(tarn):
    with tempfile.TemporaryDirectory() as folder:
        text, run = pathlib.Path(folder, "text.txt"), pathlib.Path(folder, "run")
        text.write_text("abcab cabba. " * 60)
        sizes = ["--size", "4", "--layers", "1", "--batch", "4", "--seq-length", "8", "--max-iterations", "4"]
        for model in ("lstm", "transformer"):
            more = ["--heads", "2"] if model == "transformer" else []
            subprocess.run(
                [tarn, "train", "text", text, "--model", model, *more, *sizes, "--optimizer", "adam", "--out", run, "--quiet"],
                check=True, stdout=subprocess.DEVNULL)
            checkpoint = run / (run / "latest").read_text().strip()
            write(f"model-json/{model}", (run / "model.json").read_bytes())
            write(f"model-json/{model}-adam", (checkpoint / "optimizer.json").read_bytes())
            if model == "lstm":
                keep(run, checkpoint, lambda file: plain(file, tarn, folder))
            shutil.rmtree(run)
        tiny = ["--model", "mlp", "--hidden", "2", "--epochs", "1", "--quiet"]
        subprocess.run([tarn, "train", "images", "digits", *tiny, "--out", run], check=True, stdout=subprocess.DEVNULL)
        write("run/digits", plain(run / "run.json", tarn, folder))
        write("model-json/mlp", (run / "model.json").read_bytes())


def keep(run, checkpoint, plain):
    """A whole run, in which the readers of runs find one file changed."""
    sample = CORPUS.parent / "sample-run"
    shutil.rmtree(sample, ignore_errors=True)
    sample.mkdir()
    for name in ("run.json", "text.json", "vocabulary.json"):
        (sample / name).write_text(plain(run / name))
    (sample / "model.safetensors").write_bytes((run / "model.safetensors").read_bytes())
    kept = sample / "checkpoint-0"
    kept.mkdir()
    for file in checkpoint.iterdir():
        (kept / file.name).write_bytes(file.read_bytes())
    (sample / "latest").write_text("checkpoint-0\n")
    write("run/text", plain(run / "run.json"))
    write("text-run/lstm", plain(run / "text.json"))
    write("vocabulary/run", (run / "vocabulary.json").read_bytes())
    write("checkpoint/lstm", (checkpoint / "state.json").read_bytes())
    write("manifest/lstm", (checkpoint / "manifest.json").read_bytes())


def main():
    safetensors()
    arrays()
    tables_and_texts()
    graphs()
    pickles_and_pictures()
    runs(sys.argv[1])


main()
