#!/bin/sh
# ensure-venv.sh PYTHON FOLDER: a virtual environment, also where Debian's Python comes without venv.
set -eu
python=$1 folder=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2
    exit 1
}
[ -x "$folder/bin/python" ] && "$folder/bin/python" -m pip --version >/dev/null 2>&1 && exit 0
rm -rf "$folder"
if ! "$python" -m venv "$folder" 2>/dev/null; then
    rm -rf "$folder"
    sh "$(dirname "$0")/apt.sh" python3-venv
    "$python" -m venv "$folder"
fi
