#!/bin/sh
# replay.sh FOLDER: fetch the replay engine (ReplayWeb.page, AGPL-3.0) from npm, as it is, into a folder.
# It is served to browsers from an origin of its own and is no part of this project.
set -eu
folder=$1 version=2.4.6
here=$(cd "$(dirname "$0")" && pwd)
command -v npm >/dev/null 2>&1 || sh "$here/apt.sh" npm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "replaywebpage@$version" >/dev/null && tar xzf ./*.tgz package/ui.js package/sw.js package/LICENSE)
(cd "$work/package" && sha256sum --quiet -c "$here/replay.sha256")
mkdir -p "$folder"
cp "$work/package/ui.js" "$work/package/sw.js" "$work/package/LICENSE" "$folder/"
