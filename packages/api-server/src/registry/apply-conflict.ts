import { formatPlace } from '../patch/field-set.ts';
import type { OwnershipConflict } from '../patch/managed-fields.ts';
import { applyConflict, type StatusError } from './status-error.ts';

/** 409 for a server-side apply, in the words of Kubernetes: whom it is in conflict with, and over which fields. */
export function conflictOf(conflicts: readonly OwnershipConflict[]): StatusError {
  const causes = conflicts.flatMap(({ owner, fields }) => {
    const kind = owner.operation === 'Update' && owner.time !== '' ? ` using ${owner.apiVersion} at ${owner.time}` : '';
    const message = `conflict with "${owner.manager}"${kind}`;
    return [...fields.places()].map((place) => ({
      reason: 'FieldManagerConflict',
      message,
      field: formatPlace(place),
    }));
  });
  const list = [...Map.groupBy(causes, ({ message }) => message)]
    .map(([message, group]) => `${message}: ${group.map(({ field }) => field).join(', ')}`)
    .join('; ');
  return applyConflict(`Apply failed with ${causes.length} conflict${causes.length === 1 ? '' : 's'}: ${list}`, causes);
}
