"""The one door to zstandard: compressed files that are hashed in the same pass."""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

CHUNK = 1 << 20
#: Measured on dumps: no larger than level 3, at 40% of its processor time.
LEVEL = 1


class Damaged(Exception):
    """The compressed bytes cannot be decoded."""


class Packer:
    """Compresses what is written to it into `file`, which it hashes; counts both sides."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._compressor = zstandard.ZstdCompressor(LEVEL, write_checksum=True).compressobj()
        self.bytes = 0
        self.plain_bytes = 0

    def write(self, chunk: bytes) -> None:
        self.plain_bytes += len(chunk)
        self._put(self._compressor.compress(chunk))

    def finish(self) -> str:
        """Write what is left and return the file's SHA-256."""
        self._put(self._compressor.flush())
        return self._hash.hexdigest()

    def _put(self, packed: bytes) -> None:
        self._file.write(packed)
        self._hash.update(packed)
        self.bytes += len(packed)


class _HashedReads:
    """Hashes what zstandard reads of a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.hash.update(chunk)
        return chunk


class Unpacker:
    """Iterates over the plain bytes of a compressed file; `sha256` is that of the whole file read.

    Memory stays flat however well the content was compressed.

    Raises:
        Damaged: while iterating, where the bytes cannot be decoded.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._source = _HashedReads(file)
        self.plain_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        reader = zstandard.ZstdDecompressor().stream_reader(self._source)  # type: ignore[arg-type]
        try:
            while chunk := reader.read(CHUNK):
                self.plain_bytes += len(chunk)
                yield chunk
        except zstandard.ZstdError as error:
            raise Damaged(str(error)) from None

    @property
    def sha256(self) -> str:
        while self._source.read(CHUNK):
            pass
        return self._source.hash.hexdigest()
