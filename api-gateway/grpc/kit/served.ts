/** Services of `shoal.v1` that users reach; the schema has those between agents, too. */
const publicServices: ReadonlySet<string> = new Set(
  ['Compute', 'Cluster', 'Identity', 'Image', 'Job', 'Network', 'Placement', 'Volume'].map(
    (name) => `shoal.v1.${name}Service`,
  ),
);

/** Whether this gateway serves the service of that full name. */
export function isServed(service: string): boolean {
  return service.startsWith('grpc.') || publicServices.has(service);
}

/** What is asked of the agent at hand when it is asked at its own socket: what it knows of itself and of others. */
const ownMethods: ReadonlySet<string> = new Set(
  ['GetStatus', 'ListHosts'].map((name) => `/shoal.v1.ClusterService/${name}`),
);

/** Whether a call at an agent's own socket is about that agent, so that no other answers it. */
export function isOfAgentItself(path: string): boolean {
  return ownMethods.has(path);
}

/** Whether calls of the service are answered for agents that are no replicas: all but what is about the agent itself. */
export function isRelayed(service: string): boolean {
  return publicServices.has(service);
}
