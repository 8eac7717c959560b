// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { say, t, word } from '../i18n.js';
import { extras, goods } from '../parts/goods.js';
import { icon } from '../parts/icons.js';
import '../parts/keyboard.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import '../parts/steps.js';
import { verdictBar } from '../parts/verdict.js';
import '../parts/viewfinder.js';
import { shortage } from './shortage.js';

const GRADES = ['good', 'worn', 'damaged'];

/** S7a and S9: parcels against the list. A tap on a parcel says what is wrong with it. */
class Scan extends Screen {
  static properties = { typed: { state: true }, count: { state: true } };

  static styles = [look, css`
    .see { display: flex; flex-direction: column; gap: calc(var(--mm) * 1.5); }
    rp-viewfinder { flex: 1; }
    .done { font-size: calc(var(--mm) * 4.4); line-height: 1.15; font-weight: 700; flex: none; }
    button.goods { appearance: none; border: var(--line) solid var(--hair); cursor: pointer; touch-action: manipulation; }
    button.goods:focus-visible { outline: calc(var(--mm) * 0.8) solid var(--accent); }
    .quantity { justify-content: center; gap: calc(var(--mm) * 4); }
    .quantity .huge { min-inline-size: 2ch; text-align: center; }
    @media (orientation: portrait) { .see { min-block-size: calc(var(--mm) * 52); } }
  `];

  constructor() {
    super();
    this.typed = '';
    this.count = 0;
  }

  reset() {
    super.reset();
    this.typed = '';
  }

  get collects() {
    return this.d.stop.service !== 'delivery';
  }

  /** @returns {import('../parts/goods.js').Row | undefined} the parcel that was tapped */
  get chosen() {
    return [...goods(this.d.lines), ...extras(this.d.extras ?? [])].find((row) => `${row.line_id} ${row.code ?? ''}` === this.mode);
  }

  body() {
    if (this.mode === 'type') return html`<rp-keyboard kind="code" .value=${this.typed} @typed=${(/** @type {CustomEvent} */ event) => { this.typed = event.detail; }}></rp-keyboard>`;
    if (this.chosen) return this.collects && this.chosen.code ? this.grading(this.chosen) : shortage(this, this.chosen);
    const { steps, done, total, last, camera, lines } = this.d;
    const rows = [...goods(lines), ...extras(this.d.extras ?? [])];
    const first = rows.findIndex((row) => row.state === 'open');
    return html`<rp-steps .steps=${steps} .word=${this.view.word}></rp-steps><div class="columns"><div class="see wide">
        <rp-viewfinder aim .camera=${camera} .word=${this.view.word}></rp-viewfinder>${verdictBar(last, camera === 'ok')}</div>
      <div class="stack grow"><div class="row spread done"><span>${say(this.collects ? 'scan.collected' : 'scan.count', { done, total })}</span></div>
        <rp-list label=${t('stop.goods')} .items=${rows} .at=${first} .row_mm=${12} .row=${(/** @type {any} */ row) => this.row(row)}></rp-list></div></div>`;
  }

  /** @param {import('../parts/goods.js').Row} row */
  row(row) {
    const said = ['open', 'scanned'].includes(row.state) ? html`<bdi>${row.name}</bdi><span class="hidden"> ${word('code', row.state)}</span>` : html`<b>${word('code', row.state)}</b> · <bdi>${row.name}</bdi>`;
    const how = row.grade ? word('grade', row.grade) : row.code ? nothing : html`<bdi>${row.count}</bdi>`;
    return html`<button type="button" class="goods ${row.state}" @click=${() => this.choose(row)}>${icon(row.mark)}
      <span class="what">${row.code ? row.shown : nothing}<span class="one ${row.code ? 'small quiet' : ''}">${said}</span></span><span class="small how">${how}</span></button>`;
  }

  /** @param {import('../parts/goods.js').Row} row */
  choose(row) {
    this.mode = `${row.line_id} ${row.code ?? ''}`;
    const { qty = 1, qty_fact = 1 } = row.line ?? {};
    this.count = Math.max(0, qty_fact - (qty_fact === qty ? 1 : 0));
  }

  /** @param {import('../parts/goods.js').Row} row */
  grading(row) {
    return html`<p class="large strong">${row.shown} <bdi>${row.name}</bdi></p><p class="quiet">${t('scan.grade')}</p>
      <rp-list label=${t('scan.grade')} .items=${GRADES} .across=${3} .row_mm=${18} .row=${(/** @type {string} */ grade) => html`<button type="button" class="key large"
        aria-pressed=${row.grade === grade} @click=${() => { this.send('return.grade', { code: row.code, grade }); this.mode = ''; }}>${word('grade', grade)}</button>`}></rp-list>`;
  }

  actions() {
    const close = { label: t('back'), act: () => { this.mode = ''; } };
    if (this.mode === 'type') return { back: close, typed: { label: t('scan.type_label'), value: this.typed }, primary: { label: t('scan.type_ok'), icon: 'ok', locked: this.typed ? null : t('scan.type_first'), act: () => { this.send('pod.typed', { code: this.typed }); this.reset(); } } };
    const chosen = this.chosen;
    if (chosen) return { back: close, others: [this.collects && chosen.code && { label: t('scan.absent'), icon: 'wrong', act: () => { this.send('return.absent', { code: chosen.code }); this.mode = ''; } }] };
    const { done, total, can_skip, need } = this.d;
    const lacks = total - done;
    const locked = lacks && !can_skip && need === 'required' ? t('scan.lacks', { n: lacks }) : null;
    return {
      back: { label: t('back'), cmd: 'pod.back' },
      others: [{ label: t('scan.type'), icon: 'keyboard', act: () => { this.mode = 'type'; } }],
      primary: { label: t(lacks && !locked ? 'scan.next_without' : 'next'), icon: 'next', cmd: 'pod.next', locked, tone: lacks ? 'quiet' : undefined },
    };
  }
}

customElements.define('rp-scan', Scan);
