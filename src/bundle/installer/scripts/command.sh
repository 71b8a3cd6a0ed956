#!/bin/sh
# @marker@
# The command of @product@: runs the installer image in the Docker Engine. Written by install.sh, which replaces it.
set -u
name=@command@
image=@image@
again="$name${*:+ $*}"
# On many hosts sudo looks neither in /usr/local/bin nor in ~/.local/bin.
as_root="$0${*:+ $*}"

@engine@

# Whether a directory of this host can stand at its own path in the container without hiding what runs there.
may_mount() {
  case $1 in
  / | /bin | /bin/* | /dev | /dev/* | /etc | /lib | /lib/* | /lib64 | /lib64/* | /proc | /proc/* | /run) return 1 ;;
  /sbin | /sbin/* | /sys | /sys/* | /usr | /usr/bin | /usr/bin/* | /usr/lib | /usr/lib/*) return 1 ;;
  /usr/sbin | /usr/sbin/* | /usr/share | /usr/share/slipway* | /var | /var/run | /run/slipway*) return 1 ;;
  *) return 0 ;;
  esac
}

# Whether the Engine runs in a virtual machine of this host: there it has its own socket, and its own network.
is_virtual() {
  case "$about $endpoint" in
  *'Docker Desktop'* | *unix://*/.colima/* | *unix://*/colima/* | *unix://*/.lima/* | *unix://*/.rd/*) return 0 ;;
  esac
  [ "$(uname -s)" = Darwin ]
}

# By which addresses clients reach this host, where the Engine has a network of its own and cannot tell.
host_addresses() {
  { ip -4 -o address show scope global 2>/dev/null || ifconfig 2>/dev/null; } | sed -n \
    -e '/: docker/d' -e '/: br-/d' -e '/: virbr/d' -e '/inet \(addr:\)\{0,1\}127\./d' \
    -e 's/.*inet \(addr:\)\{0,1\}\([0-9.]*\).*/\2/p' | tr '\n' ' '
}

# One field of --mount, whatever the path holds.
field() { printf '"%s=%s"' "$1" "$(printf '%s' "$2" | sed 's/"/""/g')"; }

# The directory that a path lies in, where the container may see it.
print_directory() {
  directory=$(cd "$(dirname -- "$1")" 2>/dev/null && pwd) || return 0
  ! may_mount "$directory" || printf '%s\n' "$directory"
}

# The directories that the arguments lie in, one a line: the current one, and those of paths.
find_directories() {
  ! may_mount "$here" || printf '%s\n' "$here"
  for argument in "$@"; do
    case $argument in
    --*=*) argument=${argument#*=} ;;
    esac
    # What a link leads to lies elsewhere.
    [ ! -L "$argument" ] || print_directory "$(readlink -f -- "$argument" 2>/dev/null)"
    case $argument in
    */*) print_directory "$argument" ;;
    esac
  done
}

# Where a path lies in the container: the same place.
absolute() {
  case $1 in
  /*) printf '%s\n' "$1" ;;
  *) printf '%s\n' "$here/$1" ;;
  esac
}

# An Engine elsewhere sees none of this host's files: what the arguments name is copied there, what it writes back.
run_elsewhere() {
  container=$(docker create --pull never "$@") || return 125
  trap 'docker rm -fv "$container" >/dev/null 2>&1' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  shift "$options"
  for argument in "$@"; do
    case $argument in
    --*=*) argument=${argument#*=} ;;
    esac
    # Of a bundle in parts any part may be named, their list, or what their names begin with.
    bundle=${argument%.parts}
    bundle=${bundle%.[0-9][0-9][0-9]}
    for file in "$bundle" "$bundle".parts "$bundle".[0-9][0-9][0-9]; do
      [ ! -f "$file" ] || docker cp -qL "$file" "$container:$(absolute "$file")" >/dev/null 2>&1 ||
        docker cp -L "$file" "$container:$(absolute "$file")" >/dev/null || return 1
    done
  done
  code=0
  docker start -a ${interactive:+"$interactive"} "$container" || code=$?
  [ "${1:-}" = install ] || fetch_files
  return "$code"
}

fetch_files() {
  printf '%s\n' "$directories" | while IFS= read -r directory; do
    [ -n "$directory" ] || continue
    fetched=$(mktemp -d) || return
    docker cp "$container:$directory/." "$fetched" >/dev/null 2>&1
    for file in "$fetched"/*; do
      [ ! -f "$file" ] || cmp -s "$file" "$directory/${file##*/}" || mv -f "$file" "$directory/"
    done
    rm -rf "$fetched"
  done
}

