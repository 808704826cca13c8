"""ROUGE-L of 10,000 pairs: ours against PyPI's rouge_score with fugashi and unidic-lite, on one core, in turn.

    pip install rouge_score==0.1.2 fugashi==1.5.2 unidic-lite==1.0.8 emoji==2.16.0 neologdn==0.5.6
    cargo build --release --example score --no-default-features --features eval
    python benches/peers/rouge.py

Prints CPU seconds (user and system) of both sides, medians of five, and how far the scores are apart. Ours is the whole
process, with its start, reading and writing; theirs is the scoring alone. `tokens` are pairs that are tokenised already:
theirs is measured here, ours by `cargo bench -p tsumugi-eval --bench eval -- rouge/tokens`.
"""

import argparse
import json
import os
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "crates/eval/tests/fixtures"))
from make_eval_cases import PLACES, SUBJECTS, TAILS, VERBS, WORDS  # noqa: E402
from rouge_score import rouge_scorer  # noqa: E402


class Given:
    """Tokens that were made before."""

    def tokenize(self, text):
        return text.split(" ")


def text(rng):
    length = rng.randrange(30, 121)
    out = ""
    while len(out) < length:
        out += f"{rng.choice(PLACES)}で{rng.choice(SUBJECTS)}{rng.choice('がをはに')}{rng.choice(VERBS)}{rng.choice(TAILS)}"
    return out[:length]


def cpu(work):
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


def ours(score, path, profile):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run([score, "--predictions", path, "--profile", profile], check=True, capture_output=True, env=os.environ | {"RAYON_NUM_THREADS": "1"}, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, [json.loads(line)["score"] for line in output.stdout.splitlines()[:-1]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--score", default=str(ROOT / "target/release/examples/score"), help="our example `score`")
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rng = random.Random(10)
    pairs = [(text(rng), text(rng)) for _ in range(arguments.pairs)]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for prediction, reference in pairs:
            file.write(json.dumps({"prediction": prediction, "reference": reference}, ensure_ascii=False) + "\n")
        file.flush()
        for profile, fold in [("paper", "nfkc"), ("sakana", "neologdn")]:
            scorer = rouge_scorer.RougeScorer(["rougeL"], tokenizer=WORDS[fold])
            times, apart = {"ours": [], "theirs": []}, 0.0
            for _ in range(arguments.rounds):
                seconds, expected = cpu(lambda: [100 * scorer.score(r, p)["rougeL"].fmeasure for p, r in pairs])
                times["theirs"].append(seconds)
                seconds, found = ours(arguments.score, file.name, profile)
                times["ours"].append(seconds)
                apart = max(abs(a - b) for a, b in zip(expected, found, strict=True))
            medians = {name: statistics.median(values) for name, values in times.items()}
            print(json.dumps({"texts": fold, "pairs": len(pairs), "cpu_s": medians, "times": medians["theirs"] / medians["ours"], "apart": apart}))
    tokens = [(" ".join(WORDS["nfkc"].tokenize(p)), " ".join(WORDS["nfkc"].tokenize(r))) for p, r in pairs]
    scorer = rouge_scorer.RougeScorer(["rougeL"], tokenizer=Given())
    theirs = statistics.median(cpu(lambda: [scorer.score(r, p) for p, r in tokens])[0] for _ in range(arguments.rounds))
    print(json.dumps({"tokens": "given", "pairs": len(pairs), "cpu_s": {"theirs": theirs}}))


if __name__ == "__main__":
    main()
