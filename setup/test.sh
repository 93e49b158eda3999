#!/bin/sh
# What the tests start themselves: Apache Kafka, Apicurio Registry, Redis, Chromium, and a Python client that is not ours.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/lib.sh"

have redis-server || install "Redis" "redis-server" "redis" "redis" "redis"
# The pages of reports are opened in it.
have chromium || have chromium-browser || have google-chrome || have google-chrome-stable ||
    install "Chromium" "chromium" "chromium" "chromium" "--cask chromium"
java_version() { java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1; }
if ! have java || [ "$(java_version)" -lt 17 ] 2>/dev/null; then
    install "Java" "default-jre-headless" "java-21-openjdk-headless" "openjdk21-jre-headless" "openjdk@21"
fi
[ "$(java_version)" -ge 17 ] 2>/dev/null ||
    fail "java is version $(java_version), and Kafka needs 17 or newer: put a newer one first on the PATH, then run again"

# copy_maven <stamp name> <folder with a pom.xml> <target folder> <what for people>
copy_maven() {
    text=$(cat "$2/pom.xml")
    done_already "$1" "$text" && [ -d "$3" ] && return 0
    have mvn || install "Maven" "maven" "maven" "maven" "maven"
    say "fetching $4"
    rm -rf "$3"
    # Maven writes beside the pom in places: it works on a copy.
    work=$(mktemp -d)
    cp "$2/pom.xml" "$work/"
    quietly "Check the network and Maven's settings, then run the same make command again." \
        mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$3"
    rm -rf "$work"
    mark_done "$1" "$text"
}

copy_maven kafka "$here/kafka" "$MILLRACE_CACHE/kafka/4.3.1" "Apache Kafka 4.3.1"

registry=$MILLRACE_CACHE/apicurio/2.6.13.Final
if ! [ -s "$registry/runner.jar" ]; then
    copy_maven apicurio "$here/registry" "$MILLRACE_CACHE/apicurio/download" "Apicurio Registry 2.6.13"
    rm -rf "$registry" && mkdir -p "$registry"
    tar -xzf "$MILLRACE_CACHE/apicurio/download"/apicurio-registry-app-*-all.tar.gz -C "$registry"
    mv "$registry"/apicurio-registry-app-*-runner.jar "$registry/runner.jar"
    rm -rf "$MILLRACE_CACHE/apicurio/download"
fi

requirements=$(cat "$here/python/requirements.txt")
if ! done_already python "$requirements" || ! [ -x "$MILLRACE_CACHE/python/bin/python" ]; then
    python3 -c 'import venv, ensurepip' 2>/dev/null ||
        install "Python's venv module" "python3-venv" "python3" "python3" "python"
    say "making a Python environment with confluent-kafka"
    rm -rf "$MILLRACE_CACHE/python"
    quietly "Check the Python installation." python3 -m venv "$MILLRACE_CACHE/python"
    quietly "Check the network and pip's index, then run the same make command again." \
        "$MILLRACE_CACHE/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
        -r "$here/python/requirements.txt"
    mark_done python "$requirements"
fi
