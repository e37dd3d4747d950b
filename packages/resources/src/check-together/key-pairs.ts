import { X509Certificate } from 'node:crypto';
import { type KeyPairProblem, keyPairProblem, readKeyPair } from '../certificates/key-pair.ts';
import type { Secret } from '../kinds/core/secret.ts';
import type { KubeGateway } from '../kinds/gateway/gateway.ts';
import type { ListenerSet } from '../kinds/gateway/listener-set.ts';
import type { IstioGateway } from '../kinds/networking/istio-gateway.ts';
import type { KubeObject } from '../object.ts';
import type { Place } from '../place.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';

/** A name that is served, and the Secrets of which one should have a certificate for it. */
interface ServedName {
  readonly place: Place;
  readonly host: string;
  readonly secrets: readonly Secret[];
}

/** Certificates of the files that cannot be shown to anybody, and names of listeners that none of theirs is for. */
export function checkKeyPairs(inventory: Inventory, findings: Findings): void {
  const served = [...namesOfGateways(inventory, findings), ...namesOfIstioGateways(inventory, findings)];
  const shown = new Set(served.flatMap(({ secrets }) => secrets));
  for (const secret of inventory.list<Secret>('/Secret')) {
    if (secret.type === 'kubernetes.io/tls' || shown.has(secret)) {
      checkKeyPair(findings.of(secret), secret, inventory.nowMs);
    }
  }
  for (const { place, host, secrets } of served) {
    const certificates = secrets.map(certificateOf);
    const readable = certificates.filter((certificate) => certificate !== undefined);
    // What is not in the files, or not readable, is told of elsewhere.
    if (readable.length > 0 && readable.length === certificates.length && !readable.some((one) => isFor(one, host))) {
      const names = secrets.map((secret) => inventory.nameOf(secret)).join(', ');
      place.report(
        'FieldValueInvalid',
        `${JSON.stringify(host)}: the certificate of ${names} is not for this name`,
        'Take a certificate that has it among its subject alternative names, or correct the name.',
      );
    }
  }
}

const problems: Readonly<
  Record<KeyPairProblem['kind'], (isKey: boolean) => { readonly message: string; readonly fix: string }>
> = {
  missing: (isKey) => ({
    message: `a ${isKey ? 'private key' : 'certificate'} is missing, so listeners cannot show this Secret`,
    fix: 'Add it.',
  }),
  unreadable: (isKey) => ({
    message: `not a ${isKey ? 'private key' : 'certificate'} in PEM`,
    fix: `Write the text that begins with -----BEGIN ${isKey ? 'PRIVATE KEY' : 'CERTIFICATE'}-----, in base64 once.`,
  }),
  'of-another-certificate': () => ({
    message: 'not the key of the certificate in tls.crt',
    fix: 'Put the two that were made together into the Secret, the server’s own certificate first.',
  }),
  expired: () => ({ message: 'the certificate has expired', fix: 'Have a new one issued.' }),
};

function checkKeyPair(place: Place, secret: Secret, nowMs: number): void {
  const problem = keyPairProblem(
    readKeyPair((key) => textOf(secret, key)),
    nowMs,
  );
  if (problem === undefined || (problem.kind === 'missing' && secret.type === 'kubernetes.io/tls')) {
    return;
  }
  const { key } = problem;
  const { message, fix } = problems[problem.kind](key === 'tls.key' || key === 'key');
  place
    .at(secret.stringData?.[key] === undefined ? 'data' : 'stringData', key)
    .report(
      'FieldValueInvalid',
      problem.kind === 'expired' ? `${message}: on ${problem.at.toISOString()}` : message,
      fix,
    );
}

/** The text under a key, which `stringData` says before `data`. */
function textOf({ data, stringData }: Secret, key: string): string | undefined {
  const value = data?.[key];
  return stringData?.[key] ?? (value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8'));
}

function certificateOf(secret: Secret): X509Certificate | undefined {
  try {
    return new X509Certificate(readKeyPair((key) => textOf(secret, key)).certificate ?? '');
  } catch {
    return undefined;
  }
}

/** Whether a certificate is for a host; for a pattern (`*.example.com`): for any name below it. */
function isFor(certificate: X509Certificate, host: string): boolean {
  const name = host.toLowerCase();
  if (!name.startsWith('*')) {
    return certificate.checkHost(name, { subject: 'never' }) !== undefined;
  }
  const names = (certificate.subjectAltName ?? '').toLowerCase().split(', ');
  return names.some((one) => one.startsWith('dns:') && one.endsWith(name.slice(1)));
}

function namesOfGateways(inventory: Inventory, findings: Findings): readonly ServedName[] {
  const owners: readonly (KubeGateway | ListenerSet)[] = [
    ...inventory.list<KubeGateway>('gateway.networking.k8s.io/Gateway'),
    ...inventory.list<ListenerSet>('gateway.networking.k8s.io/ListenerSet'),
  ];
  return owners.flatMap((owner) =>
    owner.spec.listeners.flatMap(({ hostname = '', tls }, index) => {
      const refs = (tls?.certificateRefs ?? []).filter(
        ({ group = '', kind = 'Secret' }) => group === '' && kind === 'Secret',
      );
      const keys = refs.map(({ name, namespace }) => `${namespace ?? inventory.namespaceOf(owner)}/${name}`);
      const place = findings.of(owner).at('spec', 'listeners', index, 'hostname');
      return hostname === '' ? [] : servedName(inventory, place, hostname, keys);
    }),
  );
}

/** Secrets are looked for in the Gateway's own namespace, where its proxies mostly run. */
function namesOfIstioGateways(inventory: Inventory, findings: Findings): readonly ServedName[] {
  return inventory.list<IstioGateway>('networking.istio.io/Gateway').flatMap((gateway) =>
    (gateway.spec?.servers ?? []).flatMap(({ hosts, tls = {} }, index) => {
      const names = tls.credentialNames ?? (tls.credentialName === undefined ? [] : [tls.credentialName]);
      const keys = names.map((name) => `${inventory.namespaceOf(gateway)}/${name}`);
      return hosts.flatMap((written, at) => {
        const host = written.slice(written.indexOf('/') + 1);
        const place = findings.of(gateway).at('spec', 'servers', index, 'hosts', at);
        return host === '*' ? [] : servedName(inventory, place, host, keys);
      });
    }),
  );
}

/** Nothing where a Secret is not in the files. */
function servedName(inventory: Inventory, place: Place, host: string, keys: readonly string[]): readonly ServedName[] {
  const secrets = keys.map((key) => inventory.find<KubeObject & Secret>('/Secret', key));
  const found = secrets.filter((secret) => secret !== undefined);
  return found.length === 0 || found.length < keys.length ? [] : [{ place, host, secrets: found }];
}
