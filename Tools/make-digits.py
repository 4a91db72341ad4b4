#!/usr/bin/env python3
"""Writes Sources/CTarnDigits/digits_generated.c from scikit-learn's copy of the UCI digits.

Run in the repository's root, with scikit-learn installed:
    python3 Tools/make-digits.py
"""

from pathlib import Path

from sklearn.datasets import load_digits

TARGET = Path("Sources/CTarnDigits/digits_generated.c")


def row(image, label):
    pixels = "".join(chr(ord("A") + int(value)) for value in image.reshape(-1))
    return f'    "{pixels}{label}",\n'


def main():
    digits = load_digits()
    images, labels = digits.images, digits.target
    assert images.shape == (1797, 8, 8) and images.min() == 0 and images.max() == 16
    rows = "".join(row(image, label) for image, label in zip(images, labels))
    TARGET.write_text(
        "// Made by Tools/make-digits.py; not to be edited. Licence: NOTICE.md.\n"
        '#include "tarn_digits.h"\n\n'
        "#include <stddef.h>\n\n"
        f"static const char digits[{len(images)}][66] = {{\n{rows}}};\n\n"
        f"int tarn_digits_count(void) {{ return {len(images)}; }}\n\n"
        "const char *tarn_digit(int index) {\n"
        f"  return index >= 0 && index < {len(images)} ? digits[index] : NULL;\n"
        "}\n"
    )


if __name__ == "__main__":
    main()
