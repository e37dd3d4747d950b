import { createSocket } from 'node:dgram';

/** A DNS server on UDP. */
export interface DnsServer {
  /** Names that were asked for, as they were asked. */
  readonly asked: readonly string[];
  close(): void;
}

const headerBytes = 12;
const typeA = 1;
const noSuchName = 3;
const answerTtlSec = 1;

/**
 * Answers questions for IPv4 addresses; a name without any does not exist.
 * @param lookUp the addresses of a name in lower case, undefined = there is no such name.
 */
export async function startDnsServer(
  address: string,
  port: number,
  lookUp: (name: string) => readonly string[] | undefined,
): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const question = readQuestion(query);
    asked.push(question.name);
    socket.send(reply(query, question, lookUp(question.name)), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(port, address, resolve));
  return { asked, close: () => socket.close() };
}

interface Question {
  readonly name: string;
  readonly type: number;
  /** Where it ends in the message. */
  readonly end: number;
}

function readQuestion(query: Buffer): Question {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** RFC 1035 §4.1: the header, the question again, and an answer for each address. */
function reply(query: Buffer, { type, end }: Question, found: readonly string[] | undefined): Buffer {
  const answers = type === typeA ? (found ?? []) : [];
  const header = Buffer.alloc(headerBytes);
  query.copy(header, 0, 0, 2);
  // A response, recursion desired and available.
  header.writeUInt16BE(0x8180 | (found === undefined ? noSuchName : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  const records = answers.map((address) => {
    const record = Buffer.alloc(16);
    // The name is that at the beginning of the question.
    record.writeUInt16BE(0xc000 | headerBytes, 0);
    record.writeUInt16BE(typeA, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(answerTtlSec, 6);
    record.writeUInt16BE(4, 10);
    record.set(address.split('.').map(Number), 12);
    return record;
  });
  return Buffer.concat([header, query.subarray(headerBytes, end), ...records]);
}
