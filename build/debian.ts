/** A Debian package that tests run, the program that shows it is there, and what for. */
export interface Needed {
  readonly name: string;
  /** A program on the PATH or, with a slash, a file. */
  readonly shows: string;
  readonly for: string;
}

/** Everything the tests and benchmarks take from Debian. Nothing here is in the product. */
export const NEEDED: readonly Needed[] = [
  { name: "nginx-light", shows: "/usr/sbin/nginx", for: "the other side of the benchmark" },
  { name: "varnish", shows: "/usr/sbin/varnishd", for: "the other side of the benchmark" },
  { name: "wrk", shows: "wrk", for: "load in the benchmark and during reload and upgrade" },
  { name: "hey", shows: "hey", for: "load during reload and upgrade" },
  { name: "util-linux", shows: "taskset", for: "pinning both sides of the benchmark" },
  { name: "curl", shows: "curl", for: "HTTP/1.1, HTTP/2 and TLS by another's client" },
  { name: "nghttp2-client", shows: "nghttp", for: "HTTP/2 by another's client" },
  { name: "ngtcp2-client", shows: "gtlsclient", for: "HTTP/3 by another's client" },
  { name: "openssl", shows: "openssl", for: "TLS by another's client, test certificates" },
  { name: "apache2-bin", shows: "/usr/sbin/apache2", for: "files kept on another's WebDAV server" },
  { name: "litmus", shows: "litmus", for: "WebDAV" },
  { name: "rclone", shows: "rclone", for: "files kept and copied by another's client" },
  { name: "cadaver", shows: "cadaver", for: "WebDAV by another's client" },
  { name: "s3cmd", shows: "s3cmd", for: "S3 by another's client" },
  { name: "radosgw", shows: "radosgw", for: "files kept on another's object store" },
  { name: "ceph-mon", shows: "ceph-mon", for: "radosgw" },
  { name: "ceph-mgr", shows: "ceph-mgr", for: "radosgw" },
  { name: "ceph-osd", shows: "ceph-osd", for: "radosgw" },
  { name: "nftables", shows: "/usr/sbin/nft", for: "packets that are lost" },
  { name: "fuse3", shows: "fusermount3", for: "a store mounted by rclone" },
  {
    name: "fio",
    shows: "fio",
    for: "a mounted store, written to and verified by another's program",
  },
  { name: "pebble", shows: "pebble", for: "ACME" },
  { name: "iproute2", shows: "ss", for: "socket options as the kernel sees them" },
  { name: "gcc", shows: "cc", for: "layouts of C structures against the headers" },
  { name: "libc6-dev", shows: "/usr/include/stdio.h", for: "layouts of C structures" },
  { name: "musl-tools", shows: "musl-gcc", for: "musl: its headers, and the musl binary" },
  {
    name: "gcc-aarch64-linux-gnu",
    shows: "aarch64-linux-gnu-gcc",
    for: "layouts of C structures on arm64",
  },
  {
    name: "libc6-dev-arm64-cross",
    shows: "/usr/aarch64-linux-gnu/include/stdio.h",
    for: "layouts of C structures on arm64",
  },
  { name: "prometheus", shows: "promtool", for: "metrics as Prometheus reads them" },
  { name: "nsd", shows: "/usr/sbin/nsd", for: "the same DNS answers from another's server" },
  { name: "knot", shows: "/usr/sbin/knotd", for: "the same DNS answers from another's server" },
  { name: "ldnsutils", shows: "ldns-signzone", for: "signed zones, made and verified by others" },
  {
    name: "knot-dnsutils",
    shows: "kdig",
    for: "DNS over UDP, TCP, TLS and HTTPS by another's client",
  },
  { name: "dnsperf", shows: "dnsperf", for: "load in the benchmark and during reload" },
  { name: "gdnsd", shows: "/usr/sbin/gdnsd", for: "the other side of the benchmark" },
  { name: "bind9-dnsutils", shows: "delv", for: "our signatures, validated by others" },
  { name: "unbound", shows: "/usr/sbin/unbound", for: "a recursor between two of our servers" },
  { name: "bind9", shows: "/usr/sbin/named", for: "a recursor between two of our servers" },
  { name: "redis-server", shows: "redis-server", for: "what several appliances share" },
  { name: "etcd-server", shows: "etcd", for: "what several routers of a store share" },
  { name: "fstrm-bin", shows: "fstrm_capture", for: "dnstap, collected by another's program" },
  { name: "bind9-utils", shows: "dnssec-signzone", for: "signed zones, made by others" },
  { name: "wireguard-go", shows: "wireguard-go", for: "tunnels with another's WireGuard" },
  { name: "wireguard-tools", shows: "wg", for: "tunnels with another's WireGuard" },
  { name: "openvpn", shows: "/usr/sbin/openvpn", for: "the other side of the benchmark" },
  { name: "iperf3", shows: "iperf3", for: "load through tunnels" },
  { name: "iputils-ping", shows: "ping", for: "round trips through tunnels" },
  { name: "g++", shows: "g++", for: "libudt's sample programs, and the musl binary" },
  { name: "libudt-dev", shows: "/usr/include/udt/udt.h", for: "UDT by another's programs" },
  { name: "chromium", shows: "chromium", for: "the console, as people use it" },
  { name: "qemu-user", shows: "qemu-aarch64", for: "the arm64 binary" },
  {
    name: "libc6-arm64-cross",
    shows: "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1",
    for: "the arm64 binary",
  },
];

/** What is not on this machine. */
export function missing(): readonly Needed[] {
  return NEEDED.filter(({ shows }) =>
    shows.startsWith("/") ? Bun.file(shows).size === 0 : Bun.which(shows) === null,
  );
}
