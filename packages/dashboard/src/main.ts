import { byId } from './dom.ts';
import { followMesh } from './feed.ts';
import { showEdges, showOverview, showProxies } from './sections.ts';

const link = byId('link');

followMesh({
  onOverview: showOverview,
  onProxies: (list) => showProxies(list.proxies, Date.now()),
  onEdges: (list) => showEdges(list.edges),
  onState(state) {
    link.className = state === 'live' ? 'link live' : state === 'lost' || state === 'ended' ? 'link lost' : 'link';
    const text = {
      live: 'live',
      lost: 'the control plane does not answer; trying again',
      ended: 'logged out: run `weft dashboard` for a new link',
    }[state];
    if (link.textContent !== text) {
      link.textContent = text;
    }
  },
});
