/** Debian packages the whole test run needs: the Engine, and the judges that nobody here wrote. */
export const hostPackages = [
  'bind9-dnsutils',
  'busybox-static',
  'curl',
  'docker-compose',
  'docker-registry',
  'docker.io',
  'iptables',
  'libcap2-bin',
  'mmdebstrap',
  'openssh-client',
  'openssh-server',
  'openssl',
  'shellcheck',
  'skopeo',
  'squidclient',
  'umoci',
]
