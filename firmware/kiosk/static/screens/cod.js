// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { amount, figure } from '../format.js';
import { t, word } from '../i18n.js';
import { icon } from '../parts/icons.js';
import '../parts/keyboard.js';
import '../parts/keypad.js';
import { look } from '../parts/look.js';
import '../parts/steps.js';

/** @type {Record<string, string>} */
const MARKS = { cash: 'cod', card: 'badge', paid: 'ok' };

/** S10: cash on delivery: how much was given, and how. */
class Cod extends Screen {
  static properties = { typed: { state: true } };

  static styles = [look, css`
    .side { justify-content: center; gap: calc(var(--mm) * 3); }
    .money { font-size: calc(var(--mm) * 8.5); font-weight: 700; line-height: 1.05; white-space: nowrap; }
    .pair { display: flex; gap: calc(var(--mm) * 8); }
    .pair .money { font-size: calc(var(--mm) * 6.2); }
    .three { grid-template-columns: repeat(3, minmax(0, 1fr)); }
    .three .key { padding-inline: calc(var(--mm) * 0.8); }
    .methods { grid-template-columns: repeat(3, 1fr); }
    .keys { justify-content: center; }
    .methods .key { flex-direction: column; gap: calc(var(--mm) * 0.5); font-size: calc(var(--mm) * 3.5); padding-inline: calc(var(--mm) * 0.8); min-block-size: max(var(--target), calc(var(--mm) * 15)); }
  `];

  constructor() {
    super();
    this.typed = '';
  }

  reset() {
    super.reset();
    this.typed = '';
  }

  body() {
    const { steps, due, chips = [], given, change, methods = [], method } = this.d;
    if (this.mode === 'reference') return html`<rp-keyboard kind="code" .value=${this.typed} @typed=${(/** @type {CustomEvent} */ event) => { this.typed = event.detail; }}></rp-keyboard>`;
    if (this.mode === 'amount') return this.amount();
    return html`<rp-steps .steps=${steps} .word=${this.view.word}></rp-steps><div class="columns"><div class="stack side">
        <div><p class="label">${t('cod.due')}</p><bdi class="money">${amount(due)}</bdi></div>
        <div class="pair"><div><p class="label">${t('cod.given')}</p><bdi class="money">${given ? figure(given) : '–'}</bdi></div>
          <div><p class="label">${t('cod.change')}</p><bdi class="money">${change ? figure(change) : '–'}</bdi></div></div></div>
      <div class="stack keys"><div class="grid three">${chips.map((/** @type {any} */ chip, /** @type {number} */ n) => html`<button type="button" class="key" aria-pressed=${given?.amount === chip.amount}
          @click=${() => this.send('cash.amount', { given: chip.amount })}><span><bdi>${figure(chip)}</bdi>${n === 0 ? html` ${t('cod.exact')}` : nothing}</span></button>`)}
          <button type="button" class="key" @click=${() => { this.mode = 'amount'; }}>${t('cod.other')}</button></div>
        <div class="grid methods">${methods.map((/** @type {string} */ one) => html`<button type="button" class="key" aria-pressed=${method === one} @click=${() => this.pay(one)}>${icon(MARKS[one])}${word('method', one)}</button>`)}</div></div></div>`;
  }

  amount() {
    const { due } = this.d;
    const shown = { ...due, amount: Number(this.typed || 0) };
    return html`<div class="columns"><div class="stack side"><div><p class="label">${t('cod.due')}</p><bdi class="money">${amount(due)}</bdi></div>
      <div><p class="label">${t('cod.given')}</p><bdi class="money" aria-live="polite">${amount(shown)}</bdi></div></div>
      <div class="grow"><rp-keypad .value=${this.typed} .longest=${9} @typed=${(/** @type {CustomEvent} */ event) => { this.typed = event.detail.replace(/^0+/, ''); }}></rp-keypad></div></div>`;
  }

  /** @param {string} method */
  pay(method) {
    this.send('cash.method', { method });
  }

  actions() {
    const close = { label: t('back'), act: () => this.reset() };
    if (this.mode === 'amount') return { back: close, primary: { label: t('done'), icon: 'ok', locked: this.typed ? null : t('cod.type_amount'), act: () => { this.send('cash.amount', { given: Number(this.typed) }); this.reset(); } } };
    if (this.mode === 'reference') return { back: close, typed: { label: t('cod.reference'), value: this.typed }, primary: { label: t('done'), icon: 'ok', locked: this.typed ? null : t('cod.reference'), act: () => { this.send('cash.method', { method: 'card', reference: this.typed }); this.reset(); } } };
    const { method, given, due, needs_reference } = this.d;
    const back = { label: t('back'), cmd: 'pod.back' };
    const others = [{ label: t('cod.unpaid'), icon: 'wrong', tone: /** @type {'danger'} */ ('danger'), cmd: 'cash.unpaid' }];
    if (needs_reference) return { back, others, primary: { label: t('cod.reference'), icon: 'keyboard', act: () => { this.mode = 'reference'; } } };
    const short = method === 'cash' && (!given || given.amount < due.amount);
    const locked = !method ? t('cod.choose') : short ? t(given ? 'cod.short' : 'cod.type_amount') : null;
    return { back, others, primary: { label: t('cod.taken'), icon: 'ok', cmd: 'cash.taken', locked } };
  }
}

customElements.define('rp-cod', Cod);
