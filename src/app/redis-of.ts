import type { ClusterConfig } from "../config/cluster.ts";
import type { EtcdPlace } from "../net/cluster/etcd.ts";
import type { RedisPlace } from "../net/cluster/redis-link.ts";

/** Where the cluster's Redis is; undefined without a cluster. */
export function redisOf(cluster: ClusterConfig | undefined): RedisPlace | undefined {
  return cluster && { url: cluster.redis.reveal(), ca: cluster.ca };
}

/** Where truth is kept for all of a cluster; undefined without etcd. */
export function truthOf(cluster: ClusterConfig | undefined): EtcdPlace | undefined {
  return cluster?.etcd && { urls: cluster.etcd, node: cluster.node };
}
