/** An end of the connection that the header speaks of. IPv6 text is canonical; addresses that hold an IPv4 address are IPv4. */
export interface ProxiedAddress {
  readonly ip: string;
  readonly port: number;
}

/** Both ends of the connection as the sender of the header saw it. */
export interface ProxiedConnection {
  readonly source: ProxiedAddress;
  readonly destination: ProxiedAddress;
}

/** Why a header is refused; stands in the access log as `%CONNECTION_TERMINATION_DETAILS%`. */
export type ProxyProtocolFault =
  /** The line of version 1 does not end within its 107 bytes. */
  | 'proxy_protocol_line_too_long'
  | 'proxy_protocol_invalid_line'
  /** Neither version 1 nor 2, or a version that the listener does not take. */
  | 'proxy_protocol_version'
  | 'proxy_protocol_command'
  /** An address family or transport other than TCP over IPv4 or IPv6. */
  | 'proxy_protocol_family'
  /** Shorter than its addresses, or longer than we read. */
  | 'proxy_protocol_length'
  | 'proxy_protocol_invalid_tlv'
  | 'proxy_protocol_checksum'
  /** The connection does not begin with a header, and the listener wants one. */
  | 'proxy_protocol_missing';

/** What the first bytes of a connection are, as far as the PROXY protocol goes. */
export type ProxyHeaderReading =
  | { readonly kind: 'need-more' }
  /** They do not begin like a header of either version. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'invalid'; readonly fault: ProxyProtocolFault }
  | {
      readonly kind: 'header';
      readonly version: 1 | 2;
      /** Bytes to leave out; what follows belongs to the connection. */
      readonly length: number;
      /** undefined: `UNKNOWN` or `LOCAL`, so the connection speaks for itself. */
      readonly proxied: ProxiedConnection | undefined;
    };

export const needMore: ProxyHeaderReading = { kind: 'need-more' };
export const absent: ProxyHeaderReading = { kind: 'absent' };

export function invalid(fault: ProxyProtocolFault): ProxyHeaderReading {
  return { kind: 'invalid', fault };
}
