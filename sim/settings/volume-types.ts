/** By pool: the type of volumes that are in it, where a world has volumes. */
export const typesOfPools = { local: 'on-local', rbd: 'on-rbd' } as const;
/** Type of groups whose snapshots are made at one instant. */
export const consistentGroups = 'consistent';
