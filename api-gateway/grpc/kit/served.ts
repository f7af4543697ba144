/** Services of `shoal.v1` that users reach; the schema has those between agents, too. */
const publicServices: ReadonlySet<string> = new Set(
  ['Compute', 'Cluster', 'Identity', 'Image', 'Job', 'Network', 'Placement'].map((name) => `shoal.v1.${name}Service`),
);

/** Whether this gateway serves the service of that full name. */
export function isServed(service: string): boolean {
  return service.startsWith('grpc.') || publicServices.has(service);
}

/** Whether calls of the service are answered for agents that are no replicas: all but what is about the agent itself. */
export function isRelayed(service: string): boolean {
  return publicServices.has(service);
}
