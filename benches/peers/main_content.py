#!/usr/bin/env python3
"""How well main content is found on pages of seven types (WCXB), ours and rs-trafilatura's in the same run.

    cargo build --release -p tsumugi-page --example read_pages
    python3 -m venv venv && venv/bin/pip install rs-trafilatura==0.1.1 trafilatura==2.3.1
    venv/bin/python benches/peers/main_content.py FOLDER [--no-peers] [--worst TYPE N]

FOLDER holds `html/*.html.gz` and `ground-truth/*.json` (`page_type`, `main_content`). F1 is that of lower-case words
(`\\w+`, counted with repetition), the mean over the pages. rs-trafilatura 0.1.1 on PyPI wraps the crate rs-trafilatura
0.2.2. `--worst` lists the pages of a type with the lowest F1, with the lines that are missing and those that are too much.
"""

import collections
import gzip
import json
import pathlib
import re
import resource
import sys
import tempfile

from main_text import read_all


def words(text: str) -> collections.Counter:
    return collections.Counter(re.findall(r"\w+", (text or "").lower()))


def f1(wanted: str, found: str) -> float:
    wanted, found = words(wanted), words(found)
    if not wanted or not found:
        return float(not wanted and not found)
    return 2 * (wanted & found).total() / (wanted.total() + found.total())


def cpu_seconds(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def ours(pages: dict[str, bytes]) -> dict[str, str]:
    """Main text by page name, from one run of the example over files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, html in pages.items():
            pathlib.Path(folder, f"{name}.html").write_bytes(html)
        files = [pathlib.Path(folder, f"{name}.html") for name in pages]
        return read_all(files)


def peers() -> dict:
    import rs_trafilatura
    import trafilatura

    def rs(html: bytes) -> str:
        return rs_trafilatura.extract_bytes(html).main_content or ""

    return {"rs-trafilatura": rs, "trafilatura": lambda html: trafilatura.extract(html) or ""}


def worst(truth: dict, texts: dict, kind: str, count: int) -> None:
    names = [name for name in truth if truth[name]["page_type"] == kind]
    scores = sorted((f1(truth[name]["main_content"], texts[name]), name) for name in names)
    for score, name in scores[:count]:
        wanted, found = truth[name]["main_content"], texts[name]
        print(f"\n== {score:.3f} {name} {truth[name]['url']}")
        for sign, lines, other in (("-", wanted, found), ("+", found, wanted)):
            for line in [line.strip() for line in lines.split("\n")][:400]:
                if line and line not in other:
                    print(" ", sign, line[:150])


def main() -> None:
    base = pathlib.Path(sys.argv[1])
    truth = {file.stem: json.loads(file.read_text()) for file in sorted((base / "ground-truth").glob("*.json"))}
    pages = {name: gzip.decompress((base / f"html/{name}.html.gz").read_bytes()) for name in truth}
    found, seconds = {}, {}
    before = cpu_seconds(resource.RUSAGE_CHILDREN)
    found["ours"] = ours(pages)
    seconds["ours"] = cpu_seconds(resource.RUSAGE_CHILDREN) - before
    for name, extract in {} if "--no-peers" in sys.argv else peers().items():
        before = cpu_seconds(resource.RUSAGE_SELF)
        found[name] = {page: extract(html) for page, html in pages.items()}
        seconds[name] = cpu_seconds(resource.RUSAGE_SELF) - before
    kinds = sorted({item["page_type"] for item in truth.values()})
    print("system".ljust(16), "mean ", *(kind[:9].ljust(9) for kind in kinds), "pages/CPU s")
    for name, texts in found.items():
        scores = collections.defaultdict(list)
        for page, item in truth.items():
            scores[item["page_type"]].append(f1(item["main_content"], texts[page]))
        every = [score for kind in kinds for score in scores[kind]]
        means = [f"{sum(scores[kind]) / len(scores[kind]):.4f}".ljust(9) for kind in kinds]
        print(name.ljust(16), f"{sum(every) / len(every):.4f}", *means, f"{len(pages) / seconds[name]:.0f}")
    if "--worst" in sys.argv:
        at = sys.argv.index("--worst")
        worst(truth, found["ours"], sys.argv[at + 1], int(sys.argv[at + 2]))


main()
