#!/usr/bin/env bash
# squid.sh WORKDIR: squid as a proxy that asks for Negotiate, NTLM (which Samba checks), Digest or Basic.
# For Kerberos it needs kdc.sh in the same folder.
source "$(dirname "$0")/lib.sh"
need squid ntlm_auth
port SQUID
HELPERS=/usr/lib/squid
accounts
mkdir -p "$WORK/smb"
own "$WORK/smb"
render "$CONF/smb.conf.in" "$WORK/etc/smb.conf" WORK DOMAIN
render "$CONF/squid.conf.in" "$WORK/etc/squid.conf" WORK HELPERS LOGIN PASSWORD DOMAIN SQUID
# Instances tell what they share apart by a name.
with_accounts setsid squid -N -n "peers$$" -f "$WORK/etc/squid.conf" </dev/null >"$WORK/log/squid" 2>&1 &
guard squid
wait_port "$SQUID"
publish SQUID
