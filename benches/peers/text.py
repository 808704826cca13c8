"""CPU seconds of the Python peers of the text filter on the texts of a file of JSON lines (`text`), best of three.

Usage: pip install hojichar==0.18.1 datasketch==2.0.0 numpy
       python benches/peers/text.py TEXTS.jsonl
       TSUMUGI_BENCH_TEXTS=$PWD/TEXTS.jsonl cargo bench -p tsumugi-text --bench text

Swallow's corpus code is not on PyPI: its statistics are computed by the plain Python of
crates/text/tests/fixtures/make_quality.py, which follows the same definitions, and the script counts of the same kind.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../crates/text/tests/fixtures"))


def swallow(texts):
    import make_quality

    def letters(text):
        counts = [0] * 5
        for c in text:
            o = ord(c)
            if 0x3041 <= o <= 0x3096:
                counts[0] += 1
            elif 0x30A1 <= o <= 0x30FA:
                counts[1] += 1
            elif c in "、，":
                counts[2] += 1
            elif c in "。．！？":
                counts[3] += 1
            elif 0x3400 <= o <= 0x9FFF or 0xF900 <= o <= 0xFAFF or c in "々〇〻":
                counts[4] += 1
        return counts

    for text in texts:
        make_quality.statistics(text)
        letters(text)


def hojichar(texts):
    from hojichar import Document, document_filters as f

    filters = [
        f.AcceptJapanese(),
        f.DiscardRareKuten(),
        f.DiscardBBSComments(),
        f.DocumentLengthFilter(200, 50000),
        f.CharRepetitionRatioFilter(),
        f.SingleCharacterRepetitionFilter(),
        f.DiscardTooManyEndingEllipsis(),
        f.DiscardTooShortLines(),
    ]
    for text in texts:
        document = Document(text)
        for filter_ in filters:
            filter_.apply(document)


def datasketch(texts):
    from datasketch import MinHash

    for text in texts:
        minhash = MinHash(num_perm=112)
        text = "".join(text.split())
        minhash.update_batch([text[i : i + 5].encode() for i in range(max(1, len(text) - 4))])


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    for peer in (swallow, hojichar, datasketch):
        best = None
        for _ in range(3):
            start = time.process_time()
            peer(texts)
            spent = time.process_time() - start
            best = spent if best is None else min(best, spent)
        print(f"{peer.__name__}: {megabytes:.2f} MB, {best:.2f} CPU s, {megabytes / best:.2f} MB/s, {len(texts) / best:.0f} documents/s")


if __name__ == "__main__":
    main()
