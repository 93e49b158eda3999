#!/bin/sh
# How long payments wait for their prediction while the champion is swapped: p99 during three swaps against the time before,
# five repetitions, on Kafka, Redis and a schema registry of its own.
#
#   make setup-test release && sh load/swap/run.sh           # about two minutes; flags go to millrace-load swap
#   PROFILE=debug sh load/swap/run.sh --rate 200             # of a debug build
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$here/../.."
if [ -z "${KAFKA_BOOTSTRAP:-}" ]; then
    exec cargo run --quiet -p millrace-tests --bin with-servers -- sh "$here/run.sh" "$@"
fi
profile=${PROFILE:-release}
bin=${CARGO_TARGET_DIR:-target}/$profile
[ "$profile" = debug ] || cargo build --quiet --release -p millrace -p millrace-load
folder=$(mktemp -d)
services=''
trap 'kill $services 2>/dev/null; wait; rm -rf "$folder"' EXIT
cp -r schemas "$folder/schemas"
mkdir "$folder/topics"
cp -r topics/fraud "$folder/topics/fraud"
# Two more versions that decide at other thresholds.
models=$folder/topics/fraud/models/fraud-gbdt
for version in 2 3; do
    mkdir -p "$models/$version"
    cp "$models/1/model.onnx" "$models/$version/"
    sed "s/^threshold = .*/threshold = 0.$version/" "$models/1/model.toml" >"$models/$version/model.toml"
done
"$bin/millrace" topics apply fraud --topics "$folder/topics" >/dev/null
for service in "features fraud" "scorer fraud --workers 2"; do
    # shellcheck disable=SC2086
    "$bin/millrace" $service --topics "$folder/topics" >"$folder/${service%% *}.log" 2>&1 &
    services="$services $!"
done
"$bin/millrace-load" swap --topics "$folder/topics" "$@" || { tail -n 20 "$folder"/*.log; exit 1; }
