import type { LinearRegex } from '../config.ts';
import type { Problems } from '../wire/problems.ts';
import { regexFromXds } from './regex.ts';

/**
 * URI templates (`envoy.extensions.path.{match,rewrite}.uri_template.v3`): `*` is one segment or a part of it, `**` any number of them and
 * last, `{name}` and `{name=pattern}` capture. A template becomes a regular expression, and a rewrite a substitution with its groups.
 */
export interface PathTemplate {
  readonly regex: LinearRegex;
  /** Names of the groups, in order: the first is `\1`. */
  readonly variables: readonly string[];
}

const MAX_TEMPLATE_LENGTH = 256;
const MAX_VARIABLES = 5;
const MAX_VARIABLE_NAME_LENGTH = 16;

/** What a segment may be made of (RFC 3986 `pchar`). */
const segment = "[a-zA-Z0-9-._~%!$&'()+,;:@=*]";
const literal = /^[a-zA-Z0-9-._~%!$&'()+,;:@]+/;
const variableName = /^[a-zA-Z][a-zA-Z0-9_]*/;

/** Why a template is wrong. */
class TemplateError extends Error {}

/** Undefined when refused; the problem says why. */
export function pathTemplateFromXds(template: string, problems: Problems): PathTemplate | undefined {
  try {
    checkLength(template);
    const parser = new TemplateParser(template);
    const source = parser.pattern();
    const regex = regexFromXds(source, problems);
    return regex === undefined ? undefined : { regex, variables: parser.variables };
  } catch (error) {
    if (!(error instanceof TemplateError)) {
      throw error;
    }
    problems.add(error.message, 'path_template');
    return undefined;
  }
}

/** The substitution that a rewrite is for a template; undefined when refused. */
export function templateRewriteFromXds(
  rewrite: string,
  variables: readonly string[],
  problems: Problems,
): string | undefined {
  try {
    checkLength(rewrite);
    let substitution = '';
    for (let rest = rewrite; rest !== ''; ) {
      const variable = /^\{([a-zA-Z][a-zA-Z0-9_]*)\}/.exec(rest);
      const text = variable ?? /^\//.exec(rest) ?? literal.exec(rest);
      if (text === null) {
        throw new TemplateError(`${JSON.stringify(rest)} is neither text nor {variable}`);
      }
      if (variable === null) {
        substitution += text[0].replaceAll('\\', '\\\\');
      } else {
        const index = variables.indexOf(variable[1] ?? '');
        if (index < 0) {
          throw new TemplateError(`the variable ${variable[1]} is not in the template of the match`);
        }
        substitution += `\\${index + 1}`;
      }
      rest = rest.slice(text[0].length);
    }
    return substitution;
  } catch (error) {
    if (!(error instanceof TemplateError)) {
      throw error;
    }
    problems.add(error.message, 'path_template_rewrite');
    return undefined;
  }
}

function checkLength(template: string): void {
  if (template.length === 0 || template.length > MAX_TEMPLATE_LENGTH) {
    throw new TemplateError(`must have from 1 to ${MAX_TEMPLATE_LENGTH} characters`);
  }
  if (!template.startsWith('/')) {
    throw new TemplateError('must begin with /');
  }
}

class TemplateParser {
  readonly variables: string[] = [];
  #rest: string;
  #sawGlob = false;

  constructor(template: string) {
    this.#rest = template;
  }

  pattern(): string {
    let source = '';
    while (this.#rest !== '') {
      this.#expect('/');
      source += '/';
      source += this.#segment();
    }
    return source;
  }

  #expect(text: string): void {
    if (!this.#rest.startsWith(text)) {
      throw new TemplateError(`${JSON.stringify(text)} is due at ${JSON.stringify(this.#rest)}`);
    }
    this.#rest = this.#rest.slice(text.length);
  }

  /** Operators and literal text up to the next slash. */
  #segment(): string {
    let source = '';
    while (this.#rest !== '' && !this.#rest.startsWith('/')) {
      source += this.#rest.startsWith('{') ? this.#variable() : this.#piece();
    }
    return source;
  }

  #piece(): string {
    const text = literal.exec(this.#rest)?.[0];
    if (text !== undefined) {
      this.#rest = this.#rest.slice(text.length);
      return text.replaceAll(/[.$()+]/g, '\\$&');
    }
    const operator = this.#rest.startsWith('**') ? '**' : this.#rest.startsWith('*') ? '*' : undefined;
    if (operator === undefined) {
      throw new TemplateError(`${JSON.stringify(this.#rest)} is neither text nor an operator`);
    }
    return this.#operator(operator);
  }

  #operator(operator: '*' | '**'): string {
    if (this.#sawGlob) {
      throw new TemplateError('** must be the last operator');
    }
    this.#expect(operator);
    if (operator === '*') {
      return `${segment}+`;
    }
    this.#sawGlob = true;
    return `${segment.slice(0, -1)}/]*`;
  }

  #variable(): string {
    this.#expect('{');
    const name = variableName.exec(this.#rest)?.[0] ?? '';
    if (name === '' || name.length > MAX_VARIABLE_NAME_LENGTH) {
      throw new TemplateError(`a variable's name must have from 1 to ${MAX_VARIABLE_NAME_LENGTH} letters and digits`);
    }
    if (this.variables.includes(name)) {
      throw new TemplateError(`the variable ${name} is there twice`);
    }
    this.variables.push(name);
    if (this.variables.length > MAX_VARIABLES) {
      throw new TemplateError(`there are more than ${MAX_VARIABLES} variables`);
    }
    this.#rest = this.#rest.slice(name.length);
    let source = '';
    if (this.#rest.startsWith('=')) {
      this.#expect('=');
      while (this.#rest !== '' && !this.#rest.startsWith('}')) {
        if (this.#rest.startsWith('/')) {
          this.#expect('/');
          source += '/';
        } else {
          source += this.#piece();
        }
      }
      if (source === '') {
        throw new TemplateError(`the variable ${name} has an empty pattern`);
      }
    } else {
      source = this.#sawGlob ? this.#operator('*') : `${segment}+`;
    }
    this.#expect('}');
    return `(${source})`;
  }
}
