"""A Ray cluster on this machine, in a process of its own: `python ray_cluster.py NODES CPUS`.

Prints its address; each line on stdin takes a node away, hard; the end of stdin ends all.
"""

import sys

from ray.cluster_utils import Cluster


def main() -> None:
    nodes, cpus = int(sys.argv[1]), int(sys.argv[2])
    # The head, where the cluster's own processes are, has no room for an actor.
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    members = [cluster.add_node(num_cpus=cpus) for _ in range(nodes)]
    cluster.wait_for_nodes()
    print(f"address {cluster.address}", flush=True)
    for _ in sys.stdin:
        cluster.remove_node(members.pop(), allow_graceful=False)
        print("removed", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
