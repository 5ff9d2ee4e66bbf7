#!/usr/bin/env bash
# stop.sh WORKDIR [NAME...]: ends the servers whose pid files lie in WORKDIR/run, all of them or these,
# and nothing else.
[ -d "${1:?usage: $0 WORKDIR [NAME...]}" ] || exit 0
source "$(dirname "$0")/lib.sh"

# Whether the process was started for this folder: a number may have found another one meanwhile.
is_ours() {
    tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -qF -- "$WORK" ||
        tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | grep -qF -- "$WORK"
}

shift
files=()
for name in "$@"; do files+=("$WORK/run/$name.pid"); done
[ $# -gt 0 ] || files=("$WORK"/run/*.pid)
ours=()
for file in "${files[@]}"; do
    [ -s "$file" ] || continue
    pid="$(tr -dc 0-9 <"$file")"
    if [ -n "$pid" ] && is_ours "$pid"; then
        kill "$pid" 2>/dev/null || true
        ours+=("$pid $(basename "$file" .pid)")
    fi
done
for one in "${ours[@]}"; do
    read -r pid name <<<"$one"
    for _ in $(seq 1 50); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    ! kill -0 "$pid" 2>/dev/null || kill -9 "$pid" 2>/dev/null || true
    echo "stopped $name"
done
rm -f "${files[@]}"
