#!/bin/sh
# The same comparison of 100,000 rows with 100,000, 15 columns, by Millrace (release build) and by Evidently: CPU-seconds, file
# reading included, imports excluded, and the Wasserstein distance of every column by both.
#
#   make release && sh load/backfill/run.sh <folder> && sh load/drift/run.sh <folder>       <folder> has features.parquet
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=${1:?give the folder with features.parquet}
millrace=$here/../../${CARGO_TARGET_DIR:-target}/release/millrace
[ -n "${CARGO_TARGET_DIR:-}" ] && millrace=$CARGO_TARGET_DIR/release/millrace
python3 -m venv "$folder/evidently"
"$folder/evidently/bin/pip" install --quiet evidently==0.7.23 pandas==2.3.3 pyarrow==22.0.0
"$folder/evidently/bin/python" - "$folder" <<'PY'
import sys
import pyarrow.parquet as pq
folder = sys.argv[1]
table = pq.read_table(f"{folder}/features.parquet")
for name, first in (("reference", 500_000), ("current", 700_000)):
    pq.write_table(table.slice(first, 100_000).select(table.column_names[5:]), f"{folder}/{name}.parquet")
PY
for run in 1 2 3; do
    echo "run $run: evidently"
    "$folder/evidently/bin/python" "$here/evidently_run.py" "$folder/reference.parquet" "$folder/current.parquet"
    /usr/bin/time -f "run $run: millrace %U s user, %S s system" \
        "$millrace" drift compare --reference "$folder/reference.parquet" --current "$folder/current.parquet" \
        --methods wasserstein_normed --json >"$folder/millrace.json"
done
