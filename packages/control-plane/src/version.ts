/** Version of Weft; all packages have the same. */
export const weftVersion = '0.1.0';
