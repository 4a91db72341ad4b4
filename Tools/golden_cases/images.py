"""Pictures: files as Pillow reads them, scaling, and torchvision's changes of single pictures."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps
from torchvision.transforms import functional as F

from .book import Book

NEAREST, BILINEAR, BICUBIC = (F.InterpolationMode.NEAREST, F.InterpolationMode.BILINEAR, F.InterpolationMode.BICUBIC)


def photo(width, height, seed=0):
    """Something with edges, slopes and a little noise, in colour."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = []
    for channel in range(3):
        waves = 90 * np.sin(x / (5 + channel) + seed) + 60 * np.cos(y / (4 + 2 * channel) - seed)
        edge = 70.0 * ((x + 2 * y + 11 * channel) % 37 > 18)
        planes.append(110 + waves + edge - 35)
    noise = np.random.default_rng(seed).integers(-9, 10, (height, width, 3))
    return Image.fromarray(np.clip(np.stack(planes, 2) + noise, 0, 255).astype(np.uint8))


def saved(image, form, **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


# Files


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples, bits):
    """Rows of samples, [H, n], packed to bytes with the filter type in front."""
    lines = []
    for row in samples:
        text = "".join(format(int(v), f"0{bits}b") for v in row)
        text += "0" * (-len(text) % 8)
        lines.append(b"\0" + bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8)))
    return b"".join(lines)


def png(samples, colour, bits, extra=b"", interlaced=False):
    """samples [H, W, n]."""
    height, width = samples.shape[:2]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        data = b""
        for x, y, dx, dy in passes:
            part = samples[y::dy, x::dx]
            if part.size:
                data += packed(part.reshape(part.shape[0], -1), bits)
    else:
        data = packed(samples.reshape(height, -1), bits)
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data, 9))
            + chunk(b"IEND", b""))


def png_files():
    source = np.asarray(photo(13, 11))
    grey = source[:, :, :1]
    alpha = np.concatenate([source, source[:, :, 1:2]], 2)
    palette = chunk(b"PLTE", np.asarray(photo(16, 16, 5)).reshape(-1, 3)[:16].tobytes())
    full = chunk(b"PLTE", np.asarray(photo(16, 16, 5)).tobytes())
    key = chunk(b"tRNS", bytes([0, 128, 255, 7]))
    for bits in (1, 2, 4, 8):
        yield f"png_grey{bits}", png(grey >> (8 - bits), 0, bits)
    yield "png_grey_key", png(grey, 0, 8, chunk(b"tRNS", struct.pack(">H", 120)))
    yield "png_rgb", png(source, 2, 8)
    yield "png_rgb_key", png(source, 2, 8, chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3)))
    yield "png_rgb16", png(source.astype(int) * 256 + 77, 2, 16)
    for bits in (1, 2, 4):
        yield f"png_palette{bits}", png(grey >> (8 - bits), 3, bits, chunk(
            b"PLTE", np.asarray(photo(16, 16, 5)).reshape(-1, 3)[:1 << bits].tobytes()))
    yield "png_palette8", png(grey, 3, 8, full)
    yield "png_palette_key", png(grey >> 4, 3, 4, palette + key)
    yield "png_grey_alpha", png(alpha[:, :, :2], 4, 8)
    yield "png_rgba", png(alpha, 6, 8)
    yield "png_rgba16", png(alpha.astype(int) * 256 + 200, 6, 16)
    for bits, colour, samples in ((8, 2, source), (1, 0, grey >> 7), (8, 6, alpha)):
        yield f"png_interlaced{bits}_{colour}", png(samples, colour, bits, interlaced=True)
    yield "png_1x1_interlaced", png(source[:1, :1], 2, 8, interlaced=True)


