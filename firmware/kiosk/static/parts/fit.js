// @ts-check
import { LitElement, css, html } from '../vendor/lit.js';

const STEPS = [1, 0.94, 0.88, 0.82, 0.76, 0.7]; // of the size that the place has; below that a word is rather broken
const BROKEN = [0.94, 0.82, 0.7, 0.6, 0.52];
const LEADING = 1.14;
const ARABIC = /\p{Script=Arabic}/u; // its letters reach further down

/**
 * A text that must be read whole, such as an address: it takes up to `lines` lines, and becomes smaller rather than losing its end.
 * The size of its place (font-size) is the largest.
 */
class Fit extends LitElement {
  static properties = { text: { attribute: false }, lines: { type: Number } };

  static styles = css`
    :host { display: block; min-inline-size: 0; line-height: 1.14; }
    .address { display: block; text-align: -webkit-match-parent; text-align: match-parent; overflow-wrap: normal; hyphens: none; }
    .breaks { overflow-wrap: anywhere; }
    .long { overflow: hidden; }
    .tall { line-height: 1.34; } /* smaller letters, further apart: the same room */
  `;

  constructor() {
    super();
    /** @type {unknown} a string, or a template for one */
    this.text = '';
    this.lines = 2;
    this.fitted = '';
    this.watch = new ResizeObserver(() => this.fit());
  }

  connectedCallback() {
    super.connectedCallback();
    this.watch.observe(this);
    document.fonts?.ready.then(() => { this.fitted = ''; this.fit(); });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.watch.disconnect();
  }

  render() {
    return html`<bdi class="address">${this.text}</bdi>`;
  }

  updated() {
    this.fit();
  }

  fit() {
    const bdi = /** @type {HTMLElement | null} */ (this.renderRoot.querySelector('bdi'));
    const base_px = parseFloat(getComputedStyle(this).fontSize);
    const key = `${bdi?.textContent} ${this.clientWidth} ${base_px} ${this.lines}`;
    if (!bdi || !this.clientWidth || key === this.fitted) return;
    this.fitted = key;
    const tall = ARABIC.test(bdi.textContent ?? '');
    const room_px = Math.ceil(this.lines * base_px * LEADING) + 1;
    const fits = (/** @type {number} */ size, /** @type {boolean} */ breaks) => {
      bdi.className = `address ${tall ? 'tall' : ''} ${breaks ? 'breaks' : ''}`;
      bdi.style.fontSize = `${size}em`;
      return bdi.scrollHeight <= room_px && bdi.scrollWidth <= bdi.clientWidth + 1;
    };
    bdi.style.maxBlockSize = 'none';
    if (STEPS.some((size) => fits(size, false)) || BROKEN.some((size) => fits(size, true))) return;
    bdi.classList.add('long'); // longer than any address: only now is its end lost
    bdi.style.maxBlockSize = `${room_px}px`;
  }
}

customElements.define('rp-fit', Fit);

/** @param {unknown} text @param {number} lines @param {string} look */
export function fitted(text, lines = 2, look = '') {
  return html`<rp-fit class=${look} .text=${text} .lines=${lines}></rp-fit>`;
}
