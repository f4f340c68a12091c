# Sourced by scripts/run and scripts/test, which say in `script` where they are: finds the project's
# root and a Python to build .venv with.
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd -P)

find_python() {
    for candidate in ${TAKOPI_PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    echo "takopi needs Python 3.11 or newer; install it, or name one in TAKOPI_PYTHON" >&2
    return 1
}

make_venv() {
    python=$(find_python)
    "$python" "$root/scripts/bootstrap.py" "$1"
}
