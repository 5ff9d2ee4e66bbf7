#!/usr/bin/env bash
# Installs the packages that the peers need, from Debian or what is made of it, and says which it
# cannot. Nothing else in this folder installs anything. Quick when all are there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../packages.sh"
export PATH="$PATH:/usr/sbin:/sbin"

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

# Packages start their services, on port 80, unless this says no.
policy=/usr/sbin/policy-rc.d
if [ -n "$(missing)" ] && [ ! -e "$policy" ] && command -v apt-get >/dev/null; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
    trap 'as_root rm -f "$policy"' EXIT
fi
install_missing
echo "the peers' packages are there"
