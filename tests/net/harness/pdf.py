# SPDX-License-Identifier: MPL-2.0
"""A real PDF of an exact size, whose content comes from a seed."""

import hashlib
import pathlib
import random

_PAGE = b"BT /F1 24 Tf 72 720 Td (Plan d'evacuation) Tj ET"


def write(path, size, seed=1):
    """One page and an attached stream of noise that fills it to `size` bytes; returns its path."""
    low, high = 0, size
    while low < high:  # the length of the stream appears in the file as digits
        middle = (low + high + 1) // 2
        if len(_build(middle, None)) <= size:
            low = middle
        else:
            high = middle - 1
    content = _build(low, seed)
    content += b"\n" * (size - len(content))
    if len(content) != size:
        raise ValueError(f"no PDF has {size} bytes")
    pathlib.Path(path).write_bytes(content)
    return path


def _build(noise_bytes, seed):
    noise = bytes(noise_bytes) if seed is None else random.Random(seed).randbytes(noise_bytes)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(_PAGE), _PAGE),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(noise), noise),
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return out + b"startxref\n%d\n%%%%EOF\n" % table


def digest(path):
    """The hash two copies are compared by."""
    return hashlib.blake2b(pathlib.Path(path).read_bytes()).hexdigest()
