/** Name and value in turn, as Node gives them, by lower-case name; values of one name in order. */
export function fieldsOf(raw: readonly string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    fields[name] = [...(fields[name] ?? []), raw[index + 1] ?? ''];
  }
  return fields;
}
