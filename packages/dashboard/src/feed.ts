import { adminPaths, type EdgeList, type Overview, type ProxyList } from '@weft/admin-api';

/** What the page hears. */
export interface FeedHandlers {
  onOverview(overview: Overview): void;
  onProxies(list: ProxyList): void;
  onEdges(list: EdgeList): void;
  /** `ended`: the session is over, and nothing more comes. */
  onState(state: 'live' | 'lost' | 'ended'): void;
}

const retryMs = 2_000;

/** Follows the mesh: the overview by server-sent events, the rest is fetched along with each. Comes back by itself. */
export function followMesh(handlers: FeedHandlers): void {
  const source = new EventSource(adminPaths.overviewStream);
  source.addEventListener('overview', (event) => {
    handlers.onState('live');
    handlers.onOverview(JSON.parse((event as MessageEvent<string>).data) as Overview);
    void fetchRest(handlers);
  });
  source.addEventListener('error', () => {
    handlers.onState('lost');
    source.close();
    // Whether the server is away or wants a login cannot be told from the event.
    setTimeout(() => void tryAgain(handlers), retryMs);
  });
}

async function tryAgain(handlers: FeedHandlers): Promise<void> {
  try {
    const response = await fetch(adminPaths.version);
    if (response.status === 401) {
      handlers.onState('ended');
      return;
    }
    if (response.ok) {
      followMesh(handlers);
      return;
    }
  } catch {
    // Still away.
  }
  setTimeout(() => void tryAgain(handlers), retryMs);
}

async function fetchRest(handlers: FeedHandlers): Promise<void> {
  try {
    const [proxies, edges] = await Promise.all([fetch(adminPaths.proxies), fetch(adminPaths.edges)]);
    if (proxies.ok) {
      handlers.onProxies((await proxies.json()) as ProxyList);
    }
    if (edges.ok) {
      handlers.onEdges((await edges.json()) as EdgeList);
    }
  } catch {
    // The event stream notices as well, and says so.
  }
}
