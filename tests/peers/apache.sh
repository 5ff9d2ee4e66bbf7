#!/usr/bin/env bash
# apache.sh WORKDIR: Apache httpd over HTTP and HTTPS, with and without certificates of clients, and as
# a proxy for each scheme. For Kerberos it needs kdc.sh in the same folder.
source "$(dirname "$0")/lib.sh"
need apache2
"$HERE/certs.sh" "$WORK"
PORTS="APACHE_HTTP APACHE_TLS APACHE_CLIENT12 APACHE_CLIENT13
APACHE_PROXY_BASIC APACHE_PROXY_DIGEST APACHE_PROXY_NTLM APACHE_PROXY_NEGOTIATE"
for name in $PORTS; do port "$name"; done
files
accounts
MODULES=/usr/lib/apache2/modules
# shellcheck disable=SC2086
render "$CONF/apache.conf.in" "$WORK/etc/apache.conf" WORK MODULES $PORTS
with_accounts apache2 -d "$WORK" -f "$WORK/etc/apache.conf" -k start
guard apache
for name in $PORTS; do wait_port "${!name}"; done
# shellcheck disable=SC2086
publish $PORTS
