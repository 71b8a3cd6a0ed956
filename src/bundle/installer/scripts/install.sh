#!/bin/sh
# Installs @product@ @version@ from the bundle beside this file. It needs a Docker Engine, and nothing else.
#
#   sh install.sh [--profile NAME] [--name NAME] [--set KEY=VALUE] [--licence FILE] [--dry-run] [--json]
#
# What it trusts: this file names the SHA-256 of the bundle's installer image, which checks the rest by its own key.
set -u
name=install.sh
command=@command@
product=@quoted_product@
version=@version@
architecture=@architecture@
bundle_name=@bundle@
prefix_size=@prefix_size@
prefix_sha256=@prefix_sha256@
base_version=@base_version@
base_images='@base_images@'
reference=@reference@
image_ids='@image_ids@'
image_layers='@image_layers@'
again="sh $0${*:+ $*}"

@engine@

# The bundle's first bytes: the image that installs. The bundle may be in parts.
prefix() {
  if [ -f "$bundle" ]; then
    head -c "$prefix_size" "$bundle"
  else
    cat "$bundle".[0-9][0-9][0-9] | head -c "$prefix_size"
  fi
}

# Sets `sha256`. OpenSSL first: it uses what the processor has for it, and takes a fifth of the time.
find_sha256() {
  if openssl version >/dev/null 2>&1; then
    sha256='openssl dgst -sha256 -r'
  elif command -v sha256sum >/dev/null 2>&1; then
    sha256=sha256sum
  elif command -v shasum >/dev/null 2>&1; then
    sha256='shasum -a 256'
  else
    fail 3 "This host has no sha256sum, shasum or openssl, so that the bundle cannot be checked; install one of them, then run: $again"
  fi
}

find_bundle() {
  folder=$(cd "$(dirname -- "$0")" && pwd) || exit 2
  bundle=$folder/$bundle_name
  [ -f "$bundle" ] || find_wrong_copy missing
  [ -f "$bundle" ] || [ -f "$bundle.001" ] ||
    fail 2 "$bundle_name is not beside $0; put both into one folder, then run: $again"
}

# Names the file, or the part, that is missing or is not what the checksums beside it say, where they are there: what was
# damaged on its way here is refused before the Engine sees any of it. $1: "missing" or "damaged"
find_wrong_copy() {
  [ -f "$folder/SHA256SUMS" ] || return 0
  while read -r sum copy; do
    what="$copy, a part of $bundle_name,"
    [ "$copy" != "$bundle_name" ] || what=$copy
    case $copy in
    "$bundle_name") [ -f "$bundle" ] || continue ;;
    "$bundle_name".[0-9]*) [ ! -f "$bundle" ] || continue ;;
    *) continue ;;
    esac
    [ -f "$folder/$copy" ] ||
      fail 2 "$what is missing; nothing was loaded. Copy it into the folder of $0, then run: $again"
    [ "$1" = damaged ] || continue
    found=$($sha256 <"$folder/$copy") || exit
    [ "${found%% *}" = "$sum" ] ||
      fail 2 "$what is damaged, or has the name of another; nothing was loaded. Copy it once more, then run: $again"
  done <"$folder/SHA256SUMS"
}

# The ID and the layers of each of these images that the Engine has.
known_images() { docker image inspect --format '{{.Id}}{{range .RootFS.Layers}} {{.}}{{end}}' "$@" 2>/dev/null; }

# Whether the Engine has what an update stands on; sets `base` to its installer.
has_base() {
  [ -n "$base_version" ] || return 0
  # shellcheck disable=SC2086 # one word for each image
  base=$(known_images $base_images | sed 's/ .*//;1q')
  [ -n "$base" ]
}

# Sets `image` to the ID by which the Engine has the installer; fails where it has not.
find_image() {
  # shellcheck disable=SC2086 # one word for each ID
  known=$(known_images $image_ids "$reference")
  while read -r image layers; do
    [ -n "$image" ] || continue
    case " $image_ids " in
    *" $image "*) return 0 ;;
    esac
    # An Engine with containerd's image store may count IDs in a way of its own: there its layers tell the image from another build's.
    [ "$layers" != "$image_layers" ] || ! is_containerd || return 0
  done <<IMAGES
$known
IMAGES
  image=
  return 1
}

is_containerd() {
  case $(docker info --format '{{.DriverStatus}}' 2>/dev/null) in
  *io.containerd.snapshotter*) return 0 ;;
  *) return 1 ;;
  esac
}

# Runs the command without leaving it: of `image`, with these words.
run_once() {
  temporary=$(mktemp) || fail 1 "No file can be made in ${TMPDIR:-/tmp}; make room, then run: $again"
  write_command >"$temporary"
  code=0
  sh "$temporary" "$@" || code=$?
  rm -f "$temporary"
  return "$code"
}

load_image() {
  { has_base && [ "$prefix_size" -gt 0 ]; } ||
    fail 2 "$bundle_name holds only what changed since $product $base_version, which this Engine does not have; nothing was loaded. Install the full bundle of $version instead"
  find_sha256
  say "Checking $bundle_name …"
  # Both at once: most hosts have a second processor.
  found=$(
    prefix | $sha256 &
    find_wrong_copy damaged
    wait "$!"
  ) || exit
  [ "${found%% *}" = "$prefix_sha256" ] ||
    fail 2 "$bundle_name is damaged, or is not the bundle that this install.sh belongs to; nothing was loaded. Copy both once more, then run: $again"
  say "Loading the installer ($(((prefix_size + 999999) / 1000000)) MB) …"
  if [ -n "$base_version" ] && is_containerd; then
    # There docker load takes no image without all its layers: the installer beneath does.
    image=$base
    run_once load-installer "$bundle" || exit
  else
    prefix | docker load -q >/dev/null ||
      fail 1 "The Docker Engine did not take the installer, for the reason above; put that right, then run: $again"
  fi
  find_image ||
    fail 1 "The Docker Engine made another image of the installer than the bundle holds; nothing was run. Run: docker image rm $reference, then: $again"
}

