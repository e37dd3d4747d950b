import { eventSeries, eventSource, objectReference } from './core-messages.ts';
import {
  flag,
  ignored,
  inner,
  integer,
  list,
  mapOf,
  message,
  microTime,
  needed,
  optional,
  text,
  time,
} from './message.ts';
import { labelSelector, objectMeta, selectorAttributes } from './meta-messages.ts';

// Field numbers: k8s.io/api v0.35, <group>/v1/generated.proto.

// ---------------------------------------------------------------------------------------- rbac.authorization.k8s.io

const policyRule = message({
  verbs: needed(text(1)),
  apiGroups: list(text(2)),
  resources: list(text(3)),
  resourceNames: list(text(4)),
  nonResourceURLs: list(text(5)),
});
const subject = message({ kind: text(1), apiGroup: text(2), name: text(3), namespace: text(4) });
const roleRef = message({ apiGroup: text(1), kind: text(2), name: text(3) });

export const role = message({ metadata: inner(1, objectMeta), rules: list(inner(2, policyRule)) });

export const clusterRole = message({
  metadata: inner(1, objectMeta),
  rules: list(inner(2, policyRule)),
  aggregationRule: optional(inner(3, message({ clusterRoleSelectors: list(inner(1, labelSelector)) }))),
});

/** RoleBinding and ClusterRoleBinding. */
export const binding = message({
  metadata: inner(1, objectMeta),
  subjects: list(inner(2, subject)),
  roleRef: inner(3, roleRef),
});

// ---------------------------------------------------------------------------------------- coordination, discovery, events

export const lease = message({
  metadata: inner(1, objectMeta),
  spec: inner(
    2,
    message({
      holderIdentity: optional(text(1)),
      leaseDurationSeconds: optional(integer(2)),
      acquireTime: microTime(3),
      renewTime: microTime(4),
      leaseTransitions: optional(integer(5)),
      strategy: optional(text(6)),
      preferredHolder: optional(text(7)),
    }),
  ),
});

const named = message({ name: text(1) });

const endpoint = message({
  addresses: needed(text(1)),
  conditions: inner(
    2,
    message({ ready: optional(flag(1)), serving: optional(flag(2)), terminating: optional(flag(3)) }),
  ),
  hostname: optional(text(3)),
  targetRef: optional(inner(4, objectReference)),
  deprecatedTopology: mapOf(text(5)),
  nodeName: optional(text(6)),
  zone: optional(text(7)),
  hints: optional(inner(8, message({ forZones: list(inner(1, named)), forNodes: list(inner(2, named)) }))),
});

export const endpointSlice = message({
  metadata: inner(1, objectMeta),
  endpoints: needed(inner(2, endpoint)),
  ports: list(
    inner(
      3,
      message({
        name: optional(text(1)),
        protocol: optional(text(2)),
        port: optional(integer(3)),
        appProtocol: optional(text(4)),
      }),
    ),
  ),
  addressType: text(4),
});

export const recordedEvent = message({
  metadata: inner(1, objectMeta),
  eventTime: microTime(2),
  series: optional(inner(3, eventSeries)),
  reportingController: text(4),
  reportingInstance: text(5),
  action: text(6),
  reason: text(7),
  regarding: inner(8, objectReference),
  related: optional(inner(9, objectReference)),
  note: text(10),
  type: text(11),
  deprecatedSource: inner(12, eventSource),
  deprecatedFirstTimestamp: time(13),
  deprecatedLastTimestamp: time(14),
  deprecatedCount: integer(15),
});

// ---------------------------------------------------------------------------------------- authentication.k8s.io

export const tokenReview = message({
  metadata: inner(1, objectMeta),
  spec: inner(2, message({ token: text(1), audiences: list(text(2)) })),
  status: ignored(3),
});

export const tokenRequest = message({
  metadata: inner(1, objectMeta),
  spec: inner(
    2,
    message({
      audiences: list(text(1)),
      boundObjectRef: optional(inner(3, message({ kind: text(1), apiVersion: text(2), name: text(3), uid: text(4) }))),
      expirationSeconds: optional(integer(4)),
    }),
  ),
  status: ignored(3),
});

export const selfSubjectReview = message({ metadata: inner(1, objectMeta), status: ignored(2) });

// ---------------------------------------------------------------------------------------- authorization.k8s.io

const resourceAttributes = message({
  namespace: text(1),
  verb: text(2),
  group: text(3),
  version: text(4),
  resource: text(5),
  subresource: text(6),
  name: text(7),
  fieldSelector: optional(inner(8, selectorAttributes)),
  labelSelector: optional(inner(9, selectorAttributes)),
});
const nonResourceAttributes = message({ path: text(1), verb: text(2) });

/** SubjectAccessReview and LocalSubjectAccessReview. */
export const subjectAccessReview = message({
  metadata: inner(1, objectMeta),
  spec: inner(
    2,
    message({
      resourceAttributes: optional(inner(1, resourceAttributes)),
      nonResourceAttributes: optional(inner(2, nonResourceAttributes)),
      user: text(3),
      groups: list(text(4)),
      // Values of `extra` are messages with one list.
      extra: mapOf(inner(5, message({ items: list(text(1)) }))),
      uid: text(6),
    }),
  ),
  status: ignored(3),
});

export const selfSubjectAccessReview = message({
  metadata: inner(1, objectMeta),
  spec: inner(
    2,
    message({
      resourceAttributes: optional(inner(1, resourceAttributes)),
      nonResourceAttributes: optional(inner(2, nonResourceAttributes)),
    }),
  ),
  status: ignored(3),
});

export const selfSubjectRulesReview = message({
  metadata: inner(1, objectMeta),
  spec: inner(2, message({ namespace: text(1) })),
  status: ignored(3),
});
