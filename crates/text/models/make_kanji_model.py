"""Make kanji.bin, how much more Japanese than Chinese characters and pairs of characters are, and kanji_words.bin, which words
only Japanese has.

Usage: pip install Janome==0.5.0 jieba==0.42.1 opencc-python-reimplemented==0.1.7 Django==5.2
       python make_kanji_model.py kanji.bin kanji_words.bin

kanji.bin holds log-odds that are counted from the words of Janome's dictionary (IPADIC), jieba's dictionary, the same
in traditional characters by OpenCC (Taiwan), and the messages of Django in the three languages; no word of them.

Format, little-endian: u16 count of characters; for each: u16 code point, i8 log-odds against simplified and against
traditional Chinese, i8 of both for pairs that begin with it and are not listed; then for each listed pair: u16, u16,
i8, i8. Log-odds are in twentieths.

kanji_words.bin holds the sorted FNV-1a hashes (u32, little-endian) of the UTF-8 of the words of two to five characters that
IPADIC has at a cost of at most 6500 and that jieba has neither in simplified nor in traditional characters (OpenCC's standard,
Taiwan, Hong Kong); no word of them.
"""

import collections
import glob
import importlib
import math
import os
import re
import struct
import sys

HAN = re.compile(r"[々〆\u3400-\u9fff]+")
PAIRS = 40_000
PRIOR = 100.0  # weight of the single characters in the odds of a pair
FLOOR = 1e-6
CLIP = 6.0
SCALE = 20
WORD_COST = 6500


def japanese():
    words = collections.Counter()
    for part in range(10):
        module = importlib.import_module(f"janome.sysdic.entries_compact{part}")
        for surface, _, _, cost in module.DATA.values():
            for run in HAN.findall(surface):
                words[run] += math.exp(-cost / 700)
    return words


def simplified():
    import jieba

    words = collections.Counter()
    with open(os.path.join(os.path.dirname(jieba.__file__), "dict.txt"), encoding="utf-8") as lines:
        for line in lines:
            word, count, _ = line.split(" ")
            if HAN.fullmatch(word):
                words[word] += int(count)
    return words


def traditional(words):
    import opencc

    convert = opencc.OpenCC("s2tw").convert
    converted = collections.Counter()
    for word, count in words.items():
        converted[convert(word)] += count
    return converted


def messages(language):
    import django

    root = os.path.dirname(django.__file__)
    runs = collections.Counter()
    string = r'"((?:[^"\\]|\\.)*)"'
    for path in sorted(glob.glob(f"{root}/**/locale/{language}/LC_MESSAGES/*.po", recursive=True)):
        with open(path, encoding="utf-8") as file:
            for match in re.finditer(rf'msgstr(?:\[\d\])? {string}((?:\n"(?:[^"\\]|\\.)*")*)', file.read()):
                text = match.group(1) + "".join(re.findall(string, match.group(2)))
                for run in HAN.findall(text):
                    runs[run] += 1
    return runs


class Counts:
    """Characters, first characters of pairs, and pairs, with the frequencies evened out by a square root."""

    def __init__(self, words, runs):
        self.single = collections.Counter()
        self.first = collections.Counter()
        self.pair = collections.Counter()
        total = sum(words.values())
        for word, count in words.items():
            weight = math.sqrt(count / total * 1e8)
            for char in word:
                self.single[char] += weight
            self.add(word, weight)
        mass = sum(self.single.values())
        letters = collections.Counter()
        for run, count in runs.items():
            for char in run:
                letters[char] += count
            self.add(run, 3 * count)
        for char in self.single:
            self.single[char] /= mass
        for char, count in letters.items():
            self.single[char] += 0.2 * count / sum(letters.values())

    def add(self, word, weight):
        for a, b in zip(word, word[1:]):
            self.pair[a, b] += weight
            self.first[a] += weight

    def p1(self, char):
        return self.single[char] + FLOOR

    def p2(self, a, b):
        return (self.pair[a, b] + PRIOR * self.p1(b)) / (self.first[a] + PRIOR)


def odds(p, q):
    return max(-127, min(127, round(max(-CLIP, min(CLIP, math.log(p / q))) * SCALE)))


def in_shift_jis(char):
    try:
        char.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def fnv(word):
    value = 0x811C9DC5
    for byte in word.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def own_words(chinese):
    import opencc

    known = set(chinese)
    for variant in ("s2t", "s2tw", "s2hk"):
        known.update(map(opencc.OpenCC(variant).convert, chinese))
    own = set()
    for part in range(10):
        module = importlib.import_module(f"janome.sysdic.entries_compact{part}")
        for surface, _, _, cost in module.DATA.values():
            if cost <= WORD_COST and 2 <= len(surface) <= 5 and HAN.fullmatch(surface) and surface not in known:
                if all(map(in_shift_jis, surface)):
                    own.add(fnv(surface))
    return sorted(own)


def main():
    words = simplified()
    hashes = own_words(words)
    with open(sys.argv[2], "wb") as out:
        out.write(struct.pack(f"<{len(hashes)}I", *hashes))
    models = [
        Counts(japanese(), messages("ja")),
        Counts(words, messages("zh_Hans")),
        Counts(traditional(words), messages("zh_Hant")),
    ]
    ja, chinese = models[0], models[1:]
    chars = sorted(c for c in set().union(*(m.single for m in models)) if in_shift_jis(c) and ord(c) < 0x10000)
    single = {c: [odds(ja.p1(c), m.p1(c)) for m in chinese] for c in chars}
    rest = {c: [odds(m.first[c] + PRIOR, ja.first[c] + PRIOR) for m in chinese] for c in chars}

    def unlisted(a, b):
        return [max(-120, min(120, x + y)) for x, y in zip(single[b], rest[a])]

    listed = []
    for a, b in set().union(*(m.pair for m in models)):
        if a in single and b in single:
            value = [odds(ja.p2(a, b), m.p2(a, b)) for m in chinese]
            gain = max(abs(x - y) for x, y in zip(value, unlisted(a, b)))
            if gain >= 12:
                listed.append((-gain * max(m.pair[a, b] for m in models), a, b, value))
    listed = sorted(listed)[:PAIRS]
    with open(sys.argv[1], "wb") as out:
        out.write(struct.pack("<H", len(chars)))
        for c in chars:
            out.write(struct.pack("<Hbbbb", ord(c), *single[c], *rest[c]))
        for _, a, b, value in sorted(listed, key=lambda entry: (entry[1], entry[2])):
            out.write(struct.pack("<HHbb", ord(a), ord(b), *value))


if __name__ == "__main__":
    main()
