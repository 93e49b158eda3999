#!/bin/sh
# What a build needs besides Rust, a C compiler, make and Python with pip: OpenSSL and zlib headers, pkg-config, a
# C++ compiler (librdkafka's own build asks for one); and what the program loads when it runs: ONNX Runtime.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/lib.sh"

have cargo || fail "no cargo here: install Rust with rustup, then run the same make command again"
have cc || install "a C compiler" "gcc libc6-dev" "gcc" "gcc musl-dev" "gcc"
have c++ || have g++ || install "a C++ compiler" "g++" "gcc-c++" "g++" "gcc"
have pkg-config || install "pkg-config" "pkg-config" "pkgconf-pkg-config" "pkgconf" "pkg-config"
pkg-config --exists openssl || install "OpenSSL headers" "libssl-dev" "openssl-devel" "openssl-dev" "openssl@3"
pkg-config --exists zlib || install "zlib headers" "zlib1g-dev" "zlib-devel" "zlib-dev" "zlib"
have python3 || fail "no python3 here: install Python 3 with pip, then run the same make command again"
python3 -m pip --version >/dev/null 2>&1 || install "pip" "python3-pip" "python3-pip" "py3-pip" "python"

sh "$here/onnxruntime.sh"
