import { HeadFields } from './head-fields.ts';

/** The head of a request, whatever protocol it came by. */
export class RequestHead extends HeadFields {
  method = '';
  /** Path with query, always beginning with `/`, or `*`; empty for CONNECT. */
  path = '';
  /** Host header, or the authority of the target if it had one. */
  authority = '';
  /** `http` or `https` when the target was in absolute form, else empty. */
  targetScheme = '';
  /** The protocol that it came by. */
  protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2' = 'HTTP/1.1';
  /** Minor version of HTTP/1; 1 for HTTP/2. */
  minorVersion = 1;
  /** Declared length of the body, -1 when there is none declared. */
  contentLength = -1;
  /** There is a `transfer-encoding: chunked` line. A body that came by HTTP/2 has none, whatever its length. */
  chunked = false;
  /** HTTP/2: the stream goes on after the head. */
  streamGoesOn = false;
  /** The connection may carry another request after this one. */
  keepAlive = true;
  /** Protocol of the Upgrade header when Connection names it, in lower case; else empty. */
  upgrade = '';
  /** What is sent and what comes back are a byte stream, each direction of which ends alone. That of CONNECT and Upgrade goes without saying. */
  opensTunnel = false;
  expectContinue = false;
  /** Whether `te: trailers` was asked for. */
  teTrailers = false;
  /** The start line can go out as it came. */
  startLineUsable = true;

  override clear(): void {
    super.clear();
    this.method = '';
    this.path = '';
    this.authority = '';
    this.targetScheme = '';
    this.protocol = 'HTTP/1.1';
    this.minorVersion = 1;
    this.contentLength = -1;
    this.chunked = false;
    this.streamGoesOn = false;
    this.keepAlive = true;
    this.upgrade = '';
    this.opensTunnel = false;
    this.expectContinue = false;
    this.teTrailers = false;
    this.startLineUsable = true;
  }

  /** Becomes what `other` is, edits included. */
  copyRequest(other: RequestHead): void {
    this.copyFrom(other);
    this.method = other.method;
    this.path = other.path;
    this.authority = other.authority;
    this.targetScheme = other.targetScheme;
    this.protocol = other.protocol;
    this.minorVersion = other.minorVersion;
    this.contentLength = other.contentLength;
    this.chunked = other.chunked;
    this.streamGoesOn = other.streamGoesOn;
    this.keepAlive = other.keepAlive;
    this.upgrade = other.upgrade;
    this.opensTunnel = other.opensTunnel;
    this.expectContinue = other.expectContinue;
    this.teTrailers = other.teTrailers;
    this.startLineUsable = other.startLineUsable;
  }

  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0 || this.streamGoesOn;
  }

  /** Another path for the upstream. */
  setPath(path: string): void {
    this.path = path;
    this.startLineUsable = false;
  }

  setMethod(method: string): void {
    this.method = method;
    this.startLineUsable = false;
  }

  /** Another authority: the Host line is replaced where it stands. */
  setAuthority(authority: string): void {
    this.authority = authority;
    this.set('host', authority);
  }
}

const free: RequestHead[] = [];
const maxFree = 256;

/** A cleared head, from the free list if there is one. */
export function takeRequestHead(): RequestHead {
  return free.pop() ?? new RequestHead();
}

/** Gives a head back; the caller must not touch it any more. */
export function releaseRequestHead(head: RequestHead): void {
  if (free.length < maxFree) {
    head.clear();
    free.push(head);
  }
}
