/** Whether all `pieces` are in `bytes`, in this order, with anything between them. */
export function matchesPayload(bytes: Buffer, pieces: readonly Buffer[]): boolean {
  let from = 0;
  for (const piece of pieces) {
    const at = bytes.indexOf(piece, from);
    if (at < 0) {
      return false;
    }
    from = at + piece.length;
  }
  return true;
}
