#!/usr/bin/env bash
# Installs what the Wine arm needs: mingw and Wine from Debian, Rust's standard libraries for Windows
# and macOS by rustup. Nothing else in this folder installs anything. Quick when all are there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../packages.sh"

NEEDED="
x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64
x86_64-w64-mingw32-ar binutils-mingw-w64-x86-64
/usr/lib/wine/wine64 wine64
/usr/lib/wine/wineserver64 wine64
"
TARGETS="x86_64-pc-windows-gnu aarch64-apple-darwin"

# absent: the targets whose standard library is not there.
absent() {
    local target
    for target in $TARGETS; do
        compgen -G "$(rustc --print target-libdir --target "$target")/libstd-*.rlib" >/dev/null || echo "$target"
    done
}

install_missing

mapfile -t targets < <(absent)
if [ ${#targets[@]} != 0 ]; then
    command -v rustup >/dev/null || { echo "no rustup here; these targets of Rust are missing: ${targets[*]}" >&2; exit 1; }
    echo "rustup target add ${targets[*]}"
    rustup target add "${targets[@]}"
    mapfile -t targets < <(absent)
    [ ${#targets[@]} = 0 ] || { echo "these targets of Rust cannot be added: ${targets[*]}" >&2; exit 1; }
fi
echo "there are $(x86_64-w64-mingw32-gcc --version | head -n 1), $(/usr/lib/wine/wine64 --version) and Rust for $TARGETS"
