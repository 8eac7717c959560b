// @ts-check

/**
 * The line to the firmware. Commands carry an id of their own and are sent again after a reconnect until they are answered,
 * so a tap is neither lost nor counted twice; the view is whatever the firmware said last.
 * @typedef {{id: string, cmd: string, d: object, done: (answer: Answer) => void}} Pending
 * @typedef {{id: string, ok?: boolean, seq?: number, err?: string, args?: Record<string, any>, status?: number}} Answer
 */

const ALIVE_MS = 5_000; // the firmware restarts the browser after 15 s of silence
const SILENCE_MS = 8_000; // the bar comes every second: this long without it and the line is dead, whatever the socket says
const BACKOFF_MS = [150, 300, 600, 1_200, 2_000];

export class Connection {
  /** @param {{view: (view: any) => void, bar: (bar: any) => void, state: (online: boolean) => void}} hears */
  constructor(hears) {
    this.hears = hears;
    /** @type {Map<string, Pending>} in the order they were tapped */
    this.pending = new Map();
    this.seq = -1;
    this.attempt = 0;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.heard_ms = 0;
    this.online = false;
  }

  open() {
    setInterval(() => this.watch(), ALIVE_MS);
    addEventListener('online', () => this.connect());
    this.connect();
  }

  /** @param {string} cmd @param {object} d @returns {Promise<Answer>} once the firmware has it for good */
  command(cmd, d = {}) {
    const same = [...this.pending.values()].find((one) => one.cmd === cmd && JSON.stringify(one.d) === JSON.stringify(d));
    if (same) return new Promise((done) => { const first = same.done; same.done = (answer) => { first(answer); done(answer); }; });
    return new Promise((done) => {
      const one = { id: unique(), cmd, d, done };
      this.pending.set(one.id, one);
      this.put(one);
    });
  }

  /** @param {Pending} one */
  put({ id, cmd, d }) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ id, cmd, d }));
  }

  connect() {
    if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`);
    this.socket = socket;
    this.heard_ms = performance.now();
    socket.onopen = () => this.opened();
    socket.onmessage = (event) => { if (this.socket === socket) this.heard(JSON.parse(event.data)); };
    socket.onclose = () => { if (this.socket === socket) this.lost(); };
  }

  async opened() {
    this.seq = -1; // a restarted firmware counts anew
    if (!(await this.snapshot())) return this.socket?.close();
    this.attempt = 0;
    this.turn(true);
    this.live();
    for (const one of this.pending.values()) this.put(one);
  }

  lost() {
    this.socket = null;
    this.turn(false);
    const wait = BACKOFF_MS[Math.min(this.attempt++, BACKOFF_MS.length - 1)];
    setTimeout(() => this.connect(), wait * (0.8 + 0.4 * Math.random()));
  }

  /** @param {boolean} online */
  turn(online) {
    this.online = online;
    this.hears.state(online);
  }

  watch() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    if (performance.now() - this.heard_ms > SILENCE_MS) {
      this.socket.onclose = null;
      this.socket.close();
      this.lost();
    } else {
      this.live();
    }
  }

  live() {
    this.socket?.send(JSON.stringify({ id: unique(), cmd: 'ui.alive', d: {} }));
  }

  /** @param {any} message */
  heard(message) {
    this.heard_ms = performance.now();
    if ('id' in message) return this.answered(message);
    if (message.t === 'view') return this.show(message.d, message.seq);
    if (message.t === 'bar') {
      this.hears.bar(message.d);
      if (this.seq >= 0 && message.seq > this.seq) this.snapshot(); // a view went missing on the way
    }
  }

  /** @param {any} view @param {number} seq */
  show(view, seq) {
    if (seq < this.seq) return;
    this.seq = seq;
    this.hears.view(view);
  }

  /** @param {Answer} answer */
  answered(answer) {
    const one = this.pending.get(answer.id);
    if (!one) return;
    this.pending.delete(answer.id);
    one.done(answer);
  }

  /** @returns {Promise<boolean>} */
  async snapshot() {
    try {
      const answer = await fetch('/api/v1/state', { cache: 'no-store' });
      if (!answer.ok) return false;
      const view = await answer.json();
      this.show(view, view.seq ?? 0);
      return true;
    } catch {
      return false;
    }
  }
}

/** A UUID; plain http on a phone is no secure context and lacks crypto.randomUUID. */
export function unique() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
}
