#!/usr/bin/env bash
# Installs the packages that the peers need, from Debian or what is made of it. Nothing else in this
# folder installs anything. Quick when all are there.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

# program package
NEEDED="
nginx nginx
apache2 apache2-bin
caddy caddy
openssl openssl
perl perl-base
setpriv util-linux
gzip gzip
"

missing=()
while read -r program package; do
    [ -z "$program" ] || command -v "$program" >/dev/null || missing+=("$package")
done <<<"$NEEDED"
if [ ${#missing[@]} = 0 ]; then
    echo "the peers' packages are there"
    exit 0
fi

command -v apt-get >/dev/null || { echo "no apt-get here; install by hand: ${missing[*]}" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# Packages start their services, on port 80, unless this says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
    trap 'as_root rm -f "$policy"' EXIT
fi
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
as_root "${apt[@]}" update -qq
as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
