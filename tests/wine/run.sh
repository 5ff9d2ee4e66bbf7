#!/usr/bin/env bash
# The Wine arm: what can be shown of Windows on a machine without it. Cross-builds, makes a prefix
# that goes again at the end, and runs in it the tests of the emulator, its conformance, and
# bits-windows and the conformance suite against Wine's own BITS. It lints for Windows and macOS, too.
# run.sh [PART...]: all parts, or tests, lints, emulator, bits, absent, apple: see below.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../.ci/steps.sh"
source tests/wine/lib.sh

# What must work on Windows. The facade's tests of peers pass it by: those servers run beside Wine.
PACKAGES=(-p bits-api -p bits-world -p bits-wire -p bits-auth -p bits-certs -p bits-engine -p bits-store
    -p bits-transfer -p bits-service -p bits-emulator -p bits-windows)
TARGET=x86_64-pc-windows-gnu

# within SECONDS COMMAND...: a step that is ended when it takes longer.
within() { step timeout --kill-after=10 "$@"; }

# refused CODE CHANGE: that BITS cannot be reached after a change to the prefix, and that the suite
# says so in one line, with the code.
refused() {
    local code=$1 said status=0
    "$2"
    said="$(timeout 120 "$WINE" "$suite" run --provider windows 2>&1)" || status=$?
    echo "$said"
    if [ $status != 2 ] || [ "$(wc -l <<<"$said")" != 1 ] || [[ "$said" != *"$code"* ]]; then
        echo "exit code $status; expected 2 and one line with $code" >&2
        return 1
    fi
}

# without_service, without_class: a service that is disabled; no class that clients could ask for.
without_service() { registry add "$BITS_SERVICE" /v Start /t REG_DWORD /d 4 /f && stop_prefix; }
without_class() { registry delete "$BITS_CLASS" /f && stop_prefix; }

# The parts, all of them or those that are named.
tests() { within 900 cargo test --no-fail-fast --target "$TARGET" "${PACKAGES[@]}"; }
lints() { within 900 cargo clippy --workspace --all-targets --target "$TARGET" -- -D warnings; }
emulator() { within 900 "$WINE" "$suite" run; }
bits() {
    step start_bits
    within 1500 "$WINE" "$suite" run --provider windows --max-wait 20 --expect fixtures/expectations/wine-8.0.toml
}
# What Windows calls ERROR_SERVICE_DISABLED is a file that is not found to Wine.
absent() {
    step refused 0x80070002 without_service
    step refused 0x80040154 without_class
}
apple() { step tests/wine/apple.sh; }

all=(tests lints emulator bits absent apple)
parts=("$@")
[ $# -gt 0 ] || parts=("${all[@]}")
for part in "${parts[@]}"; do
    [[ " ${all[*]} " == *" $part "* ]] || { echo "there is no part $part; there are ${all[*]}" >&2; exit 2; }
done
suite=target/$TARGET/debug/bits-conformance.exe
step tests/wine/install.sh
step make_prefix
# Always the same choice of packages: another would build what they share once more.
step cargo test --no-run --target "$TARGET" "${PACKAGES[@]}"
step cargo build --target "$TARGET" "${PACKAGES[@]}" -p bits-conformance
for part in "${parts[@]}"; do "$part"; done
done_in
