// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { amount, measure, number } from '../format.js';
import { say, t, word } from '../i18n.js';
import { icon } from '../parts/icons.js';
import '../parts/keypad.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import { codeText } from '../parts/verdict.js';

/** S12: the day in figures, the cash, and what is still in the vehicle. */
class End extends Screen {
  static properties = { typed: { state: true } };

  static styles = [look, css`
    .figures { grid-template-columns: repeat(3, minmax(0, 1fr)); flex: none; }
    .figures .card { padding: calc(var(--mm) * 0.8) calc(var(--mm) * 2); display: flex; flex-direction: column; min-inline-size: 0; }
    .figures .large { font-weight: 700; white-space: nowrap; }
    .figures .label { line-height: 1.05; font-size: calc(var(--mm) * 3); hyphens: auto; overflow-wrap: anywhere; }
    .line { display: flex; gap: var(--gap); align-items: center; font-size: calc(var(--mm) * 3.7); line-height: 1.15; flex: none; }
    .side { justify-content: center; }
    .money { font-size: calc(var(--mm) * 7.5); font-weight: 700; white-space: nowrap; }
    h2 { font-size: var(--small); color: var(--quiet); }
  `];

  constructor() {
    super();
    this.typed = '';
  }

  body() {
    const { done, total, failed, first_attempt_pct, on_time_pct, stops_per_hour, km, aboard = [], cash_expected = [], cash_counted, queue } = this.d;
    if (this.mode === 'cash') return this.counting();
    const tile = (/** @type {string} */ key, /** @type {unknown} */ value) => html`<div class="card"><bdi class="large">${value}</bdi><span class="label">${t(key)}</span></div>`;
    const percent = (/** @type {number | null} */ value) => (value === null || value === undefined ? '–' : `${number(value)} %`);
    return html`<div class="columns"><div class="stack wide"><div class="grid figures">
        ${tile('end.done', html`<bdi dir="ltr">${done} / ${total}</bdi>`)}${tile('end.failed', failed)}${tile('end.first', percent(first_attempt_pct))}
        ${tile('end.on_time', percent(on_time_pct))}${tile('end.per_hour', stops_per_hour === null ? '–' : number(stops_per_hour, 1))}${tile('end.driven', km === null ? '–' : measure(km, 'kilometer'))}</div>
        ${cash_expected.length ? html`<p class="line">${icon('cod')}<span>${t('end.cash')} ${cash_expected.map((/** @type {any} */ one, /** @type {number} */ n) => html`${n ? ' + ' : ''}<bdi class="strong">${amount(one)}</bdi>`)}${cash_counted ? html` · ${t('end.counted')} <bdi class="strong">${amount(cash_counted)}</bdi>` : nothing}</span></p>` : nothing}
        <p class="line ${queue ? 'warn strong' : 'ok'}">${icon(queue ? 'queue' : 'ok')}<span>${queue ? say('end.queue', { n: queue }) : t('end.sent')}</span></p></div>
      <div class="stack grow">${aboard.length ? html`<h2>${say('end.aboard', { n: aboard.length })}</h2><rp-list label=${t('end.aboard', { n: aboard.length })} .items=${aboard} .row_mm=${10} .row=${parcel}></rp-list>`
        : html`<div class="empty">${icon('truck')}<p>${t('end.nothing_aboard')}</p></div>`}</div></div>`;
  }

  counting() {
    const money = { ...this.d.cash_expected[0], amount: Number(this.typed || 0) };
    return html`<div class="columns"><div class="stack side"><p class="label">${t('end.cash')}</p><bdi class="money">${amount(this.d.cash_expected[0])}</bdi>
      <p class="label">${t('end.counted')}</p><bdi class="money" aria-live="polite">${amount(money)}</bdi></div>
      <div class="grow"><rp-keypad .value=${this.typed} .longest=${9} @typed=${(/** @type {CustomEvent} */ event) => { this.typed = event.detail.replace(/^0+/, ''); }}></rp-keypad></div></div>`;
  }

  actions() {
    if (this.mode === 'cash') return { back: { label: t('back'), act: () => { this.mode = ''; } }, primary: { label: t('done'), icon: 'ok', act: () => this.count(), locked: this.typed ? null : t('cod.type_amount') } };
    const { cash_expected = [], cash_counted, checked, queue } = this.d;
    const count = cash_expected.length > 0 && { label: t('end.count'), icon: 'cod', act: () => { this.mode = 'cash'; } };
    const check = !checked && { label: t('end.check'), icon: 'truck', cmd: 'end.check' };
    const back = { label: t('back'), cmd: 'ui.back' };
    if (cash_expected.length && !cash_counted) return this.uncounted(back, count, check);
    return { back, others: [count, check], primary: { label: t(queue ? 'end.out_waiting' : 'end.out'), icon: 'end', cmd: 'session.end' } };
  }

  /** The cash is right in one tap; in several currencies, or with a difference, it is typed. @param {any} back @param {any} count @param {any} check */
  uncounted(back, count, check) {
    const [due, ...more] = this.d.cash_expected;
    if (more.length) return { back, others: [check], primary: count };
    return { back, others: [count, check], primary: { label: `${amount(due)} ${t('cod.exact')}`, icon: 'cod', cmd: 'end.cash', d: { counted: due.amount } } };
  }

  count() {
    this.send('end.cash', { counted: Number(this.typed) });
    this.reset();
  }

  reset() {
    super.reset();
    this.typed = '';
  }
}

/** @param {any} one */
const parcel = (one) => html`<div class="goods">${icon('parcel')}<span class="what">${codeText(one.code)}<span class="small one">${say('title.stop', { no: one.stop_no })} · <b>${word('reason', one.why)}</b></span></span></div>`;

customElements.define('rp-end', End);
