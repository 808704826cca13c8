#!/bin/sh
# Reads an archive with fastwarc, with ours and with libdeflate alone, in turn, and prints CPU seconds (user and
# system) of whole runs: the median of so many rounds, and the ratios.
#
#   benches/peers/warc.sh FILE [ROUNDS]
set -eu
file=$(realpath "$1")
rounds=${2:-5}
cd "$(dirname "$0")/fastwarc"
cargo build --release --quiet
tool=${CARGO_TARGET_DIR:-target}/release/peer-fastwarc
exec python3 - "$tool" "$file" "$rounds" <<'PYTHON'
import resource, statistics, subprocess, sys, time

tool, file, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
runs = [
    ("libdeflate alone", "libdeflate", "read", []),
    ("fastwarc, iterate", "fastwarc", "iterate", []),
    ("ours, iterate", "ours", "iterate", []),
    ("fastwarc, read", "fastwarc", "read", []),
    ("ours, read", "ours", "read", []),
    ("fastwarc, verify", "fastwarc", "verify", []),
    ("ours, verify", "ours", "verify", []),
    ("fastwarc, verify-all", "fastwarc", "verify-all", []),
    ("ours, verify-all", "ours", "verify-all", []),
    ("ours, read, two threads", "ours", "read", ["2"]),
]
def used():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


cpu = {name: [] for name, *_ in runs}
wall = {name: [] for name, *_ in runs}
said = {}
for _ in range(rounds):
    for name, who, work, rest in runs:
        before, start = used(), time.perf_counter()
        said[name] = subprocess.run([tool, who, work, file, *rest], check=True, capture_output=True, text=True).stdout
        cpu[name].append(used() - before)
        wall[name].append(time.perf_counter() - start)
median = {name: statistics.median(times) for name, times in cpu.items()}
for name, *_ in runs:
    print(f"{name:26} {median[name]:.3f} CPU s ({min(cpu[name]):.3f} to {max(cpu[name]):.3f}), "
          f"{min(wall[name]):.3f} s on the clock at best; {said[name].strip()}")
for work in ["iterate", "read", "verify", "verify-all"]:
    print(f"{work}: {median['fastwarc, ' + work] / median['ours, ' + work]:.2f} x fastwarc")
print(f"read: {median['ours, read'] / median['libdeflate alone']:.2f} x the time of libdeflate alone")
PYTHON
