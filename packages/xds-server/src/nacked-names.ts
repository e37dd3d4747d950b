const nameCharacter = /[\w|/-]/;

/**
 * Which of `names` an error message speaks of. Clients write names in free text (Envoy: `Error adding/updating cluster(s)
 * foo: …`), so a name counts when it stands in the message as a whole word.
 */
export function namesIn(message: string, names: Iterable<string>): string[] {
  return [...names].filter((name) => name !== '' && mentions(message, name));
}

function mentions(message: string, name: string): boolean {
  for (let at = message.indexOf(name); at !== -1; at = message.indexOf(name, at + 1)) {
    if (!isPartOfName(message, at - 1, -1) && !isPartOfName(message, at + name.length, 1)) {
      return true;
    }
  }
  return false;
}

function isPartOfName(message: string, at: number, step: 1 | -1): boolean {
  const character = message[at] ?? ' ';
  if (character === '.') {
    return /\w/.test(message[at + step] ?? ' ');
  }
  return nameCharacter.test(character);
}
