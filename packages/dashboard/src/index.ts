export { RateHistory, samplesKept, sparkPoints } from './history.ts';
export { ageText, memoryText, mtlsText, proxyState, rateText, successText, type Toned } from './text.ts';
