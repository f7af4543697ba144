import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/** Lets `fetch` of this process trust a mesh's authority, besides those it trusts already. */
export function trustAuthority(certificatePem: string): void {
  const trusted = getCACertificates('default');
  if (!trusted.includes(certificatePem)) setDefaultCACertificates([...trusted, certificatePem]);
}
