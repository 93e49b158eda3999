#!/bin/sh
# Two files of 100,000 rows and 15 columns compared by Millrace (release build) and by Evidently: CPU-seconds of three runs
# each, file reading included, imports excluded; the same test per column, whose values are compared too.
#
#   make release && sh load/drift/run.sh             [folder] keeps the data, and is used again
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$here/../.."
target=${CARGO_TARGET_DIR:-target}
millrace=$target/release/millrace
[ -x "$millrace" ] || { echo "$millrace is missing: run \`make release\`" >&2; exit 1; }
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"

if ! [ -x "$folder/evidently/bin/python" ]; then
    python3 -m venv "$folder/evidently"
    "$folder/evidently/bin/pip" install --quiet --disable-pip-version-check \
        evidently==0.7.23 pandas==2.3.3 pyarrow==22.0.0
fi
python=$folder/evidently/bin/python

if ! [ -s "$folder/current.parquet" ]; then
    if ! [ -s "$folder/features.parquet" ]; then
        cargo run --quiet --release -p millrace-load -- generate --to parquet --dir "$folder"
        "$millrace" backfill fraud features --output "$folder/features.parquet" \
            --input transactions="$folder/transactions.parquet" --input labels="$folder/labels.parquet"
    fi
    "$python" "$here/slices.py" "$folder"
fi

reference=$folder/reference.parquet current=$folder/current.parquet
exec "$python" "$here/beside.py" "$millrace" "$here/evidently_run.py" "$reference" "$current"
