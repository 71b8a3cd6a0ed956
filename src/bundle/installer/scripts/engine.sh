say() { printf '%s\n' "$*" >&2; }

# $1: exit code; the rest: one sentence, and what to type.
fail() {
  code=$1
  shift
  say "$name: $*"
  exit "$code"
}

# Sets `server` to what the Engine runs on, "linux amd64". Finds it as Docker's own command does (DOCKER_HOST, the current context), else the one that runs without root.
find_engine() {
  command -v docker >/dev/null 2>&1 ||
    fail 3 "There is no docker command on this host; install the Docker Engine (on Debian and Ubuntu: sudo apt-get install docker.io), then run: $again"
  if ! server=$(ask_engine); then
    rootless=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock
    if [ -z "${DOCKER_HOST:-}${DOCKER_CONTEXT:-}" ] && [ -S "$rootless" ]; then
      DOCKER_HOST=unix://$rootless
      export DOCKER_HOST
      server=$(ask_engine) || no_engine "$server"
    else
      no_engine "$server"
    fi
  fi
  [ "${server%% *}" = linux ] ||
    fail 3 "The Docker Engine runs ${server%% *} containers; switch Docker Desktop to Linux containers, then run: $again"
}

# Docker's command, or the shell that it is started by, may warn first, such as of a ~/.docker/config.json that only root may
# read, or of a locale that is not there: that is no answer.
ask_engine() {
  docker version --format '{{.Server.Os}} {{.Server.Arch}}' 2>/dev/null && return
  code=0
  said=$(docker version --format '{{.Server.Os}} {{.Server.Arch}}' 2>&1) || code=$?
  printf '%s\n' "$said" | sed '/^WARNING: /d; /^$/d'
  return "$code"
}

# What starts the Engine of this host.
starter() {
  if [ "$(uname -s)" = Darwin ]; then
    echo 'open -a Docker, colima start, or what else runs it'
  elif [ -e /snap/bin/docker ]; then
    echo 'sudo snap start docker'
  elif command -v rc-service >/dev/null 2>&1; then
    echo 'sudo rc-service docker start'
  else
    echo 'sudo systemctl start docker'
  fi
}

engine_address() {
  found=${DOCKER_HOST:-}
  # Without settings of its own, Docker's command has no context but its default.
  if [ -z "$found" ] && { [ -e "${DOCKER_CONFIG:-${HOME:-}/.docker}/config.json" ] || [ -n "${DOCKER_CONTEXT:-}" ]; }; then
    # For a context that is not there it prints an empty line.
    found=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null)
  fi
  printf '%s\n' "${found:-unix:///var/run/docker.sock}"
}

# $1: what Docker's command said.
no_engine() {
  address=$(engine_address)
  user_name=$(id -un 2>/dev/null) || user_name=USER
  case $1 in
  *'permission denied'*)
    fail 3 "You may not use the Docker Engine at $address; run: sudo ${as_root:-$again} (or become a member of the group docker: sudo usermod -aG docker $user_name, log in anew, then run: $again)"
    ;;
  *podman* | *"can't evaluate field Arch"*)
    fail 3 "The docker command of this host is Podman's, and Podman is no Docker Engine; install the Docker Engine in its place (https://docs.docker.com/engine/install), then run: $again"
    ;;
  *'unable to resolve docker endpoint'* | *'Current context '*' is not found'*)
    fail 3 "The context that Docker's command is to use is not there; correct it (docker context ls), then run: $again"
    ;;
  *)
    case $address in
    unix:*) fail 3 "No Docker Engine answers at $address; start it ($(starter)), then run: $again" ;;
    *) fail 3 "No Docker Engine answers at $address; correct DOCKER_HOST or the context (docker context ls), then run: $again" ;;
    esac
    ;;
  esac
}
