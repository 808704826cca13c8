#!/usr/bin/env python3
"""Opens a pipeline's tables with Hugging Face datasets, pandas, Polars and DuckDB.

    python3 tests/interop/check_tables.py demo

Every Parquet file under the folder is read by all four; they must agree on rows and columns. The training tables must
come out of `datasets.load_dataset` with decoded images, and a conversation's messages in the form that chat templates
take. Exit code 0 when all is well.
"""

import io
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")

import datasets
import duckdb
import pandas
import polars
import pyarrow.parquet
from PIL import Image

# Table -> its columns of images; a table that must be there and hold rows.
TRAINING = {"pairs": "image", "interleaved": "images", "conversations": "images"}
KINDS = {
    "documents", "images", "fetches", "pairs", "interleaved", "conversations", "excluded", "predictions", "judgements",
}


def shards(folder):
    """Kind and folder -> its shards, in order."""
    found = {}
    for path in sorted(folder.rglob("*.parquet")):
        kind = path.name.rsplit("-", 1)[0]
        if kind in KINDS and not path.name.startswith("."):
            found.setdefault((kind, path.parent), []).append(str(path))
    return found


def check_readers(files):
    """Rows by each of the readers; they must agree with the file's own count and on the columns' names."""
    rows = sum(pyarrow.parquet.ParquetFile(file).metadata.num_rows for file in files)
    columns = pyarrow.parquet.read_schema(files[0]).names
    pandas_frame = pandas.concat([pandas.read_parquet(file) for file in files])
    polars_frame = polars.read_parquet(files)
    duck = duckdb.sql(f"SELECT * FROM read_parquet({files})")
    count = duckdb.sql(f"SELECT count(*) FROM read_parquet({files})").fetchall()[0][0]
    assert len(pandas_frame) == rows, f"pandas: {len(pandas_frame)} rows of {rows}"
    assert polars_frame.height == rows, f"Polars: {polars_frame.height} rows of {rows}"
    assert count == rows == len(duck.fetchall()), f"DuckDB: {count} rows of {rows}"
    for reader, names in [("pandas", pandas_frame.columns), ("Polars", polars_frame.columns), ("DuckDB", duck.columns)]:
        assert list(names) == columns, f"{reader}: columns {list(names)} instead of {columns}"
    return rows, polars_frame


def check_images(kind, column, files, cache):
    """Decoded images by `datasets`, held against the stored bytes; returns how many."""
    table = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=cache)
    raw = pyarrow.parquet.read_table(files, columns=[column])[column].to_pylist()
    assert len(table) == len(raw), f"datasets: {len(table)} rows of {len(raw)}"
    images = 0
    for row, stored in zip(table, raw):
        shown = row[column] if isinstance(row[column], list) else [row[column]]
        stored = stored if isinstance(stored, list) else [stored]
        assert len(shown) == len(stored)
        for image, cell in zip(shown, stored):
            if cell is None:
                assert image is None
                continue
            assert isinstance(image, Image.Image), f"{kind}: {type(image)} instead of an image"
            image.load()
            assert image.size == Image.open(io.BytesIO(cell["bytes"])).size
            images += 1
        check_row(kind, row)
    assert images > 0, f"{kind}: no image in {len(table)} rows"
    return images


def check_row(kind, row):
    """What a training table promises of each row."""
    if kind == "pairs":
        assert row["text"].strip() and row["image"].size == (row["width"], row["height"])
    elif kind == "interleaved":
        places = list(zip(row["texts"], row["images"]))
        assert len(row["texts"]) == len(row["images"])
        assert all((text is None) != (image is None) for text, image in places), "one of text and image at each place"
    else:
        roles = [message["role"] for message in row["messages"]]
        assert roles[-1] == "assistant" and set(roles) <= {"system", "user", "assistant"}, roles
        parts = [part for message in row["messages"] for part in message["content"]]
        assert {part["type"] for part in parts} <= {"text", "image"}
        assert sum(part["type"] == "image" for part in parts) == len(row["images"])
        assert all(part["text"] for part in parts if part["type"] == "text")


def main():
    folder = Path(sys.argv[1])
    found = shards(folder)
    if not found:
        sys.exit(f"{folder}: no table of ours in it; run `cargo xtask demo` first")
    seen = set()
    with tempfile.TemporaryDirectory() as cache:
        for (kind, place), files in found.items():
            rows, _ = check_readers(files)
            line = f"{str(place.relative_to(folder)):40} {kind:14} {rows:6} rows by pandas, Polars and DuckDB"
            if kind in TRAINING and rows:
                images = check_images(kind, TRAINING[kind], files, cache)
                line += f"; {images} images decoded by datasets"
                seen.add(kind)
            print(line)
    missing = set(TRAINING) - seen
    if missing:
        sys.exit(f"{folder}: no rows of {', '.join(sorted(missing))}")
    print(f"datasets {datasets.__version__}, pandas {pandas.__version__}, Polars {polars.__version__}, "
          f"DuckDB {duckdb.__version__}: all agree")


if __name__ == "__main__":
    main()
