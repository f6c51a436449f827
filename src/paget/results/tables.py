"""Tables as Parquet: written in one piece with a checksum per page, read back with the size and row count promised."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from paget.errors import DamagedResultError
from paget.results.record import SCHEMA_VERSION, FilePart

__all__ = ["encode", "read"]

Columns = Mapping[str, npt.NDArray[Any]]

IDS = ("id", "cell", "other", "animal")  # mostly ascending; other whole numbers of 64 bits are words of bits
_COMPRESSION_LEVEL = 3
_ROWS_FOR_A_WORD = 8  # below this many rows for each different word its eight bytes in a dictionary do not pay


def encode(row_groups: Sequence[Columns], units: Mapping[str, str], about: Mapping[str, str]) -> memoryview:
    """Turn column tables into one Parquet file with a row group each.

    Parameters
    ----------
    row_groups : tables with the same columns.
    units : unit of every column that has one; kept with the column and, as one JSON text, with the file.
    about : further facts for the file's metadata.
    """
    first = row_groups[0]
    known = {name: unit for name, unit in units.items() if name in first and unit}
    facts = {"paget:schema_version": str(SCHEMA_VERSION), "paget:units": json.dumps(known), **about}
    fields = [
        pa.field(name, pa.array(values).type, metadata={"unit": known[name]} if name in known else None)
        for name, values in first.items()
    ]
    schema = pa.schema(fields, metadata=facts)
    wide = [field.name for field in fields if field.type in (pa.int64(), pa.uint64())]
    ids = [name for name in wide if name in IDS]
    split = [name for name in wide if name not in IDS and _is_varied(first[name])]
    split += [field.name for field in fields if pa.types.is_floating(field.type)]
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=_COMPRESSION_LEVEL,
        use_dictionary=[field.name for field in fields if field.name not in (*split, *ids)],
        column_encoding={**dict.fromkeys(split, "BYTE_STREAM_SPLIT"), **dict.fromkeys(ids, "DELTA_BINARY_PACKED")},
        write_page_checksum=True,
    ) as writer:
        for columns in row_groups:
            arrays = [pa.array(np.ascontiguousarray(columns[field.name]), type=field.type) for field in fields]
            rows = len(arrays[0]) if arrays else 0
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=max(rows, 1))
    return memoryview(sink.getvalue())


def _is_varied(words: npt.NDArray[Any]) -> bool:
    """Say whether words of bits, such as states of networks, are too many different ones for a dictionary."""
    return bool(pc.count_distinct(pa.array(words)).as_py() * _ROWS_FOR_A_WORD > len(words))


def read(path: Path, expected: FilePart, row_group: int | None = None) -> pa.Table:
    """Read a committed table, or one of its row groups.

    Raises
    ------
    DamagedResultError
        If the file is missing, has another size or number of rows than was committed, or fails its checksums.
    """
    try:
        size = path.stat().st_size
    except OSError:
        raise DamagedResultError(f"{path} is missing, although it was committed.") from None
    if size != expected.size:
        raise DamagedResultError(f"{path} has {size} bytes instead of the {expected.size} that were committed.")
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            rows = file.metadata.num_rows
            table = file.read() if row_group is None else file.read_row_group(row_group)
    except (pa.ArrowException, OSError) as problem:
        raise DamagedResultError(f"{path} cannot be read: {problem}") from problem
    if rows != expected.rows:
        raise DamagedResultError(f"{path} has {rows} rows instead of the {expected.rows} that were committed.")
    return table
