#!/usr/bin/env bash
# Installs what the Wine arm needs: mingw and Wine from Debian, Rust's standard libraries for Windows
# and macOS by rustup. Nothing else in this folder installs anything. Quick when all are there.
set -euo pipefail

# What is needed, a program or a file, and the package that has it.
NEEDED="
x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64
x86_64-w64-mingw32-ar binutils-mingw-w64-x86-64
/usr/lib/wine/wine64 wine64
/usr/lib/wine/wineserver64 wine64
"
TARGETS="x86_64-pc-windows-gnu aarch64-apple-darwin"

# missing: the packages that are not there.
missing() {
    local thing package
    while read -r thing package; do
        case "$thing" in
        "") ;;
        /*) [ -e "$thing" ] || echo "$package" ;;
        *) command -v "$thing" >/dev/null || echo "$package" ;;
        esac
    done <<<"$NEEDED" | sort -u
}

# absent: the targets whose standard library is not there.
absent() {
    local target
    for target in $TARGETS; do
        compgen -G "$(rustc --print target-libdir --target "$target")/libstd-*.rlib" >/dev/null || echo "$target"
    done
}

mapfile -t packages < <(missing)
if [ ${#packages[@]} != 0 ]; then
    command -v apt-get >/dev/null || { echo "no apt-get here; install by hand: ${packages[*]}" >&2; exit 1; }
    as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
    apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
    echo "apt-get install ${packages[*]}"
    as_root "${apt[@]}" update -qq
    as_root "${apt[@]}" install -y -qq --no-install-recommends "${packages[@]}" >/dev/null || true
    mapfile -t packages < <(missing)
    [ ${#packages[@]} = 0 ] || { echo "these packages cannot be installed: ${packages[*]}" >&2; exit 1; }
fi

mapfile -t targets < <(absent)
if [ ${#targets[@]} != 0 ]; then
    command -v rustup >/dev/null || { echo "no rustup here; these targets of Rust are missing: ${targets[*]}" >&2; exit 1; }
    echo "rustup target add ${targets[*]}"
    rustup target add "${targets[@]}"
    mapfile -t targets < <(absent)
    [ ${#targets[@]} = 0 ] || { echo "these targets of Rust cannot be added: ${targets[*]}" >&2; exit 1; }
fi
echo "there are $(x86_64-w64-mingw32-gcc --version | head -n 1), $(/usr/lib/wine/wine64 --version) and Rust for $TARGETS"
