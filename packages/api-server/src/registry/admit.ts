import { type KubeObject, parseApiVersion } from '@weft/resources';
import type { AdmissionCheck, AdmissionRequest, AdmissionView } from '../options.ts';
import type { Transaction } from '../store/object-store.ts';
import { invalid } from './status-error.ts';
import type { WriteContext } from './write-context.ts';

/** Asks every admission check about one write; warnings go to the context. @throws StatusError 422 for the first refusal. */
export function admit(
  checks: readonly AdmissionCheck[],
  operation: AdmissionRequest['operation'],
  transaction: Transaction,
  object: KubeObject,
  previous: KubeObject | undefined,
  context: WriteContext,
): void {
  if (checks.length === 0) {
    return;
  }
  const key = (group: string, plural: string): string => (group === '' ? plural : `${plural}.${group}`);
  const view: AdmissionView = {
    get: (group, plural, name, namespace) => transaction.get(key(group, plural), namespace, name),
    list: (group, plural, namespace) => transaction.list(key(group, plural), namespace),
  };
  const { user, dryRun, subresource } = context;
  const request: AdmissionRequest = {
    operation,
    object,
    previous,
    user,
    dryRun,
    ...(subresource === undefined ? {} : { subresource }),
  };
  for (const check of checks) {
    const verdict = check(request, view);
    context.warnings.push(...(verdict?.warnings ?? []));
    if (verdict?.violations !== undefined && verdict.violations.length > 0) {
      const { group } = parseApiVersion(object.apiVersion);
      throw invalid({ group, plural: object.kind, kind: object.kind }, object.metadata.name, verdict.violations);
    }
  }
}
