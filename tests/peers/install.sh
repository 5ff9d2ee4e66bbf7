#!/usr/bin/env bash
# Installs the packages that the peers need, from Debian or what is made of it, and says which it
# cannot. Nothing else in this folder installs anything. Quick when all are there.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

# What is needed, a program or a file, and the package that has it.
NEEDED="
nginx nginx
apache2 apache2-bin
/usr/lib/apache2/modules/mod_auth_gssapi.so libapache2-mod-auth-gssapi
/usr/lib/*/gssntlmssp/gssntlmssp.so gss-ntlmssp
caddy caddy
squid squid
/usr/lib/squid/digest_file_auth squid
ntlm_auth winbind
krb5kdc krb5-kdc
kadmin.local krb5-admin-server
openssl openssl
perl perl-base
setpriv util-linux
gzip gzip
"

# missing: the packages that are not there.
missing() {
    local thing package
    while read -r thing package; do
        case "$thing" in
        "") ;;
        /*) compgen -G "$thing" >/dev/null || echo "$package" ;;
        *) command -v "$thing" >/dev/null || echo "$package" ;;
        esac
    done <<<"$NEEDED" | sort -u
}

mapfile -t packages < <(missing)
if [ ${#packages[@]} = 0 ]; then
    echo "the peers' packages are there"
    exit 0
fi

command -v apt-get >/dev/null || { echo "no apt-get here; install by hand: ${packages[*]}" >&2; exit 1; }
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
install=(as_root "${apt[@]}" install -y --no-install-recommends)
"${install[@]}" "${packages[@]}" || for package in "${packages[@]}"; do "${install[@]}" "$package" || true; done

mapfile -t packages < <(missing)
[ ${#packages[@]} = 0 ] || { echo "these packages cannot be installed: ${packages[*]}" >&2; exit 1; }
