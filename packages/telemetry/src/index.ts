export type { Counts, TcpCounts } from './series.ts';
export {
  type Caller,
  type Destination,
  type EdgeRates,
  type Rates,
  type TcpRates,
  type TcpReport,
  TrafficHistory,
  type TrafficHistoryOptions,
  type TrafficReport,
} from './traffic-history.ts';
