# shellcheck shell=bash
# Sourced by scripts that need programs of Debian's packages.

# need PROGRAM=PACKAGE...: installs the packages of the programs that are missing; needs root for it
need() {
    local pair missing=()
    for pair; do
        command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null 2>&1 ||
        die "missing: ${missing[*]} (packages of Debian; there is no apt-get here)"
    [ "$(id -u)" = 0 ] || die "missing: run as root: apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
        { apt-get -qq update && apt-get -qq install -y --no-install-recommends "${missing[@]}"; } >/dev/null; } ||
        die "apt-get could not install ${missing[*]}; its message stands above"
}
