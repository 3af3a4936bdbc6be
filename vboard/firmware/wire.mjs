// TCP and TLS for an interpreter that cannot wait: a thread has the connections, and whoever asks it
// something sleeps until the answer is there. An answer is a number, negative for an error as Linux
// numbers it, or a text for what has no number.

import * as net from "node:net";
import * as tls from "node:tls";
import { MessageChannel, Worker, isMainThread, receiveMessageOnPort, workerData } from "node:worker_threads";

const ERRORS = { ECONNREFUSED: -111, ECONNRESET: -104, ETIMEDOUT: -110, EPIPE: -32, ENOTFOUND: -2 };
const AGAIN = -11;
const PATIENCE_MS = 20000;

export class Wire {
  #worker = null;
  #port = null;
  #flag = new Int32Array(new SharedArrayBuffer(4));
  #out = Buffer.alloc(0);
  #in = Buffer.alloc(0);

  ask(what, more) {
    if (!this.#worker) {
      const { port1, port2 } = new MessageChannel();
      const data = { flag: this.#flag, port: port2 };
      this.#worker = new Worker(new URL(import.meta.url), { workerData: data, transferList: [port2] });
      this.#port = port1;
    }
    Atomics.store(this.#flag, 0, 0);
    this.#port.postMessage({ what, ...more });
    // The thread bounds its own waits; this bound is for a thread that did not start.
    // Being woken is not yet an answer: the call to wake up may be that of the answer before, which
    // was seen before it came.
    while (Atomics.load(this.#flag, 0) === 0) {
      if (Atomics.wait(this.#flag, 0, 0, 3 * PATIENCE_MS) === "timed-out") return ERRORS.ETIMEDOUT;
    }
    const { answer, data } = receiveMessageOnPort(this.#port).message;
    if (data) this.#in = Buffer.concat([this.#in, data]);
    return answer;
  }

  // What Python has written to the wire's file is sent by the call that follows.
  put(bytes) {
    this.#out = Buffer.concat([this.#out, bytes]);
    return bytes.length;
  }

  send(id) {
    const data = this.#out;
    this.#out = Buffer.alloc(0);
    return this.ask("send", { id, data });
  }

  // And what was received is read from that file: as many bytes as the answer says.
  receive(id, most, wait) {
    return this.ask("receive", { id, most, wait });
  }

  take(buffer, offset, length) {
    const part = this.#in.subarray(0, length);
    buffer.set(part, offset);
    this.#in = this.#in.subarray(part.length);
    return part.length;
  }
}

class Connection {
  constructor(socket) {
    this.listen(socket);
  }

  listen(socket) {
    this.socket = socket;
    this.data = Buffer.alloc(0);
    this.ended = false;
    this.error = 0;
    this.wake = () => {};
    socket.on("data", (data) => ((this.data = Buffer.concat([this.data, data])), this.wake()));
    socket.on("end", () => ((this.ended = true), this.wake()));
    socket.on("error", (e) => ((this.error = ERRORS[e.code] ?? -5), this.wake()));
  }
}

const connections = [];

// Each of them calls `answer` once; a second call is of an event that came too late.
const calls = {
  connect({ host, port }, answer) {
    const socket = net.connect({ host, port });
    socket.setTimeout(PATIENCE_MS, () => answer(ERRORS.ETIMEDOUT));
    socket.once("error", (e) => answer(ERRORS[e.code] ?? -5));
    socket.once("connect", () => {
      socket.setTimeout(0);
      answer(connections.push(new Connection(socket)) - 1);
    });
  },

  secure({ id, host, check, authorities }, answer) {
    const plain = connections[id].socket;
    plain.removeAllListeners("data");
    const pem = (hex) =>
      `-----BEGIN CERTIFICATE-----\n${Buffer.from(hex, "hex").toString("base64")}\n-----END CERTIFICATE-----\n`;
    const options = { socket: plain, host, ca: authorities.map(pem), rejectUnauthorized: check };
    if (!net.isIP(host)) options.servername = host;
    const socket = tls.connect(options);
    socket.once("error", (e) => answer(e.code ?? String(e)));
    socket.once("secureConnect", () => {
      connections[id].listen(socket);
      answer(0);
    });
  },

  send({ id, data }, answer) {
    const { socket } = connections[id];
    socket.write(data, (e) => answer(e ? (ERRORS[e.code] ?? -5) : data.length));
  },

  receive({ id, most, wait }, answer) {
    const one = connections[id];
    const look = () => {
      const data = one.data.subarray(0, most);
      one.data = one.data.subarray(data.length);
      if (data.length) answer(data.length, data);
      else if (one.ended) answer(0);
      else if (one.error) answer(one.error);
      else return false;
      return true;
    };
    if (look()) return;
    const late = setTimeout(() => answer(AGAIN), wait);
    one.wake = () => look() && clearTimeout(late);
  },

  close({ id }, answer) {
    connections[id].socket.destroy();
    answer(0);
  },
};

if (!isMainThread && workerData?.port) {
  const { flag, port } = workerData;
  port.on("message", (message) => {
    let open = true;
    const answer = (answer, data) => {
      if (!open) return;
      open = false;
      if (connections[message.id]) connections[message.id].wake = () => {};
      port.postMessage({ answer, data });
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
    };
    calls[message.what](message, answer);
  });
}
