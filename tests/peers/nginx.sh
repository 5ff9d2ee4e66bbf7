#!/usr/bin/env bash
# nginx.sh WORKDIR: nginx over HTTP, and over HTTPS with a port for each certificate and version.
source "$(dirname "$0")/lib.sh"
need nginx
"$HERE/certs.sh" "$WORK"
PORTS="NGINX_HTTP NGINX_TLS NGINX_EXPIRED NGINX_WRONGNAME NGINX_WRONGEKU NGINX_UNKNOWNCA NGINX_NOCHAIN NGINX_REVOKED NGINX_WORST
NGINX_TLS13 NGINX_TLS11 NGINX_CLIENT12 NGINX_CLIENT13 NGINX_MAYBE12 NGINX_MAYBE13 NGINX_FORBID12 NGINX_FORBID13"
for name in $PORTS; do port "$name"; done
files
mkdir -p "$WORK/tmp/nginx"
own "$WORK/tmp"
accounts
# shellcheck disable=SC2086
render "$CONF/nginx.conf.in" "$WORK/etc/nginx.conf" WORK $PORTS
drop nginx -p "$WORK" -e "$WORK/log/nginx.error" -c "$WORK/etc/nginx.conf"
guard nginx
for name in $PORTS; do wait_port "${!name}"; done
# shellcheck disable=SC2086
publish $PORTS
