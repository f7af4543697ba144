/** This agent's version, as package.json says. */
import packageJson from '../../package.json' with { type: 'json' };

export const agentVersion: string = packageJson.version;

/** Grows when agents learn something that hosts must share to use; N and N - 1 work together. */
export const featureLevel = 1;
