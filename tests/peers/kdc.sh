#!/usr/bin/env bash
# kdc.sh WORKDIR: an MIT Kerberos KDC over TCP, with the account and the service HTTP/localhost.
source "$(dirname "$0")/lib.sh"
need krb5kdc kdb5_util kadmin.local
PORTS=KDC
port KDC
render "$CONF/krb5.conf.in" "$WORK/etc/krb5.conf" KDC REALM
render "$CONF/kdc.conf.in" "$WORK/etc/kdc.conf" WORK KDC REALM
export KRB5_CONFIG="$WORK/etc/krb5.conf" KRB5_KDC_PROFILE="$WORK/etc/kdc.conf"
if [ ! -e "$WORK/kdc/principal" ]; then
    mkdir -p "$WORK/kdc"
    own "$WORK/kdc" "$WORK/etc"
    drop kdb5_util create -s -r "$REALM" -P "$PASSWORD" >"$WORK/log/kdb5_util" 2>&1
    # Windows proves its password before it is given a ticket.
    drop kadmin.local -r "$REALM" >"$WORK/log/kadmin" 2>&1 <<COMMANDS
addprinc +requires_preauth -pw "$PASSWORD" $LOGIN
addprinc -randkey HTTP/localhost
ktadd -k $WORK/etc/http.keytab HTTP/localhost
COMMANDS
fi
drop krb5kdc -r "$REALM" -P "$WORK/run/kdc.pid"
guard kdc
wait_port "$KDC"
publish $PORTS
