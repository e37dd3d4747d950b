import { checkDuration, checkDurationOrZero } from '../../format/duration.ts';
import { checkFieldName } from '../../format/http.ts';
import type { Place } from '../../place.ts';
import type { TrafficPolicy } from './destination-rule.ts';
import { checkOneOf } from './istio-checks.ts';

type LoadBalancer = NonNullable<TrafficPolicy['loadBalancer']>;
type ConsistentHash = NonNullable<LoadBalancer['consistentHash']>;
type LocalitySetting = NonNullable<LoadBalancer['localityLbSetting']>;
type Failover = NonNullable<LocalitySetting['failover']>;

/** Envoy's limit for a Maglev table. */
const maglevTableSizeMax = 5_000_011;

/** Most localities in one list: each is compared with all others. */
export const localitiesMax = 256;

function isPrime(number: number): boolean {
  if (number < 4) {
    return number > 1;
  }
  for (let factor = 2; factor * factor <= number; factor++) {
    if (number % factor === 0) {
      return false;
    }
  }
  return true;
}

/** RFC 6265 §4.1.1: what would end an attribute of a cookie, or the field that it stands in. */
function checkCookieText(place: Place, text: string | undefined): void {
  if (text !== undefined && /[\p{Cc};]/u.test(text)) {
    place.invalid(text, 'holds a character that cookies cannot have', 'Leave out control characters and semicolons.');
  }
}

function checkConsistentHash(place: Place, hash: ConsistentHash): void {
  const keys = ['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'] as const;
  checkOneOf(place, hash, keys);
  checkOneOf(place, hash, ['ringHash', 'maglev', 'minimumRingSize']);
  if (keys.every((key) => hash[key] === undefined)) {
    place.required('nothing to hash is named', `Set one of ${keys.join(', ')}.`);
  }
  if (hash.httpHeaderName !== undefined) {
    checkFieldName(place.at('httpHeaderName'), hash.httpHeaderName);
  }
  if (hash.httpCookie !== undefined) {
    if (hash.httpCookie.name === '') {
      place.at('httpCookie', 'name').required('the name is empty', 'Name the cookie.');
    } else {
      checkFieldName(place.at('httpCookie', 'name'), hash.httpCookie.name);
    }
    checkDurationOrZero(place.at('httpCookie', 'ttl'), hash.httpCookie.ttl);
    checkCookieText(place.at('httpCookie', 'path'), hash.httpCookie.path);
    for (const [index, { name, value }] of (hash.httpCookie.attributes ?? []).entries()) {
      checkFieldName(place.at('httpCookie', 'attributes', index, 'name'), name);
      checkCookieText(place.at('httpCookie', 'attributes', index, 'value'), value);
    }
  }
  const size = hash.maglev?.tableSize;
  if (size !== undefined && (size >= maglevTableSizeMax || !isPrime(size))) {
    place
      .at('maglev', 'tableSize')
      .invalid(
        size,
        'not the size of a Maglev table',
        `Use a prime number below ${maglevTableSizeMax}, such as 65537.`,
      );
  }
}

/** region, region/zone or region/zone/subzone; `*` may be the last part. */
function checkLocality(place: Place, locality: string): void {
  const parts = locality.split('/');
  const wild = parts.indexOf('*');
  if (parts.length > 3 || parts.some((part) => part === '') || (wild >= 0 && wild < parts.length - 1)) {
    place.invalid(locality, 'not a locality', 'Write region, region/zone or region/zone/subzone; `*` only at the end.');
  }
}

/** Whether two localities stand for some place in common. */
function overlap(a: string, b: string): boolean {
  const [x, y] = [a.split('/'), b.split('/')];
  for (let at = 0; at < Math.min(x.length, y.length); at++) {
    if (x[at] === '*' || y[at] === '*') {
      return true;
    }
    if (x[at] !== y[at]) {
      return false;
    }
  }
  return true;
}

function checkOverlap(place: Place, localities: readonly string[]): void {
  if (localities.length > localitiesMax) {
    place.tooLong(`there are ${localities.length} localities, at most ${localitiesMax} are allowed`, 'Use wider ones.');
    return;
  }
  for (const [index, locality] of localities.entries()) {
    const other = localities.slice(0, index).find((earlier) => overlap(earlier, locality));
    if (other !== undefined) {
      place.conflict(`${locality} and ${other} overlap`, 'Name localities that have nothing in common.');
    }
  }
}

function checkDistribute(place: Place, distribute: NonNullable<LocalitySetting['distribute']>): void {
  checkOverlap(
    place,
    distribute.map(({ from }) => from ?? ''),
  );
  for (const [index, { from = '', to = {} }] of distribute.entries()) {
    const here = place.at(index);
    checkLocality(here.at('from'), from);
    let sum = 0;
    for (const [locality, percent] of Object.entries(to)) {
      checkLocality(here.at('to', locality), locality);
      if (percent < 1 || percent > 100) {
        here.at('to', locality).invalid(percent, 'not a share in percent', 'Use a number from 1 to 100.');
      }
      sum += percent;
    }
    checkOverlap(here.at('to'), Object.keys(to));
    if (sum !== 100) {
      here.at('to').report('FieldValueInvalid', `the shares sum up to ${sum}`, 'Make them sum up to 100.');
    }
  }
}

function checkFailover(place: Place, failover: Failover): void {
  for (const [index, { from = '', to = '' }] of failover.entries()) {
    for (const [side, region] of Object.entries({ from, to })) {
      if (region === '' || /[*/]/.test(region)) {
        place.at(index, side).invalid(region, 'not a region', 'Name a region, without zone and without `*`.');
      }
    }
    if (from === to) {
      place.at(index, 'to').conflict(`${to} cannot take over from itself`, 'Name another region.');
    }
  }
}

export function checkLoadBalancer(place: Place, settings: LoadBalancer): void {
  checkOneOf(place, settings, ['simple', 'consistentHash']);
  checkOneOf(place, settings, ['localityLbSetting', 'zoneAwareLbSetting']);
  if (settings.consistentHash !== undefined) {
    checkConsistentHash(place.at('consistentHash'), settings.consistentHash);
  }
  const locality = settings.localityLbSetting;
  if (locality !== undefined) {
    const here = place.at('localityLbSetting');
    if ((locality.distribute ?? []).length > 0) {
      for (const field of ['failover', 'failoverPriority'] as const) {
        if ((locality[field] ?? []).length > 0) {
          here.at(field).conflict('distribute is set as well', `Remove ${field} or distribute.`);
        }
      }
    }
    checkDistribute(here.at('distribute'), locality.distribute ?? []);
    checkFailover(here.at('failover'), locality.failover ?? []);
  }
  checkFailover(place.at('zoneAwareLbSetting', 'failover'), settings.zoneAwareLbSetting?.failover ?? []);
  checkWarmup(place, settings);
}

function checkWarmup(place: Place, settings: LoadBalancer): void {
  checkDuration(place.at('warmupDurationSecs'), settings.warmupDurationSecs);
  const { warmup } = settings;
  if (warmup === undefined) {
    return;
  }
  if (settings.warmupDurationSecs !== undefined) {
    place.at('warmupDurationSecs').conflict('warmup is set as well', 'Remove warmupDurationSecs.');
  }
  checkDuration(place.at('warmup', 'duration'), warmup.duration);
  if (warmup.aggression !== undefined && warmup.aggression >= 0 && warmup.aggression < 1) {
    place.at('warmup', 'aggression').invalid(warmup.aggression, 'must be at least 1', 'Use 1 for an even growth.');
  }
}
