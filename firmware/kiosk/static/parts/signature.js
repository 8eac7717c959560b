// @ts-check
import { html, css } from '../vendor/lit.js';
import SignaturePad from '../vendor/signature_pad.js';
import { Part } from '../element.js';
import { t } from '../i18n.js';
import { look } from './look.js';
import { compact, ink_px, scaled } from './strokes.js';

const LEAST_INK_MM = 8; // less is a touch, not a signature

/** The box to sign in. Tells `signed` with whether there is enough ink after each stroke; `strokes()` gives the record. */
class Signature extends Part {
  static styles = [look, css`
    :host { display: block; position: relative; background: var(--paper); border-radius: var(--radius); border: var(--line) solid var(--edge); overflow: hidden; min-block-size: 0; }
    canvas { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; touch-action: none; cursor: crosshair; }
    .rule { position: absolute; inset-inline: 6%; inset-block-end: 24%; border-block-end: calc(var(--mm) * 0.4) solid #6d7680; pointer-events: none; color: #3d454d; font-size: calc(var(--mm) * 7); line-height: 1; }
  `];

  constructor() {
    super();
    this.width = 0;
    this.height = 0;
    this.watch = new ResizeObserver(() => this.fit());
  }

  firstUpdated() {
    const canvas = /** @type {HTMLCanvasElement} */ (this.renderRoot.querySelector('canvas'));
    // Chromium drops the click of the tap after a stroke while its gesture recognition still waits: the touch must not become a gesture.
    canvas.addEventListener('touchstart', (event) => event.preventDefault(), { passive: false });
    canvas.addEventListener('pointerdown', (event) => canvas.setPointerCapture(event.pointerId)); // strokes go on outside the box
    this.canvas = canvas;
    this.pad = new SignaturePad(canvas, { minWidth: 1.2, maxWidth: 3.2, penColor: ink(), throttle: 0, minDistance: 1 });
    this.pad.addEventListener('endStroke', () => this.changed());
    this.watch.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.watch.disconnect();
    this.pad?.off();
  }

  /** The canvas takes the box's size; what is drawn goes along. */
  fit() {
    const { canvas, pad } = this;
    const { clientWidth: width, clientHeight: height } = this;
    if (!canvas || !pad || !width || !height || (width === this.width && height === this.height)) return;
    const strokes = pad.toData();
    const factor = this.width ? Math.min(width / this.width, height / this.height) : 1;
    const ratio = Math.max(devicePixelRatio || 1, 1);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.getContext('2d')?.scale(ratio, ratio);
    pad.clear();
    if (strokes.length) pad.fromData(scaled(strokes, factor));
    this.width = width;
    this.height = height;
  }

  changed() {
    this.tell('signed', this.enough);
  }

  get enough() {
    const mm = this.width / 100 || 1; // the box is about a hundred millimetres wide
    return ink_px(this.pad?.toData() ?? []) > LEAST_INK_MM * mm;
  }

  clear() {
    this.pad?.clear();
    this.changed();
  }

  strokes() {
    return { strokes: compact(this.pad?.toData() ?? [], this.width, this.height), width: this.width, height: this.height };
  }

  render() {
    return html`<div class="rule" aria-hidden="true">×</div><canvas role="img" aria-label=${t('sign.box')}></canvas>`;
  }
}

/** @returns {string} */
function ink() {
  return getComputedStyle(document.documentElement).getPropertyValue('--stroke').trim() || '#0a1c4a';
}

customElements.define('rp-signature', Signature);
