#!/bin/sh
# CPU seconds (user and system) of reading all pages of an archive, ours and the peers' in turn, five times each:
#
#     python3 -m venv venv && venv/bin/pip install -r benches/peers/requirements-pages.txt
#     PYTHON=venv/bin/python benches/peers/pages.sh ARCHIVE
#
# Prints each run and the medians. Decompression is in all of them. `text` against lexbor: charset, all text, all
# pictures. `main` against resiliparse: the same with the main text told from boilerplate.
set -eu
archive=$1
here=$(dirname "$0")
python=${PYTHON:-python3}
cargo build --quiet --release -p tsumugi-page --example read_pages
reader=$here/../../target/release/examples/read_pages
runs=$(mktemp)
trap 'rm -f "$runs"' EXIT
measure() {
    name=$1
    shift
    "$python" - "$name" "$@" <<'END' | tee -a "$runs"
import resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(sys.argv[1], round(usage.ru_utime + usage.ru_stime, 2))
END
}
for _ in 1 2 3 4 5; do
    measure text "$reader" text "$archive"
    measure lexbor "$python" "$here/pages_lexbor.py" "$archive"
    measure main "$reader" main "$archive"
    measure resiliparse "$python" "$here/pages_resiliparse.py" "$archive"
done
for name in text lexbor main resiliparse; do
    echo "median $name $(grep "^$name " "$runs" | cut -d' ' -f2 | sort -n | sed -n 3p)"
done
