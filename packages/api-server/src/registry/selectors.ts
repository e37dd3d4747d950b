import { isLabelValue, isQualifiedName, type KubeObject } from '@weft/resources';
import { badRequest } from './status-error.ts';

/** Whether an object is chosen. */
export type Selector = (object: KubeObject) => boolean;

/** A selector longer than this is refused. */
const maxSelectorLength = 16_384;

const all: Selector = () => true;

/**
 * Parses a label selector: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas.
 * @throws StatusError 400.
 */
export function parseLabelSelector(text: string | undefined): Selector {
  if (text === undefined || text.trim() === '') {
    return all;
  }
  const fail = (why: string): never => {
    throw badRequest(`unable to parse the label selector ${JSON.stringify(text.slice(0, 200))}: ${why}`);
  };
  if (text.length > maxSelectorLength) {
    fail(`it is longer than ${maxSelectorLength} characters`);
  }
  const terms = splitTerms(text).map((term) => labelTerm(term.trim(), fail));
  return (object) => terms.every((term) => term(object.metadata.labels ?? {}));
}

type LabelTerm = (labels: Readonly<Record<string, string>>) => boolean;

/** Splits at commas that are not within parentheses. */
function splitTerms(text: string): string[] {
  return text.split(/,(?![^(]*\))/);
}

function labelTerm(term: string, fail: (why: string) => never): LabelTerm {
  const key = (name: string): string =>
    isQualifiedName(name) ? name : fail(`${JSON.stringify(name)} is no label name`);
  const value = (raw: string): string => (isLabelValue(raw) ? raw : fail(`${JSON.stringify(raw)} is no label value`));
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term);
  if (set !== null) {
    const name = key(set[1] ?? '');
    const values = new Set((set[3] ?? '').split(',').map((part) => value(part.trim())));
    const within = (labels: Readonly<Record<string, string>>): boolean =>
      labels[name] !== undefined && values.has(labels[name]);
    return set[2] === 'in' ? within : (labels) => !within(labels);
  }
  const equality = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(term);
  if (equality !== null) {
    const name = key(equality[1] ?? '');
    const wanted = value(equality[3] ?? '');
    return equality[2] === '!=' ? (labels) => labels[name] !== wanted : (labels) => labels[name] === wanted;
  }
  if (term.startsWith('!')) {
    const name = key(term.slice(1).trim());
    return (labels) => labels[name] === undefined;
  }
  const name = key(term);
  return (labels) => labels[name] !== undefined;
}

/** Fields that objects of every kind can be selected by, and those of single kinds. */
const generalFields = ['metadata.name', 'metadata.namespace'];
const kindFields: Readonly<Record<string, readonly string[]>> = {
  secrets: ['type'],
  namespaces: ['status.phase'],
  events: [
    ...['involvedObject.kind', 'involvedObject.namespace', 'involvedObject.name', 'involvedObject.uid'],
    ...['involvedObject.apiVersion', 'involvedObject.resourceVersion', 'involvedObject.fieldPath'],
    ...['reason', 'reportingComponent', 'source', 'type'],
  ],
};

/**
 * Parses a field selector: `metadata.name=x,status.phase!=y`.
 * @throws StatusError 400, also for a field that the resource cannot be selected by.
 */
export function parseFieldSelector(text: string | undefined, resource: string): Selector {
  if (text === undefined || text.trim() === '') {
    return all;
  }
  const allowed = [...generalFields, ...(kindFields[resource] ?? [])];
  const terms = text.split(',').map((term) => {
    const match = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(term);
    const field = match?.[1];
    if (match === null || field === undefined) {
      throw badRequest(`invalid field selector ${JSON.stringify(term)}: write field=value or field!=value`);
    }
    if (!allowed.includes(field)) {
      throw badRequest(`field label not supported: ${field}; ${resource} can be selected by ${allowed.join(', ')}`);
    }
    const path = field.split('.');
    const wanted = match[3] ?? '';
    return match[2] === '!='
      ? (object: KubeObject) => fieldText(object, path) !== wanted
      : (object: KubeObject) => fieldText(object, path) === wanted;
  });
  return (object) => terms.every((term) => term(object));
}

function fieldText(object: unknown, path: readonly string[]): string {
  let value = object;
  for (const step of path) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  }
  return value === undefined || value === null ? '' : String(value);
}
