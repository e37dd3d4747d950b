import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type KindDeclaration, kinds } from '@weft/resources';
import { conformanceData } from '@weft/testkit';
import { readCrds } from '../crds/crds.ts';

const data = conformanceData('gateway-api/crds');
export const { skip } = data;

export const group = 'gateway.networking.k8s.io';

/** Kinds of the experimental channel that Weft does not serve. */
export const notServed: readonly string[] = ['UDPRoute'];

type Crd = ReturnType<typeof readCrds>[number];

/** The CRDs of one channel in the group. */
export function crdsOf(channel: 'standard' | 'experimental'): Crd[] {
  const folder = join(data.folder, channel);
  return readdirSync(folder)
    .sort()
    .flatMap((file) => readCrds(join(folder, file)))
    .filter(({ spec }) => spec.group === group);
}

/** @throws Error where the kind is not declared. */
export function kindOf(name: string): KindDeclaration {
  const kind = kinds.find((each) => each.group === group && each.kind === name);
  if (kind === undefined) {
    throw new Error(`${name} is not declared`);
  }
  return kind;
}
