import { connect } from 'node:tls';
import { facts, reportWhenIdle } from './facts.ts';

const { port, ca, cert, key } = facts;
let ready = false;
connect({ host: '127.0.0.1', port, ca, cert, key, ALPNProtocols: ['h2'] }, () => {
  ready = true;
});
reportWhenIdle(() => ready);
