#!/usr/bin/env python3
"""How well main text is found: scrapinghub's article-extraction-benchmark, as its evaluate.py counts.

    cargo build --release -p tsumugi-page --example read_pages
    python3 benches/peers/main_text.py BENCHMARK [--worst N]

BENCHMARK holds ground-truth.json and html/*.html.gz. Precision and recall are those of shingles of four words,
averaged over the pages; F1 is made of the two averages. `--worst` lists the pages with the lowest F1, with what is
missing and what is too much.
"""

import collections
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

READER = os.environ.get("READER", pathlib.Path(__file__).parents[2] / "target/release/examples/read_pages")


def shingles(text: str) -> collections.Counter:
    words = re.findall(r"\w+", text or "", re.UNICODE)
    count = max(1, len(words) - 3) if words else 0
    return collections.Counter(tuple(words[at : at + 4]) for at in range(count))


def read_all(files: list[pathlib.Path]) -> dict[str, str]:
    out = subprocess.run([READER, "files", *files], capture_output=True, check=True).stdout
    texts = {}
    while out:
        head, _, rest = out.partition(b"\n")
        name, length = head.decode().split("\t")
        texts[pathlib.Path(name).stem] = rest[: int(length)].decode()
        out = rest[int(length) + 1 :]
    return texts


def main() -> None:
    base = pathlib.Path(sys.argv[1])
    worst = int(sys.argv[sys.argv.index("--worst") + 1]) if "--worst" in sys.argv else 0
    truth = json.loads((base / "ground-truth.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name in truth:
            file = pathlib.Path(folder, f"{name}.html")
            file.write_bytes(gzip.decompress((base / f"html/{name}.html.gz").read_bytes()))
            files.append(file)
        texts = read_all(files)
    scores = []
    for name, item in truth.items():
        wanted, found = shingles(item["articleBody"]), shingles(texts[name])
        both = sum((wanted & found).values())
        precision = both / sum(found.values()) if found else None
        recall = both / sum(wanted.values()) if wanted else None
        scores.append((2 * both / max(1, sum(wanted.values()) + sum(found.values())), precision, recall, name))
    mean = lambda values: sum(values) / len(values)
    precision = mean([score[1] for score in scores if score[1] is not None])
    recall = mean([score[2] for score in scores if score[2] is not None])
    halves = [mean([score[0] for score in scores[start::2]]) for start in (0, 1)]
    print(f"pages {len(scores)}  F1 {2 * precision * recall / (precision + recall):.4f}  precision {precision:.4f}"
          f"  recall {recall:.4f}  mean F1 {mean([score[0] for score in scores]):.4f}  halves {halves[0]:.4f} {halves[1]:.4f}")
    for f1, precision, recall, name in sorted(scores)[:worst]:
        wanted, found = truth[name]["articleBody"].split("\n"), texts[name].split("\n")
        print(f"\n== {f1:.3f} {precision} {recall} {name} {truth[name].get('url', '')}")
        for line in wanted:
            if line.strip() and line.strip() not in texts[name]:
                print("  -", line[:150])
        for line in found:
            if line.strip() and line.strip() not in truth[name]["articleBody"]:
                print("  +", line[:150])


if __name__ == "__main__":
    main()
