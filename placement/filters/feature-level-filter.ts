import type { ProfileFilter } from './filter.ts';

/** The host's agent knows all that the request needs: N and N-1 agents share a mesh. */
export const featureLevelFilter: ProfileFilter = {
  name: 'FeatureLevelFilter',
  purpose: "the host's agent is new enough for what the request needs",
  scope: 'profile',
  onRebuild: true,
  compile(request) {
    const { minFeatureLevel } = request;
    if (minFeatureLevel <= 0) return undefined;
    return {
      passes: (profile) => profile.featureLevel >= minFeatureLevel,
      reason: (profile) => `the host's agent has feature level ${profile.featureLevel}, ${minFeatureLevel} is needed`,
    };
  },
};
