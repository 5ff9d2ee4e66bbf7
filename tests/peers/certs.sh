#!/usr/bin/env bash
# certs.sh WORKDIR: makes WORKDIR/certs once: an authority with its list of revoked certificates, an
# unknown one, and certificates of servers and clients, good and bad. NAME.pem is what is sent,
# NAME.key its key; clients have both in NAME.p12 as well.
source "$(dirname "$0")/lib.sh"
need openssl
C="$WORK/certs"
[ ! -e "$C/done" ] || exit 0
mkdir -p "$C"
cd "$C"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

# authority NAME CN: trusts itself.
authority() {
    issuer "$1"
    sign "$1" "$1" "$2" basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign \
        subjectKeyIdentifier=hash -- -selfsign -keyfile "$1.key"
}

# issuer NAME: lets NAME sign others.
issuer() {
    mkdir -p "$1.db"
    : >"$1.db/index.txt"
    echo 1000 >"$1.db/serial"
    echo 1000 >"$1.db/crlnumber"
    cat >"$1.cnf" <<CNF
[ca]
default_ca = d
[d]
database = $C/$1.db/index.txt
serial = $C/$1.db/serial
crlnumber = $C/$1.db/crlnumber
new_certs_dir = $C/$1.db
certificate = $C/$1.crt
private_key = $C/$1.key
default_md = sha256
# Good for whatever day a test plays.
default_startdate = 20200101000000Z
default_enddate = 20490101000000Z
policy = p
unique_subject = no
copy_extensions = copy
[p]
organizationName = optional
commonName = supplied
CNF
}

# sign ISSUER NAME CN EXTENSION... -- ARGUMENT...: a certificate with these extensions.
sign() {
    local issuer=$1 name=$2 cn=$3 extensions=()
    shift 3
    while [ $# -gt 0 ] && [ "$1" != -- ]; do extensions+=(-addext "$1"); shift; done
    [ $# = 0 ] || shift
    key "$name"
    openssl req -new -key "$name.key" -subj "/O=Peers/CN=$cn" -out "$name.csr" "${extensions[@]}"
    openssl ca -batch -notext -config "$issuer.cnf" -in "$name.csr" -out "$name.crt" "$@" 2>>"$WORK/log/certs"
    cat "$name.crt" >"$name.pem"
}

# server ISSUER NAME ALTERNATIVES USAGE ARGUMENT...
server() {
    local issuer=$1 name=$2 alternatives=$3 usage=$4
    shift 4
    sign "$issuer" "$name" peer "subjectAltName=$alternatives" "extendedKeyUsage=$usage" \
        keyUsage=digitalSignature basicConstraints=CA:FALSE -- "$@"
}

# client ISSUER NAME CN ARGUMENT...
client() {
    local issuer=$1 name=$2 cn=$3
    shift 3
    sign "$issuer" "$name" "$cn" extendedKeyUsage=clientAuth keyUsage=digitalSignature basicConstraints=CA:FALSE -- "$@"
    openssl pkcs12 -export -in "$name.crt" -inkey "$name.key" -certfile "$issuer.crt" -passout "pass:$PASSWORD" -out "$name.p12"
}

HERE_NAMES=DNS:localhost,IP:127.0.0.1
authority ca "Peers Test CA"
authority otherca "Peers Unknown CA"
sign ca inter "Peers Intermediate CA" basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign
issuer inter
server ca ok "$HERE_NAMES" serverAuth
server ca expired "$HERE_NAMES" serverAuth -startdate 20200101000000Z -enddate 20210101000000Z
server ca wrongname DNS:wrong.example serverAuth
server ca wrongeku "$HERE_NAMES" clientAuth
server otherca unknownca "$HERE_NAMES" serverAuth
server inter nochain "$HERE_NAMES" serverAuth
server ca revoked "$HERE_NAMES" serverAuth
server otherca worst DNS:wrong.example clientAuth -startdate 20200101000000Z -enddate 20210101000000Z
client ca client "Client One"
client ca client-expired "Client Old" -startdate 20200101000000Z -enddate 20210101000000Z
client otherca client-unknownca "Client Stranger"
openssl ca -config ca.cnf -revoke revoked.crt 2>>"$WORK/log/certs"
openssl ca -config ca.cnf -gencrl -crl_lastupdate 20200101000000Z -crl_nextupdate 20490101000000Z -out crl.pem 2>>"$WORK/log/certs"
openssl crl -in crl.pem -outform DER -out ca.crl
touch done
own "$C"
