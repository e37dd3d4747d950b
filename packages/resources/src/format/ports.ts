import { isLabel } from './names.ts';

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/** A port name that stands for a number (IANA service name, RFC 6335 §5.1): a label of 15 characters at most with a letter in it. */
export function isPortName(text: string): boolean {
  return text.length <= 15 && isLabel(text) && /[a-z]/.test(text) && !text.includes('--');
}
