# Common parts of the peers; sourced, not run. The first argument is the work folder.
set -euo pipefail
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
CONF="$HERE/conf"
WORK="${1:-${PEERS_WORK:-}}"
[ -n "$WORK" ] || { echo "usage: $0 WORKDIR" >&2; exit 2; }
umask 022
mkdir -p "$WORK"
WORK="$(cd "$WORK" && pwd)"
mkdir -p "$WORK/run" "$WORK/log" "$WORK/etc" "$WORK/tmp" "$WORK/www"
export PATH="$PATH:/usr/sbin:/sbin"
PEER_USER="${PEERS_USER:-nobody}"
LOGIN="${PEERS_LOGIN:-alice}"
PASSWORD="${PEERS_PASSWORD:-Secr3t!pw}"
DOMAIN="${PEERS_DOMAIN:-BITSDOM}"
REALM="${PEERS_REALM:-BITS.TEST}"

# As root, every server runs as $PEER_USER; otherwise as the caller.
if [ "$(id -u)" = 0 ]; then
    PEER_GROUP="$(id -gn "$PEER_USER")"
    chmod 755 "$WORK"
    drop() { setpriv --reuid="$PEER_USER" --regid="$PEER_GROUP" --clear-groups --inh-caps=-all env HOME="$WORK/tmp" USER="$PEER_USER" "$@"; }
    own() { chown -R "$PEER_USER:$PEER_GROUP" "$@"; }
else
    drop() { env HOME="$WORK/tmp" "$@"; }
    own() { :; }
fi
own "$WORK"

# need PROGRAM...: says what is missing, and how to get it.
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "$program is missing: run $HERE/install.sh" >&2; exit 3; }
    done
}

free_port() {
    perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 0) or die; print $s->sockport'
}

# port VARIABLE: keeps its value if the caller has set it, and picks a free port otherwise.
port() { [ -n "${!1:-}" ] || printf -v "$1" '%s' "$(free_port)"; }

# wait_port PORT: until somebody listens, at most for 15 seconds.
wait_port() {
    local _
    for _ in $(seq 1 150); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        sleep 0.1
    done
    echo "port $1 does not open; see $WORK/log" >&2
    return 1
}

# render TEMPLATE OUT VARIABLE...: replaces @VARIABLE@.
render() {
    local text out=$2 name
    text="$(cat "$1")"
    shift 2
    for name in "$@"; do text="${text//@$name@/${!name}}"; done
    printf '%s\n' "$text" >"$out"
    own "$out"
}

# publish VARIABLE...: prints NAME=value lines.
publish() {
    local name
    for name in "$@"; do echo "$name=${!name}"; done
}

# files: what every server serves.
files() {
    if [ ! -e "$WORK/www/done" ]; then
        head -c 1048576 /dev/urandom >"$WORK/www/1m.bin"
        seq 1 20000 >"$WORK/www/text.txt"
        gzip -9 -n -k "$WORK/www/1m.bin" "$WORK/www/text.txt"
        : >"$WORK/www/empty"
        # Apache heeds no condition of a file that is younger than a minute.
        touch -d 2025-01-01 "$WORK"/www/*
        : >"$WORK/www/done"
        own "$WORK/www"
    fi
}

# accounts: what servers know of the one account: its password for Basic, Digest and NTLM, and the key
# of HTTP/localhost for Kerberos, which kdc.sh makes.
accounts() {
    printf '%s:%s\n' "$LOGIN" "$(openssl passwd -apr1 "$PASSWORD")" >"$WORK/etc/htpasswd"
    printf '%s:peers:%s\n' "$LOGIN" "$(printf '%s:peers:%s' "$LOGIN" "$PASSWORD" | md5sum | cut -d' ' -f1)" >"$WORK/etc/htdigest"
    printf '%s:%s:%s\n' "$DOMAIN" "$LOGIN" "$PASSWORD" >"$WORK/etc/ntlm"
    own "$WORK/etc"
}

# with_accounts COMMAND...: for servers that find the accounts by their environment. Without a replay
# cache: it would be a file beyond the work folder.
with_accounts() {
    drop env KRB5_CONFIG="$WORK/etc/krb5.conf" KRB5_KTNAME="$WORK/etc/http.keytab" KRB5RCACHENAME=none: \
        NTLM_USER_FILE="$WORK/etc/ntlm" NETBIOS_COMPUTER_NAME=PEERHOST NETBIOS_DOMAIN_NAME="$DOMAIN" "$@"
}

# guard NAME: once it has written its pid file, sees to it that a server ends when $PEERS_OWNER does,
# and that the folder is empty with the last of them.
guard() {
    local _
    for _ in $(seq 1 150); do
        [ ! -s "$WORK/run/$1.pid" ] || break
        sleep 0.1
    done
    [ -n "${PEERS_OWNER:-}" ] || return 0
    setsid bash -c '
        while [ -d "/proc/$1" ]; do sleep 1; done
        "$2/stop.sh" "$3" "$4"
        compgen -G "$3/run/*.pid" || { cd "$3" && rm -rf run log etc tmp www certs kdc smb; rmdir "$3"; }
    ' guard "$PEERS_OWNER" "$HERE" "$WORK" "$1" </dev/null >/dev/null 2>&1 &
}
