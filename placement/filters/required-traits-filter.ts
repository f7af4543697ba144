import type { ProfileFilter } from './filter.ts';

/** The host has every required trait and no forbidden one: from the request, the flavor (`trait:X`) and the image. */
export const requiredTraitsFilter: ProfileFilter = {
  name: 'RequiredTraitsFilter',
  purpose: 'the host has the required traits and none that is forbidden',
  scope: 'profile',
  onRebuild: true,
  compile(request) {
    const required = new Set(request.requiredTraits);
    const forbidden = new Set(request.forbiddenTraits);
    for (const specs of [request.extraSpecs, request.imageProperties]) {
      for (const key in specs) {
        if (!key.startsWith(traitPrefix)) continue;
        if (specs[key] === 'required') required.add(key.slice(traitPrefix.length));
        else if (specs[key] === 'forbidden') forbidden.add(key.slice(traitPrefix.length));
      }
    }
    if (required.size === 0 && forbidden.size === 0) return undefined;
    const missing = (traits: ReadonlySet<string>): string[] => [...required].filter((trait) => !traits.has(trait));
    const unwanted = (traits: ReadonlySet<string>): string[] => [...forbidden].filter((trait) => traits.has(trait));
    return {
      passes: ({ traits }) => missing(traits).length === 0 && unwanted(traits).length === 0,
      reason({ traits }) {
        const lacks = missing(traits);
        return lacks.length > 0
          ? `the host lacks trait ${lacks.sort().join(', ')}`
          : `the host has forbidden trait ${unwanted(traits).sort().join(', ')}`;
      },
    };
  },
};

const traitPrefix = 'trait:';
