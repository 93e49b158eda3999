#!/bin/sh
# The ONNX Runtime library, out of the wheel of its Python package: any interpreter's wheel holds the same library, so
# the one of Python 3.11 is taken whatever runs here. Goes to <cache>/onnxruntime/<version>/ under the name of the wheel, with a link under
# the plain one (libonnxruntime.so, .dylib); or into the folder that is given as the first argument.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/lib.sh"

version=1.31.1
case "$(uname -s)-$(uname -m)" in
Linux-x86_64 | Linux-amd64)
    platform=manylinux_2_28_x86_64 library=libonnxruntime.so.$version name=libonnxruntime.so
    sha256=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f
    ;;
Linux-aarch64 | Linux-arm64)
    platform=manylinux_2_28_aarch64 library=libonnxruntime.so.$version name=libonnxruntime.so
    sha256=da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3
    ;;
Darwin-arm64)
    platform=macosx_14_0_arm64 library=libonnxruntime.$version.dylib name=libonnxruntime.dylib
    sha256=60b6b69bfe580eab576cacc5d132a0e9cf2a37fcfd18d46dd191042b1d1ed0d7
    ;;
*)
    fail "there is no ONNX Runtime $version for $(uname -s) on $(uname -m): build it from source and set ORT_DYLIB_PATH to the library"
    ;;
esac

to=${1:-$MILLRACE_CACHE/onnxruntime/$version}
[ -s "$to/$library" ] && [ -s "$to/$name" ] && exit 0
if [ -z "${1:-}" ] && [ -n "${ORT_DYLIB_PATH:-}" ]; then
    [ -s "$ORT_DYLIB_PATH" ] || fail "ORT_DYLIB_PATH=$ORT_DYLIB_PATH is no file: correct it, or unset it and run again"
    exit 0
fi

say "fetching ONNX Runtime $version"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A requirements file is the only place where pip takes a hash.
printf 'onnxruntime==%s --hash=sha256:%s\n' "$version" "$sha256" >"$work/requirements.txt"
quietly "Check the network and pip's index, or set ORT_DYLIB_PATH to a libonnxruntime $version of your own." \
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --implementation cp --python-version 3.11 --platform "$platform" \
    --require-hashes -r "$work/requirements.txt" -d "$work"
python3 - "$work" "onnxruntime/capi/$library" "$work/$library" <<'PYTHON'
import glob, shutil, sys, zipfile
folder, member, target = sys.argv[1:]
with zipfile.ZipFile(glob.glob(folder + "/*.whl")[0]) as wheel, wheel.open(member) as source, open(target, "wb") as out:
    shutil.copyfileobj(source, out)
PYTHON
mkdir -p "$to"
# Moved within the folder, so that a run that is cut short leaves nothing half-written under the final name.
cp "$work/$library" "$to/.$library.$$"
chmod 755 "$to/.$library.$$"
mv "$to/.$library.$$" "$to/$library"
ln -sf "$library" "$to/$name"
