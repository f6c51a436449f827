"""HDF5 files that are built in memory and written in one piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paget.io.export import needed

__all__ = ["hdf5_file"]

_GROWTH_BYTES = 2**24


@contextmanager
def hdf5_file(path: Path, purpose: str) -> Iterator[Any]:
    """A new HDF5 file, open for writing; on the disk once the block ends.

    The HDF5 library cannot close a file of which a part did not fit on the disk, and takes the process down at its end.
    Plain bytes that do not fit are a plain error.

    Parameters
    ----------
    purpose : what it is for, to begin the sentence of an error: "VTKHDF files are written".
    """
    h5py = needed("h5py", "export", purpose)
    with h5py.File(path.name, "w", driver="core", backing_store=False, block_size=_GROWTH_BYTES) as file:
        yield file
        file.flush()
        content = file.id.get_file_image()
    path.write_bytes(content)
