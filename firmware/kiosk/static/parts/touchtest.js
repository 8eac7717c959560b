// @ts-check
import { html, svg, css, nothing } from '../vendor/lit.js';
import { Part } from '../element.js';
import { t } from '../i18n.js';
import { look } from './look.js';

/**
 * What was measured, as the unit takes it.
 * @typedef {{targets: number, hit: number, worst_px: number, breaks: number}} Measured
 */

const ACROSS = [0, 0.5, 1];
const EDGE_MM = 7; // from the glass's edge to the middle of a cross: dead strips begin at the edges
const HIT_MM = 6; // half of the least button
const GHOST_MM = 25; // a tap farther away was not meant for the cross: the panel made it up
const PATIENCE_MS = 6_000; // for one cross; where the glass is dead no tap ever comes
const LINE_MS = 20_000;

/** Nine crosses to tap and a line to draw, over the whole glass; tells what was measured, or that it was given up. */
class TouchTest extends Part {
  static properties = { at: { state: true }, drawn: { state: true } };

  static styles = [look, css`
    :host { position: fixed; inset: 0; z-index: 8; background: var(--ground); touch-action: none; direction: ltr; }
    svg { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; }
    .cross { stroke: var(--accent); stroke-width: calc(var(--mm) * 0.7); fill: none; }
    .ring { stroke: var(--accent); stroke-width: calc(var(--mm) * 1); fill: var(--tint); }
    .way { stroke: var(--edge); stroke-width: calc(var(--mm) * 0.5); stroke-dasharray: calc(var(--mm) * 2) calc(var(--mm) * 2); }
    .drawn { stroke: var(--ok); stroke-width: calc(var(--mm) * 1.4); fill: none; stroke-linecap: round; stroke-linejoin: round; }
    .told { position: absolute; inset-inline: calc(var(--mm) * 22); inset-block-start: 20%; text-align: center; display: flex; flex-direction: column; align-items: center; gap: calc(var(--mm) * 1); }
    .key { position: absolute; inset-block-end: 22%; inset-inline-start: 50%; translate: -50%; }
  `];

  constructor() {
    super();
    this.at = 0;
    this.hit = 0;
    this.worst_px = 0;
    this.breaks = 0;
    /** @type {[number, number][][]} the strokes on the way from ring to ring */
    this.drawn = [];
    this.down = false;
    this.reached = false;
    // No gesture is to be made of these touches: after one that ran fast the browser would swallow the next tap, on the button that follows.
    this.addEventListener('touchstart', (event) => { if (!onButton(event)) event.preventDefault(); }, { passive: false });
    this.addEventListener('pointerdown', (event) => this.pressed(event));
    this.addEventListener('pointermove', (event) => this.moved(event));
    this.addEventListener('pointerup', () => this.lifted());
    this.addEventListener('pointercancel', () => this.lifted());
  }

  connectedCallback() {
    super.connectedCallback();
    this.wait(PATIENCE_MS);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  /** Go on by itself when no tap comes. @param {number} ms */
  wait(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.at < this.targets.length ? this.next() : this.end()), ms);
  }

  get mm() {
    return parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--mm')) || innerWidth / 155;
  }

  /** The middles of the crosses, line by line. @returns {[number, number][]} */
  get targets() {
    const edge = EDGE_MM * this.mm;
    const spread = (/** @type {number} */ part, /** @type {number} */ whole) => edge + part * (whole - 2 * edge);
    return ACROSS.flatMap((y) => ACROSS.map((x) => /** @type {[number, number]} */ ([spread(x, innerWidth), spread(y, innerHeight)])));
  }

  /** @param {PointerEvent} event */
  pressed(event) {
    if (onButton(event)) return;
    if (this.at >= this.targets.length) return this.begin(event);
    const [x, y] = this.targets[this.at];
    const off_px = Math.hypot(event.clientX - x, event.clientY - y);
    if (off_px > GHOST_MM * this.mm) return;
    if (off_px <= HIT_MM * this.mm) this.hit += 1;
    this.worst_px = Math.max(this.worst_px, off_px);
    this.next();
  }

  next() {
    this.at += 1;
    this.wait(this.at < this.targets.length ? PATIENCE_MS : LINE_MS);
  }

  /** @param {PointerEvent} event */
  begin(event) {
    this.down = true;
    this.drawn = [...this.drawn, [[event.clientX, event.clientY]]];
  }

  /** @param {PointerEvent} event */
  moved(event) {
    if (!this.down) return;
    const stroke = this.drawn[this.drawn.length - 1];
    this.drawn = [...this.drawn.slice(0, -1), [...stroke, [event.clientX, event.clientY]]];
    const [, to] = this.rings;
    if (Math.hypot(event.clientX - to[0], event.clientY - to[1]) <= HIT_MM * this.mm) this.reached = true;
  }

  lifted() {
    if (!this.down) return;
    this.down = false;
    if (this.reached) this.end(); // not before: the finger would go on, on what lies under this
    else this.breaks += 1;
  }

  /** @returns {[number, number][]} where the line begins and ends */
  get rings() {
    const { targets } = this;
    return [targets[6], targets[2]];
  }

  end() {
    clearTimeout(this.timer);
    const never = this.drawn.length ? 0 : 1; // nothing was drawn: that line was not whole
    const measured = { targets: this.targets.length, hit: this.hit, worst_px: Math.round(this.worst_px), breaks: this.breaks + never };
    this.tell('measured', measured);
  }

  render() {
    const { at, targets } = this;
    const drawing = at >= targets.length;
    return html`<svg aria-hidden="true"><rect width="100%" height="100%" fill="transparent"/>${drawing ? this.line() : this.cross(targets[at])}</svg>
      <div class="told" role="status"><bdi class="strong">${t(drawing ? 'diag.draw' : 'diag.tap')}</bdi>${drawing ? nothing : html`<span class="large strong">${at + 1} / ${targets.length}</span>`}</div>
      <button type="button" class="key" @click=${() => this.tell('measured', null)}>${t('back')}</button>`;
  }

  /** @param {[number, number]} middle */
  cross([x, y]) {
    const arm = 5 * this.mm;
    return svg`<path class="cross" d="M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}"/><circle class="cross" cx=${x} cy=${y} r=${arm * 0.55}/>`;
  }

  line() {
    const [from, to] = this.rings;
    const way = this.drawn.map((stroke) => svg`<polyline class="drawn" points=${stroke.join(' ')}/>`);
    return svg`<line class="way" x1=${from[0]} y1=${from[1]} x2=${to[0]} y2=${to[1]}/>${[from, to].map(([x, y]) => svg`<circle class="ring" cx=${x} cy=${y} r=${4.5 * this.mm}/>`)}${way}`;
  }
}

/** @param {Event} event */
const onButton = (event) => event.composedPath().some((place) => place instanceof HTMLButtonElement);

customElements.define('rp-touch-test', TouchTest);
