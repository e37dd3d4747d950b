import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

/** One file of the page. */
export interface StaticFile {
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
}

/** Most files, and most bytes together, that are served. */
const maxFiles = 500;
const maxBytes = 32 * 1024 * 1024;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.map': 'application/json',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * The files below a folder by their URL path, read once: what is not in the table cannot be asked for, whatever the URL.
 * Undefined when the folder cannot be read or is too large.
 */
export function readStaticFiles(folder: string): ReadonlyMap<string, StaticFile> | undefined {
  const files = new Map<string, StaticFile>();
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const type = types[extname(entry.name)];
      if (!entry.isFile() || type === undefined) {
        continue;
      }
      const path = join(entry.parentPath, entry.name);
      const body = readFileSync(path);
      bytes += body.length;
      if (files.size >= maxFiles || bytes > maxBytes) {
        return undefined;
      }
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
      files.set(`/${relative(folder, path).split(sep).join('/')}`, { type, body, etag });
    }
  } catch {
    return undefined;
  }
  return files;
}
