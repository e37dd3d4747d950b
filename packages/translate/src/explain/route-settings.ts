import type { CorsPolicy, ForwardAction, HeaderChanges, HeaderEdits, HttpRoute, StringMatch } from '@weft/ir';
import type { DefaultsName } from '../defaults.ts';
import type { Place } from '../origin.ts';
import { RulePlaces } from '../to-ir/rule-places.ts';
import {
  type ExplainedValue,
  istioDefault,
  meshDefault,
  percentText,
  placeText,
  timeText,
  weftDefault,
} from './effective.ts';

/** Timeouts and retries of a route that forwards, each with where it comes from. */
export function timeValues(route: HttpRoute, action: ForwardAction, defaults: DefaultsName): readonly ExplainedValue[] {
  const fields = new RulePlaces(route);
  const ofMesh = meshDefault(defaults);
  const { retry } = action;
  // Without retries the only try is the whole request.
  const timeout = retry === undefined ? ['timeouts.backendRequest'] : [];
  return [
    {
      name: 'timeout',
      value: timeText(action.timeoutMs),
      origin: placeText(fields.of('timeout', 'timeouts.request', ...timeout)) ?? ofMesh,
    },
    // No resource has a field for it.
    {
      name: 'idle timeout',
      value: action.idleTimeoutMs === undefined ? '1 h' : timeText(action.idleTimeoutMs),
      origin: ofMesh,
    },
    ...retryValues(fields, retry, ofMesh),
  ];
}

function retryValues(fields: RulePlaces, retry: ForwardAction['retry'], ofMesh: string): readonly ExplainedValue[] {
  const ofRule = fields.of('retries', 'retry');
  const ofPolicy = ofRule === undefined ? fields.policy('retries') : undefined;
  const left =
    (ofRule ?? ofPolicy) === undefined ? ofMesh : fields.of('retry') === undefined ? istioDefault : weftDefault;
  const value = (name: string, text: string, ...where: readonly string[]): ExplainedValue => ({
    name,
    value: text,
    origin: placeText(fields.of(...where) ?? (ofPolicy && fields.policy(...where))) ?? left,
  });
  if (retry === undefined) {
    return [value('retries', 'none', 'retries.attempts', 'retry.attempts')];
  }
  const codes = retry.statusCodes.length === 0 ? '' : ` (${retry.statusCodes.join(', ')})`;
  const { backOffBaseMs, perTryTimeoutMs } = retry;
  const where = [
    ...(retry.avoidPreviousEndpoints === false ? ['may go where the request was'] : []),
    ...(retry.avoidPreviousPriorities === true ? ['every second one leaves the priorities where it was'] : []),
  ];
  return [
    value('retries', String(retry.attempts), 'retries.attempts', 'retry.attempts'),
    value('retried on', `${retry.on.join(', ')}${codes}`, 'retries.retryOn', 'retry.codes'),
    ...(perTryTimeoutMs === 0
      ? []
      : [value('each try', timeText(perTryTimeoutMs), 'retries.perTryTimeout', 'timeouts.backendRequest')]),
    ...(retry.hedgeOnPerTryTimeout === true
      ? [
          {
            name: 'hedging',
            value: 'a try goes on when its time is over, beside the next',
            origin: placeText(fields.policy('hedging.onPerTryTimeout')) ?? weftDefault,
          },
        ]
      : []),
    ...(backOffBaseMs === undefined
      ? []
      : [value('wait before one', `at most ${timeText(backOffBaseMs)} at first`, 'retries.backoff', 'retry.backoff')]),
    ...(where.length === 0
      ? []
      : [
          value(
            'other endpoints',
            where.join(', '),
            'retries.retryIgnorePreviousHosts',
            'retries.retryRemoteLocalities',
          ),
        ]),
  ];
}

