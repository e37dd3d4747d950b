import { connect } from 'node:http2';
import { facts, reportWhenIdle } from './facts.ts';

const { port, ca, cert, key } = facts;
let ready = false;
connect(`https://127.0.0.1:${port}`, { ca, cert, key }, () => {
  ready = true;
});
reportWhenIdle(() => ready);