def jpeg_files():
    source = photo(29, 21)
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        yield f"jpeg_{name}", saved(source, "JPEG", quality=80, subsampling=subsampling)
        yield f"jpeg_{name}_progressive", saved(source, "JPEG", quality=80, subsampling=subsampling, progressive=True)
    yield "jpeg_grey", saved(source.convert("L"), "JPEG", quality=70)
    yield "jpeg_cmyk", saved(source.convert("CMYK"), "JPEG", quality=85)
    yield "jpeg_restarts", saved(source, "JPEG", quality=60, restart_marker_blocks=2)
    yield "jpeg_1x1", saved(source.crop((3, 3, 4, 4)), "JPEG")


def bmp(width, height, bits, compression, colours, pixels, fields=b""):
    start = 54 + len(fields) + len(colours)
    return (b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 0, 0, len(colours) // 4, 0)
            + fields + colours + pixels)


def bmp_files():
    source = photo(13, 7)
    grey = source.convert("L")
    yield "bmp_1", saved(source.convert("1"), "BMP")
    yield "bmp_8_grey", saved(grey, "BMP")
    yield "bmp_8_palette", saved(source.quantize(60), "BMP")
    yield "bmp_24", saved(source, "BMP")
    yield "bmp_32", saved(source.convert("RGBA"), "BMP")
    colours = b"".join(bytes([5 * i, 255 - 3 * i, 7 * i, 0]) for i in range(16))
    rows = bytes(range(0, 240, 3))[:4 * 7]
    yield "bmp_4", bmp(7, 7, 4, 0, colours, rows)
    yield "bmp_4_down", bmp(7, -7, 4, 0, colours, rows)
    words = np.random.default_rng(1).integers(0, 1 << 16, (5, 6)).astype("<u2").tobytes()
    yield "bmp_16", bmp(6, 5, 16, 0, b"", words)
    yield "bmp_16_565", bmp(6, 5, 16, 3, b"", words, struct.pack("<III", 0xf800, 0x7e0, 0x1f))
    full = b"".join(bytes([i, 255 - i, i // 2, 0]) for i in range(256))
    runs = bytes([3, 9, 0, 5, 1, 2, 3, 4, 5, 0, 2, 200, 0, 0, 10, 77, 0, 0, 0, 4, 9, 8, 7, 6, 6, 50, 0, 0, 10, 200, 0, 1])
    yield "bmp_rle8", bmp(10, 4, 8, 1, full, runs)


def netpbm_files():
    source = photo(9, 5)
    yield "ppm", saved(source, "PPM")
    yield "pgm", saved(source.convert("L"), "PPM")
    yield "pbm", saved(source.convert("1"), "PPM")
    rows = "\n".join(" ".join(str(v) for v in row) for row in np.asarray(source).reshape(5, 27))
    yield "ppm_text", f"P3 # a comment\n9 5\n255\n{rows}\n".encode()
    yield "pbm_text", b"P1\n4 3\n0110 1 0 0 1\n1111\n"


def grey16(book):
    """Where Pillow cuts at 255 the higher byte is wanted."""
    samples = np.asarray(photo(9, 4))[:, :, :1].astype(int) * 256 + 130
    book.case("file_png_grey16", "the higher bytes of the samples")
    book.put("file_png_grey16", "file", np.frombuffer(png(samples, 0, 16), np.uint8))
    book.put("file_png_grey16", "pixels", (samples[:, :, 0] >> 8).astype(np.uint8))


def read(data):
    image = Image.open(io.BytesIO(data))
    return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))


def files(book):
    for maker in (jpeg_files, png_files, bmp_files, netpbm_files):
        for name, data in maker():
            book.case(f"file_{name}", "Image.open(file).convert('RGB')")
            book.put(f"file_{name}", "file", np.frombuffer(data, np.uint8))
            book.put(f"file_{name}", "pixels", read(data))
    grey16(book)
    source = photo(11, 6, 3)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = saved(source, "JPEG", quality=75, subsampling=0, exif=exif)
        book.case(f"exif_{orientation}", "ImageOps.exif_transpose(Image.open(file))")
        book.put(f"exif_{orientation}", "file", np.frombuffer(data, np.uint8))
        book.put(f"exif_{orientation}", "pixels", np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))))


