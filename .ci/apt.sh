#!/bin/sh
# apt.sh PACKAGE...: install Debian packages that are missing, as root or with sudo.
set -eu
# One at a time: make runs several, and apt does not wait for another.
[ -n "${APT_ALONE:-}" ] || exec env APT_ALONE=1 flock "$0" sh "$0" "$@"
missing=
for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
root=
[ "$(id -u)" = 0 ] || root=sudo
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq
# Servers that a package would start on its own are not wanted: tests start theirs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
    $root chmod +x "$policy"
    trap '$root rm -f "$policy"' EXIT
fi
$root apt-get install -qq -y --no-install-recommends $missing >/dev/null
