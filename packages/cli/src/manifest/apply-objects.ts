/** Field manager of `weft apply` and of what the demo applies: a later `weft apply` changes it without a conflict. */
export const applyFieldManager = 'weft-apply';
