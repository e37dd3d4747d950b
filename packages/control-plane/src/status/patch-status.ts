import { parseApiVersion, type ResourceClient } from '@weft/resources';
import type { TrackedResource } from '../mesh/revisions.ts';

/** Merges into the status of a resource. */
export async function patchStatus(
  client: ResourceClient,
  resource: TrackedResource,
  status: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { group, version } = parseApiVersion(resource.apiVersion);
  await client.patch(
    { group, version, kind: resource.kind },
    resource.name,
    resource.namespace === '' ? undefined : resource.namespace,
    // A status for another object of the same name would be wrong: the API refuses it by the uid.
    { metadata: { uid: resource.uid }, status },
    { subresource: 'status' },
  );
}
