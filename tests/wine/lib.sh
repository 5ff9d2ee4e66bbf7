# A Wine prefix for one run; sourced, not run. It lies in a folder of its own, and goes when the run
# ends, with all that runs in it and nothing else.
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
WINE=/usr/lib/wine/wine64
WINESERVER=/usr/lib/wine/wineserver64

# The class of BITS, by which clients find it, and its service.
BITS_CLASS='HKLM\Software\Classes\CLSID\{4991D34B-80A1-4291-83B6-3328366B9097}'
BITS_SERVICE='HKLM\System\CurrentControlSet\Services\BITS'

# make_prefix: makes the prefix, and has cargo run programs for Windows in it.
make_prefix() {
    WINE_WORK="$(mktemp -d)"
    trap end_prefix EXIT
    export WINEPREFIX="$WINE_WORK/prefix" WINEDEBUG="${WINEDEBUG:--all}"
    # No Mono and no browser; the shim before anything that calls itself so.
    export WINEDLLOVERRIDES="mscoree,mshtml=;bcryptprimitives=n"
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$WINE"
    x86_64-w64-mingw32-gcc -Wall -Werror -O2 -shared -o "$WINE_WORK/shim.dll" "$HERE/shim.c" -ladvapi32 || return 1
    timeout 300 "$WINE" wineboot -i || return 1
    cp "$WINE_WORK/shim.dll" "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" || return 1
    start_bits
}

# start_bits: starts the service, as soon as the other services of a prefix that begins have let it.
start_bits() {
    local said _
    for _ in $(seq 1 60); do
        said="$(timeout 60 "$WINE" net start BITS 2>&1)" && return 0
        [[ "$said" != *"already running"* ]] || return 0
        sleep 1
    done
    echo "Wine's BITS does not start: $said" >&2
    return 1
}

# stop_prefix: ends what runs in the prefix, BITS too; the next program finds all begun anew.
stop_prefix() {
    timeout 30 "$WINESERVER" -k || true
    timeout 30 "$WINESERVER" -w || true
}

# end_prefix: the same, and removes it.
end_prefix() {
    stop_prefix
    rm -rf "$WINE_WORK"
}

# registry ARGUMENT...: reg.exe.
registry() { timeout 60 "$WINE" reg "$@" >/dev/null; }