/** What a route does to requests and answers besides sending them on. */
export function filterValues(route: HttpRoute): readonly ExplainedValue[] {
  const fields = new RulePlaces(route);
  const { fault, cors, headers, action } = route;
  const value = (name: string, text: string | undefined, place: Place | undefined): readonly ExplainedValue[] =>
    text === undefined ? [] : [{ name, value: text, origin: placeText(place) ?? weftDefault }];
  const rewrite = (...of: readonly string[]): Place | undefined => fields.of(...of) ?? fields.filter('URLRewrite');
  const host = (): Place | undefined => rewrite('rewrite.authority') ?? fields.hostHeader;
  return [
    ...value('CORS', cors && corsText(cors), fields.of('corsPolicy') ?? fields.filter('CORS')),
    ...value(
      'delay',
      fault?.delay && `${percentText(fault.delay.share)} by ${timeText(fault.delay.ms)}`,
      fields.of('fault.delay') ?? fields.policy('fault.delay'),
    ),
    ...value(
      'abort',
      fault?.abort &&
        `${percentText(fault.abort.share)} with ${fault.abort.kind === 'http' ? fault.abort.status : `gRPC status ${fault.abort.code}`}`,
      fields.of('fault.abort') ?? fields.policy('fault.abort'),
    ),
    ...value(
      'bandwidth',
      fault?.bandwidth && `${percentText(fault.bandwidth.share)} answered at ${fault.bandwidth.kibPerSecond} KiB/s`,
      fields.policy('fault.bandwidth'),
    ),
    ...headerValues(headers, (direction) =>
      placeText(fields.of(`headers.${direction}`) ?? fields.filter(modifiers[direction])),
    ),
    ...(action.kind === 'forward'
      ? [
          ...value('path', pathText(action.pathRewrite), rewrite('rewrite.uri', 'rewrite.uriRegexRewrite')),
          ...value('host', hostText(action.hostRewrite), host()),
          ...value('session', sessionText(action.session), fields.of('sessionPersistence')),
          ...action.mirrors.flatMap(({ cluster, share, resolved }, index) =>
            value(
              'mirror',
              `${percentText(share)} to ${cluster}${resolved ? '' : ', which does not exist: left out'}`,
              fields.mirror(index),
            ),
          ),
        ]
      : []),
  ];
}

/** What one of the destinations of a route does to its share of the requests. */
export function destinationValues(route: HttpRoute, index: number): readonly ExplainedValue[] {
  const { action } = route;
  const destination = action.kind === 'forward' ? action.destinations[index] : undefined;
  const place = placeText(new RulePlaces(route).destination(index));
  if (destination === undefined || place === undefined) {
    return [];
  }
  const { headers, hostRewrite } = destination;
  return [
    ...headerValues(headers, () => place),
    ...(hostRewrite === undefined ? [] : [{ name: 'host', value: `becomes ${hostRewrite}`, origin: place }]),
  ];
}

const modifiers = { request: 'RequestHeaderModifier', response: 'ResponseHeaderModifier' } as const;

function headerValues(
  headers: HeaderEdits,
  originOf: (direction: 'request' | 'response') => string | undefined,
): readonly ExplainedValue[] {
  return (['request', 'response'] as const).flatMap((direction) => {
    const text = changesText(headers[direction]);
    return text === '' ? [] : [{ name: `${direction} headers`, value: text, origin: originOf(direction) ?? '' }];
  });
}

function changesText({ set, add, remove }: HeaderChanges): string {
  return [
    ...set.map(({ name, value }) => `${name} set to ${JSON.stringify(value)}`),
    ...add.map(({ name, value }) => `${name} added: ${JSON.stringify(value)}`),
    ...remove.map((name) => `${name} removed`),
  ].join(', ');
}

function pathText(rewrite: ForwardAction['pathRewrite']): string | undefined {
  switch (rewrite?.kind) {
    case undefined:
      return undefined;
    case 'whole':
      return `becomes ${rewrite.value}`;
    case 'matched':
      return `what was matched becomes ${rewrite.value === '' ? 'nothing' : rewrite.value}`;
    case 'regex':
      return `${rewrite.pattern} becomes ${rewrite.substitution}`;
  }
}

function hostText(host: string | undefined): string | undefined {
  return host === undefined ? undefined : `becomes ${host}`;
}

function sessionText(session: ForwardAction['session']): string | undefined {
  switch (session?.kind) {
    case undefined:
      return undefined;
    case 'cookie':
      return `by cookie ${session.name}${session.ttlMs === 0 ? '' : ` for ${timeText(session.ttlMs)}`}`;
    case 'header':
      return `by header ${session.name}`;
  }
}

function corsText({ origins, credentials }: CorsPolicy): string {
  const from = origins.length === 0 ? 'no origin' : `origins ${origins.map(originPattern).join(', ')}`;
  return credentials ? `${from}, with credentials` : from;
}

function originPattern({ kind, value }: StringMatch): string {
  return kind === 'exact' ? value : kind === 'prefix' ? `${value}…` : `like ${value}`;
}
