import {
  bytes,
  flag,
  inner,
  integer,
  intOrString,
  list,
  mapOf,
  message,
  microTime,
  optional,
  text,
  time,
} from './message.ts';
import { condition, objectMeta } from './meta-messages.ts';

// Field numbers: k8s.io/api v0.35, core/v1/generated.proto.

export const objectReference = message({
  kind: text(1),
  namespace: text(2),
  name: text(3),
  uid: text(4),
  apiVersion: text(5),
  resourceVersion: text(6),
  fieldPath: text(7),
});

const namespaceCondition = message({
  type: text(1),
  status: text(2),
  lastTransitionTime: time(4),
  reason: text(5),
  message: text(6),
});

export const namespace = message({
  metadata: inner(1, objectMeta),
  spec: inner(2, message({ finalizers: list(text(1)) })),
  status: inner(3, message({ phase: text(1), conditions: list(inner(2, namespaceCondition)) })),
});

const servicePort = message({
  name: text(1),
  protocol: text(2),
  port: integer(3),
  targetPort: intOrString(4),
  nodePort: integer(5),
  appProtocol: optional(text(6)),
});

const serviceSpec = message({
  ports: list(inner(1, servicePort)),
  selector: mapOf(text(2)),
  clusterIP: text(3),
  type: text(4),
  externalIPs: list(text(5)),
  sessionAffinity: text(7),
  loadBalancerIP: text(8),
  loadBalancerSourceRanges: list(text(9)),
  externalName: text(10),
  externalTrafficPolicy: text(11),
  healthCheckNodePort: integer(12),
  publishNotReadyAddresses: flag(13),
  sessionAffinityConfig: optional(
    inner(14, message({ clientIP: optional(inner(1, message({ timeoutSeconds: optional(integer(1)) }))) })),
  ),
  ipFamilyPolicy: optional(text(17)),
  clusterIPs: list(text(18)),
  ipFamilies: list(text(19)),
  allocateLoadBalancerNodePorts: optional(flag(20)),
  loadBalancerClass: optional(text(21)),
  internalTrafficPolicy: optional(text(22)),
  trafficDistribution: optional(text(23)),
});

const loadBalancerIngress = message({
  ip: text(1),
  hostname: text(2),
  ipMode: optional(text(3)),
  ports: list(inner(4, message({ port: integer(1), protocol: text(2), error: optional(text(3)) }))),
});

const serviceStatus = message({
  loadBalancer: inner(1, message({ ingress: list(inner(1, loadBalancerIngress)) })),
  conditions: list(inner(2, condition)),
});

export const service = message({
  metadata: inner(1, objectMeta),
  spec: inner(2, serviceSpec),
  status: inner(3, serviceStatus),
});

export const serviceAccount = message({
  metadata: inner(1, objectMeta),
  secrets: list(inner(2, objectReference)),
  imagePullSecrets: list(inner(3, message({ name: text(1) }))),
  automountServiceAccountToken: optional(flag(4)),
});

export const secret = message({
  metadata: inner(1, objectMeta),
  data: mapOf(bytes(2)),
  type: text(3),
  stringData: mapOf(text(4)),
  immutable: optional(flag(5)),
});

export const configMap = message({
  metadata: inner(1, objectMeta),
  data: mapOf(text(2)),
  binaryData: mapOf(bytes(3)),
  immutable: optional(flag(4)),
});

export const eventSource = message({ component: text(1), host: text(2) });
export const eventSeries = message({ count: integer(1), lastObservedTime: microTime(2) });

export const event = message({
  metadata: inner(1, objectMeta),
  involvedObject: inner(2, objectReference),
  reason: text(3),
  message: text(4),
  source: inner(5, eventSource),
  firstTimestamp: time(6),
  lastTimestamp: time(7),
  count: integer(8),
  type: text(9),
  eventTime: microTime(10),
  series: optional(inner(11, eventSeries)),
  action: text(12),
  related: optional(inner(13, objectReference)),
  reportingComponent: text(14),
  reportingInstance: text(15),
});
