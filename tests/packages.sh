# What a part of the tests needs of Debian, or of what is made of it; sourced, not run. NEEDED has a line
# for each program or file, a pattern perhaps, with the package that has it.

# missing: the packages that are not there.
missing() {
    local thing package
    while read -r thing package; do
        case "$thing" in
        "") ;;
        /*) compgen -G "$thing" >/dev/null || echo "$package" ;;
        *) command -v "$thing" >/dev/null || echo "$package" ;;
        esac
    done <<<"$NEEDED" | sort -u
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

# install_missing: installs them, and says which cannot be had. Quick when all are there.
install_missing() {
    local packages package apt install
    mapfile -t packages < <(missing)
    [ ${#packages[@]} != 0 ] || return 0
    command -v apt-get >/dev/null || { echo "no apt-get here; install by hand: ${packages[*]}" >&2; return 1; }
    echo "apt-get install ${packages[*]}"
    apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
    install=(as_root "${apt[@]}" install -y -qq --no-install-recommends)
    as_root "${apt[@]}" update -qq || return 1
    # One that cannot be had keeps none of the others away.
    "${install[@]}" "${packages[@]}" >/dev/null ||
        for package in "${packages[@]}"; do "${install[@]}" "$package" >/dev/null || true; done
    mapfile -t packages < <(missing)
    [ ${#packages[@]} = 0 ] || { echo "these packages cannot be installed: ${packages[*]}" >&2; return 1; }
}
