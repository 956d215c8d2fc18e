# shellcheck shell=bash
# Sourced by scripts/demo, scripts/test and scripts/bench: one environment for all of them, .venv at
# the root of the checkout. Needs Python >= 3.10 with venv and pip, and a C++17 compiler.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
CACHE=$ROOT/.cache
export PIP_DISABLE_PIP_VERSION_CHECK=1
export PYTHONDONTWRITEBYTECODE=1

# say TEXT: what happens now; bold on a terminal that has it and where nobody said NO_COLOR
say() {
    local bold='' plain=''
    [ ! -t 2 ] || [ "${TERM:-dumb}" = dumb ] || [ -n "${NO_COLOR:-}" ] || { bold=$'\e[1m' plain=$'\e[0m'; }
    printf '%s==> %s%s\n' "$bold" "$*" "$plain" >&2
}
# A program in front that takes Ctrl-C for an error of its own, as pip does, leaves this to say what it was.
trap 'printf "%s: interrupted\n" "$(basename "$0")" >&2; exit 130' INT
# die TEXT [STATUS]: one line, and the end
die() { printf '%s: %s\n' "$(basename "$0")" "$1" >&2; exit "${2:-1}"; }

# say_help ARGUMENT...: prints the comment at a script's top and ends, where help is asked for first
say_help() {
    case "${1:-}" in
    -h | --help)
        sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"
        exit
        ;;
    esac
}

# working_python CANDIDATE...: the path of the first that the project supports and that really runs;
# pyenv puts a name on the PATH for every version that it has, which runs for the selected ones only
working_python() {
    local candidate
    for candidate; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# python_of VERSION: the path of that Python, from the PATH or else got by uv of .venv into .cache, with
# its headers; what uv says where it cannot is on standard error
python_of() {
    working_python "python$1" && return
    export UV_PYTHON_INSTALL_DIR=${UV_PYTHON_INSTALL_DIR:-$CACHE/pythons} UV_PYTHON_INSTALL_BIN=0
    "$VENV/bin/uv" python install --quiet "$1" >&2 && "$VENV/bin/uv" python find --managed-python "$1"
}

# find_python: the first interpreter on the PATH that the project supports
find_python() {
    # shellcheck disable=SC2086
    working_python ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10} ||
        die "no Python >= 3.10 with the venv module found (on Debian and Ubuntu: apt-get install python3-venv)"
}

# make_venv EXTRAS: .venv with this checkout installed, and what the lock pins for these extras
make_venv() {
    local python lock=lab
    case ",$1," in
    *,test,* | *,release,*) lock=test ;;
    *,docs,*) lock=docs ;;
    esac
    command -v "${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 ||
        die "no C++ compiler found (on Debian and Ubuntu: apt-get install g++)"
    if [ ! -x "$VENV/bin/python" ]; then
        python=$(find_python) || exit 1
        say "making .venv with $("$python" --version)"
        "$python" -m venv "$VENV" || die "cannot make a virtual environment in $VENV"
    fi
    say "installing nixl-stripe (compiles the plugin: about a minute)"
    export PATH="$VENV/bin:$PATH"
    "$VENV/bin/python" -m pip install --quiet --require-hashes -r "$ROOT/requirements/$lock.txt" ||
        die "pip could not install what requirements/$lock.txt pins; its message stands above"
    # Without isolation: what builds it comes from the lock as well.
    "$VENV/bin/python" -m pip install --quiet --no-deps --no-build-isolation "$ROOT" ||
        die "pip could not install nixl-stripe; its message stands above"
}

# take_venv: .venv as it is, where another script has just made it
take_venv() {
    "$VENV/bin/python" -c 'import nixl_stripe' || die "--installed: .venv has no nixl-stripe; leave it out"
    export PATH="$VENV/bin:$PATH"
}