# Changes of single pictures

SIZES = [(14, 10), (21, 8), (6, 17), (33, 28), (1, 1), (3, 30), (20, 16), (31, 9)]

CHANGES = [
    "F.center_crop(p, [12, 15])", "F.center_crop(p, [13, 14])", "F.center_crop(p, [24, 20])", "F.center_crop(p, [15, 34])",
    "F.pad(p, [3, 1, 5, 2], fill=(9, 8, 7))", "F.pad(p, [3, 1, 5, 2], padding_mode='edge')",
    "F.pad(p, [3, 1, 5, 2], padding_mode='reflect')", "F.hflip(p)", "F.vflip(p)",
    "F.rotate(p, 30)", "F.rotate(p, 30, BILINEAR)", "F.rotate(p, -77.5, BILINEAR, fill=(1, 2, 3))",
    "F.rotate(p, 45, expand=True)", "F.rotate(p, 90, expand=True)", "F.rotate(p, 90)", "F.rotate(p, 180)",
    "F.affine(p, 0, [4, -3], 1, [0, 0])", "F.affine(p, 15, [2, 5], 0.8, [10, -5])",
    "F.affine(p, 15, [2, 5], 1.3, [10, -5], BILINEAR, fill=(5, 6, 7))",
    "F.adjust_brightness(p, 0.6)", "F.adjust_brightness(p, 1.7)", "F.adjust_contrast(p, 0.5)", "F.adjust_contrast(p, 1.6)",
    "F.adjust_saturation(p, 0)", "F.adjust_saturation(p, 0.3)", "F.adjust_saturation(p, 2.1)", "F.adjust_hue(p, 0.2)",
    "F.adjust_hue(p, -0.37)", "F.adjust_sharpness(p, 0.2)", "F.adjust_sharpness(p, 1.8)", "F.posterize(p, 3)",
    "F.solarize(p, 100)", "F.autocontrast(p)", "F.equalize(p)", "F.invert(p)", "F.to_grayscale(p)",
]


def changes(book):
    source = photo(21, 17)
    book.case("photo", "a picture")
    book.put("photo", "pixels", np.asarray(source))
    for width, height in SIZES:
        for name, mode in (("nearest", Image.NEAREST), ("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)):
            case = f"resize_{name}_{width}x{height}"
            book.case(case, f"p.resize(({width}, {height}), Image.{name.upper()})")
            book.put(case, "pixels", np.asarray(source.resize((width, height), mode)))
    book.case("resize_grey", "p.convert('L').resize((14, 10), Image.BICUBIC)")
    book.put("resize_grey", "pixels", np.asarray(source.convert("L").resize((14, 10), Image.BICUBIC)))
    for number, call in enumerate(CHANGES):
        case = f"change_{number:02}"
        book.case(case, call)
        book.put(case, "pixels", np.asarray(eval(call, {"F": F, "p": source, "BILINEAR": BILINEAR})))


# What networks take

MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def inputs(book):
    for name, source in (("wide", photo(53, 41)), ("high", photo(24, 61, 2)), ("small", photo(19, 12, 4))):
        data = saved(source, "JPEG", quality=85)
        image = Image.open(io.BytesIO(data))
        case = f"input_{name}"
        book.case(case, "normalize(to_tensor(center_crop(resize(p, 20, MODE), 18)), MEAN, DEVIATION)")
        book.put(case, "file", np.frombuffer(data, np.uint8))
        for mode_name, mode in (("bilinear", BILINEAR), ("bicubic", BICUBIC)):
            cropped = F.center_crop(F.resize(image, 20, mode), [18, 18])
            book.put(case, mode_name, F.normalize(F.to_tensor(cropped), MEAN, DEVIATION).numpy())


def make():
    book = Book()
    files(book)
    changes(book)
    inputs(book)
    return book
