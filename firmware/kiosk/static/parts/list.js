// @ts-check
import { html, nothing } from '../vendor/lit.js';
import { Part } from '../element.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';

const SWIPE_PX = 40;

/**
 * A list in pages: what does not fit is one large button or one swipe away, never half a row under the edge.
 * Rows are `row_mm` high and fill `across` columns; `at` is the row that should be on top, as far as those after it fill the page.
 */
class List extends Part {
  static properties = {
    items: { attribute: false }, row: { attribute: false }, row_mm: { type: Number }, across: { type: Number }, at: { type: Number }, label: {},
    size: { state: true }, first: { state: true },
  };

  /** Rows are drawn in the screen's own tree, so that the screen's styles reach them. */
  createRenderRoot() {
    return this;
  }

  constructor() {
    super();
    /** @type {any[]} */
    this.items = [];
    /** @type {(item: any, index: number) => unknown} */
    this.row = () => nothing;
    this.row_mm = 12;
    this.across = 1;
    this.at = 0;
    this.label = '';
    this.size = 1;
    this.first = 0;
    this.start = 0;
    this.turned = false;
    this.watch = new ResizeObserver(() => this.measure());
  }

  connectedCallback() {
    super.connectedCallback();
    this.watch.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.watch.disconnect();
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    this.first = this.bounded(changed.has('at') ? this.at : this.first);
  }

  /** @returns {number} pages before this one: the top one may be shorter */
  get before() {
    return Math.ceil(this.first / this.size);
  }

  /** @returns {number} pages after this one */
  get after() {
    return Math.max(0, Math.ceil((this.items.length - this.first) / this.size) - 1);
  }

  /** @param {number} wanted the row to begin with @returns {number} one that begins a line, and leaves no room empty under the last */
  bounded(wanted) {
    const line = (/** @type {number} */ row) => Math.ceil(row / this.across) * this.across;
    const last = line(Math.max(0, this.items.length - this.size));
    return Math.max(0, Math.min(last, Math.floor(wanted / this.across) * this.across));
  }

  /** @returns {number} no row is lower than what a finger, or a glove, can hit */
  get high_mm() {
    return document.documentElement.hasAttribute('data-glove') ? Math.max(19, this.row_mm) : this.row_mm;
  }

  measure() {
    const mm = parseFloat(getComputedStyle(this).getPropertyValue('gap')) / 2 || 5;
    this.toggleAttribute('data-short', this.clientHeight < 32 * mm); // no room for the page's number between two buttons
    const rows = Math.max(1, Math.floor((this.clientHeight + 2 * mm + 1) / ((this.high_mm + 2) * mm)));
    const size = rows * this.across;
    if (size === this.size) return;
    this.size = size;
    this.first = this.bounded(this.turned ? this.first : this.at);
  }

  updated() {
    this.measure();
    const ul = /** @type {HTMLElement | null} */ (this.renderRoot.querySelector('ul'));
    ul?.style.setProperty('grid-template-columns', `repeat(${this.across}, minmax(0, 1fr))`);
    ul?.style.setProperty('grid-auto-rows', `calc(var(--mm) * ${this.high_mm})`);
  }

  /** @param {number} by */
  turn(by) {
    this.turned = true;
    this.first = this.bounded(this.first + by * this.size);
  }

  /** @param {PointerEvent} event */
  swiped(event) {
    const way = event.clientY - this.start;
    if (Math.abs(way) > SWIPE_PX) this.turn(way < 0 ? 1 : -1);
  }

  render() {
    const { first } = this;
    const shown = this.items.slice(first, first + this.size);
    return html`<ul aria-label=${this.label || nothing} @pointerdown=${(/** @type {PointerEvent} */ event) => { this.start = event.clientY; }}
        @pointerup=${(/** @type {PointerEvent} */ event) => this.swiped(event)}>${shown.map((item, n) => html`<li>${this.row(item, first + n)}</li>`)}</ul>
      ${this.before || this.after ? this.pages() : nothing}`;
  }

  pages() {
    const way = (/** @type {string} */ mark, /** @type {string} */ key, /** @type {number} */ by, /** @type {boolean} */ off) =>
      html`<button type="button" class="key ${off ? 'locked' : ''}" aria-label=${t(key)} aria-disabled=${off ? 'true' : nothing} @click=${() => this.turn(by)}>${icon(mark)}</button>`;
    const { before, after } = this;
    return html`<div class="pages">${way('up', 'list.up', -1, !before)}
      <span class="count"><bdi dir="ltr">${before + 1}/${before + after + 1}</bdi></span>${way('down', 'list.down', 1, !after)}</div>`;
  }
}

customElements.define('rp-list', List);
