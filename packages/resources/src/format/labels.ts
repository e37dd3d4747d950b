import type { Place } from '../place.ts';
import { isSubdomain, labelLengthMax } from './names.ts';

const namePattern = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
/** All annotations of an object together, in bytes of UTF-8 (Kubernetes' limit). */
const annotationsSizeMaxBytes = 256 * 1024;

/** `name` or `prefix/name`, as keys of labels and annotations are. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  return (slash < 0 || isSubdomain(text.slice(0, slash))) && name.length <= labelLengthMax && namePattern.test(name);
}

export function isLabelValue(text: string): boolean {
  return text === '' || (text.length <= labelLengthMax && namePattern.test(text));
}

const keyFix =
  'Use `name` or `prefix/name`: the name of letters, digits, `-`, `_` and `.`, at most 63 characters; the prefix a DNS name.';

/** Reports keys and values that no label may have. */
export function checkLabels(place: Place, labels: Readonly<Record<string, string>> | undefined): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (!isQualifiedName(key)) {
      place.at(key).invalid(key, 'not a valid label key', keyFix);
    }
    if (!isLabelValue(value)) {
      place
        .at(key)
        .invalid(
          value,
          'not a valid label value',
          'Use at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit, or nothing.',
        );
    }
  }
}

/** Reports keys that no annotation may have, and more text than all annotations together may have. */
export function checkAnnotations(place: Place, annotations: Readonly<Record<string, string>> | undefined): void {
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    if (!isQualifiedName(key.toLowerCase())) {
      place.at(key).invalid(key, 'not a valid annotation key', keyFix);
    }
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > annotationsSizeMaxBytes) {
    place.tooLong(
      `the annotations have ${size} bytes together, at most ${annotationsSizeMaxBytes} are allowed`,
      'Move what is large into a ConfigMap.',
    );
  }
}

/** A selector of Istio's kinds: labels with no wildcards. */
export function checkSelectorLabels(place: Place, labels: Readonly<Record<string, string>> | undefined): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (key === '') {
      place.at(key).invalid(key, 'key must not be empty', 'Name a label.');
    } else if (key.includes('*')) {
      place.at(key).invalid(key, 'wildcard not allowed in label key match', 'Name the label in full.');
    } else if (value.includes('*')) {
      place
        .at(key)
        .invalid(
          value,
          'wildcard not allowed in label value match',
          'Write the value in full; each selects one value.',
        );
    } else {
      checkLabels(place, { [key]: value });
    }
  }
}
