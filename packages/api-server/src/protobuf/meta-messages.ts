import { flag, inner, integer, json, list, mapOf, message, optional, text, time } from './message.ts';

// Field numbers: k8s.io/apimachinery v0.35, pkg/apis/meta/v1/generated.proto.

const ownerReference = message({
  kind: text(1),
  name: text(3),
  uid: text(4),
  apiVersion: text(5),
  controller: optional(flag(6)),
  blockOwnerDeletion: optional(flag(7)),
});

const managedFieldsEntry = message({
  manager: text(1),
  operation: text(2),
  apiVersion: text(3),
  time: time(4),
  fieldsType: text(6),
  fieldsV1: json(7),
  subresource: text(8),
});

export const objectMeta = message({
  name: text(1),
  generateName: text(2),
  namespace: text(3),
  selfLink: text(4),
  uid: text(5),
  resourceVersion: text(6),
  generation: integer(7),
  creationTimestamp: time(8),
  deletionTimestamp: time(9),
  deletionGracePeriodSeconds: optional(integer(10)),
  labels: mapOf(text(11)),
  annotations: mapOf(text(12)),
  ownerReferences: list(inner(13, ownerReference)),
  finalizers: list(text(14)),
  managedFields: list(inner(17, managedFieldsEntry)),
});

export const condition = message({
  type: text(1),
  status: text(2),
  observedGeneration: integer(3),
  lastTransitionTime: time(4),
  reason: text(5),
  message: text(6),
});

const selectorRequirement = message({ key: text(1), operator: text(2), values: list(text(3)) });

export const labelSelector = message({
  matchLabels: mapOf(text(1)),
  matchExpressions: list(inner(2, selectorRequirement)),
});

/** Requirements on fields and on labels are written alike. */
export const selectorAttributes = message({ rawSelector: text(1), requirements: list(inner(2, selectorRequirement)) });

export const deleteOptions = message({
  gracePeriodSeconds: optional(integer(1)),
  preconditions: inner(2, message({ uid: optional(text(1)), resourceVersion: optional(text(2)) })),
  orphanDependents: optional(flag(3)),
  propagationPolicy: optional(text(4)),
  dryRun: list(text(5)),
  ignoreStoreReadErrorWithClusterBreakingPotential: optional(flag(6)),
});
