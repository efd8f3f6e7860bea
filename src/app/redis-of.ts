import type { ClusterConfig } from "../config/cluster.ts";
import type { RedisPlace } from "../net/cluster/redis-link.ts";

/** Where the cluster's Redis is; undefined without a cluster. */
export function redisOf(cluster: ClusterConfig | undefined): RedisPlace | undefined {
  return cluster && { url: cluster.redis.reveal(), ca: cluster.ca };
}
