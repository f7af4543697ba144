import type { ProfileFilter } from './filter.ts';

/** Where an aggregate of the host and the image both define a key, the image's value is one of the aggregate's. */
export const aggregateImagePropertiesIsolation: ProfileFilter = {
  name: 'AggregateImagePropertiesIsolation',
  purpose: "the image's properties agree with the metadata of the host's aggregates",
  scope: 'profile',
  onRebuild: true,
  compile(request, configuration) {
    const { namespace, separator } = configuration.imagePropertiesIsolation;
    const prefix = namespace === '' ? '' : `${namespace}${separator}`;
    const properties = Object.entries(request.imageProperties).filter(([key]) => key.startsWith(prefix));
    if (properties.length === 0) return undefined;
    const clashes = (metadata: ReadonlyMap<string, ReadonlySet<string>>, key: string, value: string): boolean => {
      const allowed = metadata.get(key);
      return allowed !== undefined && !allowed.has(value);
    };
    return {
      passes: (profile) => !properties.some(([key, value]) => clashes(profile.metadata, key, value)),
      reason(profile) {
        const [key, value] = properties.find(([k, v]) => clashes(profile.metadata, k, v)) ?? ['', ''];
        return `an aggregate of the host does not take images with ${key} = ${value}`;
      },
    };
  },
};
