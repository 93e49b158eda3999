#!/bin/sh
# timed.sh <name> <command...>: runs the command and says on stderr how long it took, unless that was no time at all.
name=$1
shift
began=$(date +%s)
status=0
"$@" || status=$?
took=$(($(date +%s) - began))
if [ "$status" -ne 0 ]; then
    printf '%s: failed after %d s\n' "$name" "$took" >&2
elif [ "$took" -ge 2 ]; then
    printf '%s: %d s\n' "$name" "$took" >&2
fi
exit "$status"
