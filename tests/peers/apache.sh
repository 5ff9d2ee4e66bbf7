#!/usr/bin/env bash
# apache.sh WORKDIR: Apache httpd over HTTP and HTTPS.
source "$(dirname "$0")/lib.sh"
need apache2
"$HERE/certs.sh" "$WORK"
PORTS="APACHE_HTTP APACHE_TLS"
for name in $PORTS; do port "$name"; done
files
printf '%s:%s\n' "$LOGIN" "$(openssl passwd -apr1 "$PASSWORD")" >"$WORK/etc/htpasswd"
printf '%s:peers:%s\n' "$LOGIN" "$(printf '%s:peers:%s' "$LOGIN" "$PASSWORD" | md5sum | cut -d' ' -f1)" >"$WORK/etc/htdigest"
own "$WORK/etc"
MODULES=/usr/lib/apache2/modules
# shellcheck disable=SC2086
render "$CONF/apache.conf.in" "$WORK/etc/apache.conf" WORK MODULES $PORTS
drop apache2 -d "$WORK" -f "$WORK/etc/apache.conf" -k start
guard apache
for name in $PORTS; do wait_port "${!name}"; done
# shellcheck disable=SC2086
publish $PORTS
