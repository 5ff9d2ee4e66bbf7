#!/usr/bin/env bash
# caddy.sh WORKDIR: Caddy over HTTP and HTTPS.
source "$(dirname "$0")/lib.sh"
need caddy
"$HERE/certs.sh" "$WORK"
PORTS="CADDY_HTTP CADDY_TLS CADDY_TLS13"
for name in $PORTS; do port "$name"; done
files
# Caddy's own hashes cost a second a request.
HASH="$(perl -e 'print crypt($ARGV[0], q($2b$04$peerspeerspeerspeersp.))' "$PASSWORD" | base64 -w0)"
# shellcheck disable=SC2086
render "$CONF/Caddyfile.in" "$WORK/etc/Caddyfile" WORK LOGIN HASH $PORTS
XDG_DATA_HOME="$WORK/tmp" XDG_CONFIG_HOME="$WORK/tmp" \
    drop setsid caddy run --adapter caddyfile --config "$WORK/etc/Caddyfile" --pidfile "$WORK/run/caddy.pid" \
    </dev/null >"$WORK/log/caddy" 2>&1 &
guard caddy
for name in $PORTS; do wait_port "${!name}"; done
# shellcheck disable=SC2086
publish $PORTS
