// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Part } from '../element.js';
import { t, word } from '../i18n.js';
import { look } from './look.js';
import { icon } from './icons.js';

const RETRY_MS = 700;

/**
 * What the unit's camera sees. One picture at a time over a socket, drawn and then acknowledged, so a slow screen drops pictures
 * instead of queueing them. On a laptop, a picture dropped onto it is looked at instead.
 */
class Viewfinder extends Part {
  static properties = { camera: {}, word: { attribute: false }, aim: { type: Boolean }, over: { state: true }, live: { state: true }, hint: { state: true } };

  static styles = [look, css`
    :host { display: block; position: relative; background: #05070a; border-radius: var(--radius); overflow: hidden; min-block-size: calc(var(--mm) * 20); }
    canvas { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; object-fit: contain; }
    .state { position: absolute; inset: 0; background: #05070a; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: var(--gap); color: #e3e8ed; text-align: center; padding: var(--pad); font-weight: 600; line-height: 1.2; }
    .state svg.icon { inline-size: calc(var(--mm) * 10); block-size: calc(var(--mm) * 10); }
    .state.drop { background: #0a4aa8e0; color: #fff; }
    .hint { position: absolute; inset-inline: 0; inset-block-end: 0; display: flex; align-items: center; justify-content: center; gap: var(--gap); padding: calc(var(--mm) * 1.2) var(--pad); background: #ffc933; color: #221a00; font-weight: 700; line-height: 1.15; }
  `];

  constructor() {
    super();
    this.camera = 'ok';
    this.aim = false;
    this.over = false;
    this.live = false;
    /** @type {{corners: number[][], text: string}[]} */
    this.marks = [];
    /** @type {string | null} what would help to read */
    this.hint = null;
    /** @type {WebSocket | null} */
    this.socket = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.here = true;
    this.listen();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.here = false;
    clearTimeout(this.retry);
    this.socket?.close();
    this.socket = null;
  }

  listen() {
    if (!this.here) return;
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/camera`);
    socket.binaryType = 'blob';
    socket.onmessage = (event) => this.heard(socket, event.data);
    socket.onclose = () => {
      this.live = false;
      if (this.socket === socket) this.retry = setTimeout(() => this.listen(), RETRY_MS);
    };
    this.socket = socket;
  }

  /** @param {WebSocket} socket @param {string | Blob} data the barcodes found and a hint, then the picture they belong to */
  async heard(socket, data) {
    if (typeof data === 'string') {
      ({ marks: this.marks = [], hint: this.hint = null } = JSON.parse(data));
      return;
    }
    try {
      const picture = await createImageBitmap(data);
      this.draw(picture);
      picture.close();
      this.live = true;
    } catch {
      // a damaged picture is skipped: the next one comes with the ack
    }
    if (socket.readyState === WebSocket.OPEN) socket.send('ack');
  }

  /** @param {ImageBitmap} picture */
  draw(picture) {
    const canvas = this.renderRoot.querySelector('canvas');
    const paint = canvas?.getContext('2d', { alpha: false });
    if (!canvas || !paint) return;
    if (canvas.width !== picture.width) canvas.width = picture.width;
    if (canvas.height !== picture.height) canvas.height = picture.height;
    paint.drawImage(picture, 0, 0);
    if (this.aim) this.frame(paint, picture.width, picture.height);
  }

  /** The corners to aim with, and a line round each barcode that was found, with its value. @param {CanvasRenderingContext2D} paint @param {number} width @param {number} height */
  frame(paint, width, height) {
    const thick = Math.max(2, width / 160);
    const [left, top, right, bottom, arm] = [width * 0.16, height * 0.22, width * 0.84, height * 0.78, width * 0.07];
    paint.lineWidth = thick;
    paint.strokeStyle = '#ffffff';
    paint.beginPath();
    for (const [x, y, dx, dy] of [[left, top, arm, arm], [right, top, -arm, arm], [left, bottom, arm, -arm], [right, bottom, -arm, -arm]]) {
      paint.moveTo(x + dx, y);
      paint.lineTo(x, y);
      paint.lineTo(x, y + dy);
    }
    paint.stroke();
    paint.strokeStyle = '#39d98a';
    paint.lineWidth = thick * 1.6;
    for (const { corners } of this.marks) {
      paint.beginPath();
      corners.forEach(([x, y], n) => (n ? paint.lineTo(x, y) : paint.moveTo(x, y)));
      paint.closePath();
      paint.stroke();
    }
    for (const { corners, text } of this.marks) this.value(paint, width, height, corners, text);
  }

  /** What a code says, on a plate under it, or over it where there is no room. @param {CanvasRenderingContext2D} paint @param {number} width @param {number} height @param {number[][]} corners @param {string} text */
  value(paint, width, height, corners, text) {
    const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
    let size = width / 20;
    paint.direction = 'ltr'; // as it is printed
    paint.font = `700 ${size}px sans-serif`;
    size *= Math.min(1, (width * 0.9) / paint.measureText(text).width);
    paint.font = `700 ${size}px sans-serif`;
    const [wide, high] = [paint.measureText(text).width + size, size * 1.5];
    const below = Math.max(...ys) + size * 0.4;
    const left = Math.max(0, Math.min(width - wide, (Math.min(...xs) + Math.max(...xs) - wide) / 2));
    const top = below + high <= height ? below : Math.max(0, Math.min(...ys) - high - size * 0.4);
    paint.fillStyle = '#0b6138';
    paint.fillRect(left, top, wide, high);
    paint.fillStyle = '#ffffff';
    paint.textBaseline = 'middle';
    paint.fillText(text, left + size / 2, top + high / 2);
  }

  /** @param {DragEvent} event */
  async dropped(event) {
    event.preventDefault();
    this.over = false;
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    const answer = await fetch('/api/v1/picture', { method: 'POST', headers: { 'Content-Type': file.type || 'image/jpeg' }, body: file })
      .then((reply) => reply.json()).catch(() => ({ err: 'picture.unsent' }));
    if (answer.err) this.tell('locked', t(answer.err, answer.args ?? {}));
  }

  render() {
    return html`<canvas role="img" aria-label=${t('camera.view')}></canvas>
      ${this.camera !== 'ok' ? html`<div class="state" role="status">${icon('camera_off')}<span>${word('camera', this.camera)}</span></div>`
        : this.live ? this.advice() : html`<div class="state" role="status">${icon('photo')}<span>${t('camera.starting')}</span></div>`}
      ${this.over ? html`<div class="state drop">${t('camera.drop')}</div>` : nothing}`;
  }

  advice() {
    return this.hint && this.aim ? html`<div class="hint" role="status">${icon('info')}<span>${word('hint', this.hint)}</span></div>` : nothing;
  }

  firstUpdated() {
    this.addEventListener('dragover', (event) => { event.preventDefault(); this.over = true; });
    this.addEventListener('dragleave', () => { this.over = false; });
    this.addEventListener('drop', (event) => this.dropped(event));
  }
}

customElements.define('rp-viewfinder', Viewfinder);
