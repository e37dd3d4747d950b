/** Version of Weft; the same for all its programs. */
export const cliVersion = '0.1.0';
