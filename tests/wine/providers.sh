#!/usr/bin/env bash
# The emulator, built for Windows, beside Wine's own BITS: the same jobs for both, in one run under Wine,
# from a server that runs beside it. BITS_BENCH_JOBS and BITS_BENCH_MIB as in benches/providers/main.rs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/wine/lib.sh

# bench ARGUMENT...: runs it, or only builds it.
bench() { cargo bench --quiet -p bits-emulator --bench providers "$@"; }
# The server alone: it answers as fast as it has to in any profile.
serve() { bench --profile dev "$@"; }

tests/wine/install.sh
make_prefix
bench --target x86_64-pc-windows-gnu --no-run
serve --no-run
# It serves as long as somebody holds its input.
coproc SERVER { serve -- --serve; }
read -r BITS_BENCH_SERVER <&"${SERVER[0]}"
export BITS_BENCH_SERVER
bench --target x86_64-pc-windows-gnu
