# Shared by the set-up scripts: where things go, how a step is told, how a system package is installed.
# Everything is said on stderr: standard output belongs to the program that is run afterwards.
set -eu

MILLRACE_CACHE=${MILLRACE_CACHE:-${HOME:?HOME is not set}/.cache/millrace}
export MILLRACE_CACHE
mkdir -p "$MILLRACE_CACHE"

say() { printf 'set-up: %s\n' "$*" >&2; }
fail() {
    printf 'set-up failed: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command quietly; shows what it printed, and what to do, if it fails.
quietly() {
    advice=$1
    shift
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" >&2
        rm -f "$log"
        fail "\`$*\` failed (its output is above). $advice"
    fi
    rm -f "$log"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        fail "\`$*\` needs root: run it as root, or install sudo, then run the same make command again"
    fi
}

# install <what for people> <apt names> <dnf names> <apk names> <brew names>
install() {
    what=$1
    advice="Install $what by hand, then run the same make command again."
    say "installing $what"
    if have apt-get; then
        if [ -z "${APT_UPDATED:-}" ]; then
            quietly "$advice" as_root apt-get update
            APT_UPDATED=1
        fi
        # shellcheck disable=SC2086 # the names are a list
        quietly "$advice" as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $2
    elif have dnf; then
        # shellcheck disable=SC2086
        quietly "$advice" as_root dnf install -y $3
    elif have apk; then
        # shellcheck disable=SC2086
        quietly "$advice" as_root apk add $4
    elif have brew; then
        # shellcheck disable=SC2086
        quietly "$advice" brew install $5
    else
        fail "no apt-get, dnf, apk or brew here. $advice"
    fi
}

# A step that was done with exactly these contents is not done again: `done_already name text`, then `mark_done`.
stamp_file() { printf '%s/stamps/%s' "$MILLRACE_CACHE" "$1"; }
done_already() { [ -f "$(stamp_file "$1")" ] && [ "$(cat "$(stamp_file "$1")")" = "$2" ]; }
mark_done() {
    mkdir -p "$MILLRACE_CACHE/stamps"
    printf '%s\n' "$2" >"$(stamp_file "$1")"
}