# Where the command goes: where the caller says, else for everybody, else for this user.
choose_folder() {
  own=${HOME:-/}/.local/bin
  for target in "${SLIPWAY_BIN:-/usr/local/bin}" "${SLIPWAY_BIN:-$own}"; do
    [ "$target" != "$own" ] || mkdir -p "$target" || break
    # BusyBox says of a file system that is read-only that root may write to it.
    trial=$target/.$command.$$.tmp
    { [ -d "$target" ] && [ -w "$target" ] && (: >"$trial") 2>/dev/null && rm -f "$trial"; } || continue
    [ ! -e "$target/$command" ] || grep -q '^# @marker@$' "$target/$command" 2>/dev/null ||
      fail 3 "$target/$command is there already and is no command of this installer; move it away, or choose another folder: SLIPWAY_BIN=DIR $again"
    return 0
  done
  [ -z "${SLIPWAY_BIN:-}" ] ||
    fail 3 "SLIPWAY_BIN is $SLIPWAY_BIN, which is no folder that can be written; make it one, or choose another: SLIPWAY_BIN=DIR $again"
  fail 3 "Neither /usr/local/bin nor $own can be written; choose a folder for the command: SLIPWAY_BIN=DIR $again"
}

write_command() {
  sed "s|@image@|$image|" <<'COMMAND'
@wrapper@
COMMAND
}

# Whole or not at all; the same one is left alone.
place_command() {
  rm -f "$target/.$command".*.tmp
  temporary=$target/.$command.$$.tmp
  { write_command >"$temporary" && chmod 755 "$temporary"; } || unwritten
  if cmp -s "$temporary" "$target/$command"; then
    rm -f "$temporary"
  else
    if [ -e "$target/$command" ]; then
      earlier_command=$target/.$command.$$.earlier.tmp
      cp -p "$target/$command" "$earlier_command" || unwritten
    fi
    mv -f "$temporary" "$target/$command" || unwritten
    placed=yes
    say "The command $command is in $target."
    case ":${PATH:-}:" in
    *":$target:"*) ;;
    *) say "$target is not in PATH; call it as $target/$command, or add: PATH=\"$target:\$PATH\"" ;;
    esac
  fi
}

# What is refused as wrong in itself leaves the host as it was: what this run has loaded and written goes.
take_back() {
  docker image rm "$image" >/dev/null 2>&1
  [ -n "$placed" ] || return 0
  if [ -n "$earlier_command" ]; then mv -f "$earlier_command" "$target/$command"; else rm -f "$target/$command"; fi
  say "The installer and the command of this run were taken away again."
}

unwritten() { fail 1 "$target/$command could not be written; make room for it, then run: $again"; }

# Of a run whose terminal went away, the Engine's part goes on; of one that was killed, what never started is left.
await_earlier() {
  earlier=
  left=
  while IFS=';' read -r id process status; do
    case $status in
    Up*) earlier="$earlier $id" ;;
    Created* | Exited*) is_at_work "$process" || left="$left $id" ;;
    esac
  done <<CONTAINERS
$(docker ps -a --filter "label=io.slipway.installer=$command" --filter label=io.slipway.verb=install --format '{{.ID}};{{.Label "io.slipway.process"}};{{.Status}}')
CONTAINERS
  if [ -n "$earlier" ]; then
    say "An earlier run is still at work; waiting for it …"
    # shellcheck disable=SC2086 # one word for each container
    docker wait $earlier >/dev/null 2>&1
  fi
  # shellcheck disable=SC2086 # one word for each container
  [ -z "$earlier$left" ] || docker rm -v $earlier $left >/dev/null 2>&1
}

# Whether the command that made a container lives, on this host, and is about to start it. $1: "host7 123"
is_at_work() {
  [ "${1% *}" = "$(uname -n)" ] || return 1
  # One that was killed has a number for as long as nobody asked how it ended.
  case $(sed 's/.*) //' "/proc/${1##* }/stat" 2>/dev/null) in
  Z* | X*) return 1 ;;
  ?*) return 0 ;;
  *) kill -0 "${1##* }" 2>/dev/null ;;
  esac
}

dry_run=
for argument in "$@"; do
  case $argument in
  --dry-run) dry_run=yes ;;
  -h | --help)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
  esac
done

find_engine
# The command needs not find it anew.
SLIPWAY_ENGINE=found
export SLIPWAY_ENGINE
engine_architecture=${server#* }
[ "$engine_architecture" = "$architecture" ] ||
  fail 3 "This bundle of $product $version is for $architecture, and the Docker Engine runs on $engine_architecture; take the bundle for $engine_architecture"
find_bundle
temporary=
earlier_command=
placed=
trap 'rm -f "$temporary" "$earlier_command"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
was_there=yes
find_image || {
  was_there=
  load_image
}
if [ -n "$dry_run" ]; then
  code=0
  run_once install --bundle "$bundle" "$@" || code=$?
  [ -n "$was_there" ] || docker image rm "$image" >/dev/null 2>&1
  exit "$code"
fi
choose_folder
place_command
await_earlier
code=0
sh "$target/$command" install --bundle "$bundle" "$@" || code=$?
[ "$code" != 2 ] || [ -n "$was_there" ] || take_back
exit "$code"