# Whether an argument names a place in a registry, such as registry.example/acme/wan@sha256:…
names_registry() {
  for argument in "$@"; do
    case $argument in
    -* | /* | .*) ;;
    *[.:]*/* | localhost/*) return 0 ;;
    esac
  done
  return 1
}

run() {
  here=$(pwd)
  registry=
  ! names_registry "$@" || registry=yes
  directories=$(find_directories "$@" | sort -u)
  about=$(docker info --format '{{.OperatingSystem}} {{.SecurityOptions}}' 2>/dev/null)
  socket=/var/run/docker.sock
  user=0:0
  group=
  place=elsewhere
  endpoint=$(engine_address)
  addresses=${SLIPWAY_HOST_ADDRESSES:-}
  machine_id=
  case $endpoint in
  unix://*)
    place=here
    if is_virtual; then
      : "${addresses:=$(host_addresses)}"
    else
      [ ! -f /etc/machine-id ] || machine_id=yes
      socket=${endpoint#unix://}
      case $about in
      *name=rootless*) : "${addresses:=$(host_addresses)}" ;;
      *)
        if [ "$(id -u)" != 0 ]; then
          user=$(id -u):$(id -g)
          # shellcheck disable=SC2012 # there is no other way to a number that every system has
          group=$(ls -lnL "$socket" | sed 's/^[^ ]* *[^ ]* *[^ ]* *\([0-9]*\).*/\1/')
        fi
        ;;
      esac
    fi
    ;;
  esac
  working=/
  ! may_mount "$here" || working=$here

  # What the container is made with goes before what the program is told.
  count=$#
  set -- "$image" "$@"
  set -- @container_options@ "$@"
  set -- --label "io.slipway.verb=${verb:-help}" --label "io.slipway.process=$(uname -n) $$" --user "$user" --workdir "$working" "$@"
  [ "$user" != 0:0 ] || set -- --cap-add DAC_OVERRIDE "$@"
  [ -z "$group" ] || set -- --group-add "$group" "$@"
  set -- --mount "type=bind,$(field src "$socket"),dst=/var/run/docker.sock" "$@"
  case $about in
  *name=rootless*) ;;
  *) set -- --pid host "$@" ;;
  esac
  case $about in
  *name=userns*) set -- --userns host "$@" ;;
  esac
  while IFS= read -r directory; do
    [ -n "$directory" ] || continue
    if [ "$place" = here ]; then
      set -- --mount "type=bind,$(field src "$directory"),$(field dst "$directory")" "$@"
    else
      set -- --mount "type=volume,$(field dst "$directory")" "$@"
    fi
  done <<DIRECTORIES
$directories
DIRECTORIES
  if [ -n "$machine_id" ]; then
    set -- --mount type=bind,src=/etc/machine-id,dst=/etc/machine-id,readonly "$@"
  fi
  if [ "$place" = here ] && [ -n "$registry" ]; then
    # Docker's logins, and whom it trusts, where it has them; its context is not the container's.
    logins=$(absolute "${DOCKER_CONFIG:-${HOME:-}/.docker}")
    set -- --env "DOCKER_CONFIG=$logins" --env DOCKER_CONTEXT=default "$@"
    for known in "$logins/config.json" "$logins/certs.d" /etc/docker/certs.d; do
      [ ! -e "$known" ] || set -- --mount "type=bind,$(field src "$known"),$(field dst "$known"),readonly" "$@"
    done
  fi
  [ -z "$addresses" ] || set -- --env "SLIPWAY_HOST_ADDRESSES=$addresses" "$@"
  [ -z "${NO_COLOR:-}" ] || set -- --env NO_COLOR "$@"
  # Questions are for a terminal. What else comes in belongs to who called: the lines of a loop, say.
  interactive=
  if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then
    interactive=-i
    set -- --interactive --tty --env TERM "$@"
  fi
  options=$(($# - count))
  if [ "$place" = here ]; then
    docker run --rm --pull never "$@"
  else
    run_elsewhere "$@"
  fi
}

# Names a folder that the Engine cannot mount. No Engine has the image: it holds mounts against its host before it looks.
refuse_unseen() {
  while IFS= read -r directory; do
    [ -n "$directory" ] || continue
    case $(docker create --pull never --mount "type=bind,$(field src "$directory"),dst=/seen" slipway-no-such-image:0 2>&1) in
    *'source path does not exist'* | *'Mounts denied'* | *'creating mount source path'*)
      fail 3 "The Docker Engine does not see $directory of this host (one from snap sees home folders only, one in a virtual machine those that it shares); go into a home folder, with the files that you name, then run: $again"
      ;;
    esac
  done <<DIRECTORIES
$directories
DIRECTORIES
}

verb=${1:-}
# install.sh has found it a moment ago.
[ "${SLIPWAY_ENGINE:-}" = found ] || find_engine
code=0
run "$@" || code=$?
if [ "$code" = 125 ]; then
  docker image inspect "$image" >/dev/null 2>&1 ||
    fail 3 "The image of this command is no longer in the Docker Engine; bring it back with: sh install.sh"
  [ "$place" = elsewhere ] || refuse_unseen
  exit 1
fi
if [ "$code" = 0 ] && [ "$verb" = uninstall ]; then
  case " $* " in
  *' --dry-run '* | *' --json '* | *' --help '* | *' -h '*) ;;
  *)
    # Those of earlier releases too.
    images=$(docker image ls -q --no-trunc --filter "label=io.slipway.installer=$name" 2>/dev/null | sort -u | tr '\n' ' ')
    images=${images% }
    say "To remove this command and its image too: rm '$0' && docker image rm ${images:-$image}"
    ;;
  esac
fi
exit "$code"
