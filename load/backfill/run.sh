#!/bin/sh
# Backfill of the published-size stream by a release build on one core: time, memory, and every feature against an
# independent computation.
#
#   make release && sh load/backfill/run.sh          three runs; wants taskset and GNU time
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$here/../.."
target=${CARGO_TARGET_DIR:-target}
folder=${1:-$(mktemp -d)}
[ -s "$folder/transactions.parquet" ] || cargo run --quiet --release -p millrace-load -- generate --to parquet --dir "$folder"
for run in 1 2 3; do
    taskset -c 0 /usr/bin/time -f "run $run: %U s user, %S s system, %e s wall, %M KiB at most" \
        "$target/release/millrace" backfill fraud features \
        --input transactions="$folder/transactions.parquet" --input labels="$folder/labels.parquet" \
        --output "$folder/features.parquet"
done
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.3.4 pyarrow==22.0.0
"$folder/venv/bin/python" "$here/independent.py" "$folder"
