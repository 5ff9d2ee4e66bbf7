#!/usr/bin/env bash
# Type-checks and lints the workspace for macOS, on a machine without Apple's C compiler: stand-ins for it and
# for ar make empty outputs for what is written in C, which nothing links. It shows that the Rust code
# compiles there, and no more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT

cat >"$WORK/cc" <<'END'
#!/bin/sh
# Makes the file that -o names.
while [ $# -gt 0 ]; do
    [ "$1" != -o ] || : >"$2"
    shift
done
END
cat >"$WORK/ar" <<'END'
#!/bin/sh
# Makes the archive: the first name that ends so.
for name in "$@"; do
    case "$name" in *.a) : >"$name" && exit ;; esac
done
END
chmod +x "$WORK/cc" "$WORK/ar"
# Without SDKROOT, Apple's own tools are asked where the headers are.
export CC_aarch64_apple_darwin="$WORK/cc" AR_aarch64_apple_darwin="$WORK/ar" SDKROOT="$WORK"
cargo clippy --workspace --all-targets --target aarch64-apple-darwin -- -D warnings
