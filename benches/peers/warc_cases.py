"""What warcio and FastWARC read of the project's own cases of damage and oddity, beside what is expected of ours.

    TSUMUGI_CASES=DIR cargo test -p tsumugi-warc --test cases -- --ignored write_cases
    python3 benches/peers/warc_cases.py DIR       # needs: pip install warcio==1.8.1 fastwarc==2.0.1

Prints, for each reader, the cases whose records (type and payload) are as expected, and the cases where a reader gives a
payload that is not among the expected ones or finds more records: those are to be looked at.
"""

import io
import json
import pathlib
import sys

from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator


def shown(kind, payload):
    """A record as the project's cases write it: type and payload, long ones by their length."""
    text = "".join(
        {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 39: "\\'", 92: "\\\\"}.get(byte)
        or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")
        for byte in payload
    )
    return f"{kind or '-'} {text if len(payload) <= 100 else f'{len(payload)} bytes'}"


def read_warcio(data):
    for record in ArchiveIterator(io.BytesIO(data), arc2warc=True, no_record_parse=False):
        yield shown(record.rec_headers.get_header("WARC-Type"), record.content_stream().read())


def read_fastwarc(data):
    for record in FastIterator(io.BytesIO(data), quirks_mode=True, parse_http=True, auto_decode="all"):
        yield shown(record.headers.get("WARC-Type"), record.reader.read())


def records(read, data):
    found, error = [], None
    try:
        for record in read(data):
            found.append(record)
    except Exception as reason:  # whatever ends a peer's reading
        error = f"{type(reason).__name__}: {reason}"[:80]
    return found, error


def main(folder):
    right, seen = {"warcio": 0, "fastwarc": 0}, 0
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        case = json.loads(path.read_text())
        data = path.with_suffix(".bin").read_bytes()
        wanted = []
        for event in case["expected"]:
            if not event.startswith("!"):
                kind, _, payload = event.split(" ", 2)
                wanted.append(f"{kind} {payload}".split(" !")[0].removesuffix(" cut"))
        seen += 1
        for name, read in (("warcio", read_warcio), ("fastwarc", read_fastwarc)):
            found, error = records(read, data)
            found = [record.lower() if name == "fastwarc" else record for record in found]
            plain = [record.lower() for record in wanted] if name == "fastwarc" else wanted
            right[name] += found == plain
            more = [record for record in found if record not in plain]
            if len(found) > len(wanted) or more:
                print(f"{case['name']}: {name} reads {found[:5]}, expected {wanted[:5]} {error or ''}")
    print({"cases": seen, **right})


if __name__ == "__main__":
    main(sys.argv[1])
