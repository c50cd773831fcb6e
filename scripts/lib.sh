# Helpers shared by the scripts; source it. Works with the bash 3.2 that macOS ships.

# Says what is wrong in one sentence and ends the script.
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Whether a command exists.
has() {
  command -v "$1" >/dev/null 2>&1
}

# Whether packages may be installed: root on a system with apt.
may_install() {
  has apt-get && [ "$(id -u)" = 0 ]
}

# Installs Debian packages quietly; the caller has asked may_install.
install_packages() {
  printf 'installing %s with apt\n' "$*" >&2
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# A TCP port on loopback that nothing listens on now.
free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'
}
