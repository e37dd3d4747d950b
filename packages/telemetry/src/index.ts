export type { Counts } from './series.ts';
export {
  type Caller,
  type Destination,
  type EdgeRates,
  type Rates,
  TrafficHistory,
  type TrafficHistoryOptions,
  type TrafficReport,
} from './traffic-history.ts';
