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
        describe_environment >"$root/.venv/.ready" &&
        { [ -z "$1" ] || cp -- "$root/.venv/.ready" "$root/.venv/.ready-test"; } &&
        rm -f -- "$root/.venv/.unfinished"
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
