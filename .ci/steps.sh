# Shared by .ci/run and .ci/quick: says what is done, and how long it took.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# component NAME COMMAND...: has rustup add a component whose COMMAND does not work yet.
component() {
    local name=$1
    shift
    if ! "$@" >/dev/null 2>&1; then
        echo "=== rustup component add $name"
        rustup component add "$name"
    fi
}

# step COMMAND...: runs one step under a heading; the first that fails ends the run.
step() {
    local start=$SECONDS
    echo
    echo "=== $*"
    if ! "$@"; then
        echo "=== FAILED after $((SECONDS - start)) s: $*" >&2
        exit 1
    fi
    echo "=== passed in $((SECONDS - start)) s: $*"
}

done_in() {
    echo
    echo "=== all steps passed in $SECONDS s"
}
