// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { say, t } from '../i18n.js';
import { fitted } from '../parts/fit.js';
import { icon } from '../parts/icons.js';
import '../parts/keypad.js';
import '../parts/list.js';
import { look } from '../parts/look.js';

const LONGEST = 12;

/** S1: a badge before the scanner, or a PIN. */
class SignIn extends Screen {
  static properties = { pin: { state: true }, left_ms: { state: true }, driver: { state: true } };

  static styles = [look, css`
    .side { justify-content: center; text-align: center; align-items: center; }
    .side > svg.icon { inline-size: calc(var(--mm) * 14); block-size: calc(var(--mm) * 14); color: var(--accent); stroke-width: 1.6; }
    [inert] { opacity: 0.35; }
    .dots { display: flex; gap: calc(var(--mm) * 3); direction: ltr; }
    .dots i { inline-size: calc(var(--mm) * 4.5); block-size: calc(var(--mm) * 4.5); border-radius: 50%; border: calc(var(--mm) * 0.5) solid var(--edge); }
    .dots i.on { background: var(--ink); border-color: var(--ink); }
  `];

  constructor() {
    super();
    this.pin = '';
    this.left_ms = 0;
    this.driver = '';
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    super.willUpdate(changed);
    const before = /** @type {any} */ (changed.get('view'));
    if (!changed.has('view') || (before && before.seq === this.view.seq)) return;
    if (before && before.d.tries_left !== this.d.tries_left) this.pin = ''; // that one was wrong
    this.left_ms = this.d.locked_ms ?? 0;
    clearInterval(this.count);
    if (this.left_ms) this.count = setInterval(() => { this.left_ms = Math.max(0, this.left_ms - 1000); }, 1000);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.count);
  }

  body() {
    const { has_run, badge } = this.d;
    if (!has_run) return html`<div class="empty">${icon('route')}<h2 class="large">${t('signin.no_run')}</h2><p>${t('signin.no_run_text')}</p></div>`;
    if (this.mode === 'driver') return html`<rp-list label=${t('signin.who')} .items=${this.d.drivers} .across=${2} .row_mm=${13} .row=${(/** @type {any} */ one) => html`<button type="button" class="key"
      aria-pressed=${one.driver_id === this.driver} @click=${() => { this.driver = one.driver_id; this.mode = ''; }}>${fitted(one.name)}</button>`}></rp-list>`;
    const driver = this.d.drivers.find((/** @type {any} */ one) => one.driver_id === this.driver);
    return html`<div class="columns"><div class="stack side">
        ${icon(this.left_ms ? 'lock' : 'badge')}
        ${driver ? html`<bdi class="strong">${driver.name}</bdi>` : nothing}
        ${this.left_ms ? html`<h2 class="large" role="status">${say('signin.locked', { n: Math.ceil(this.left_ms / 1000) })}</h2>${badge ? html`<p class="quiet">${t('signin.badge_now')}</p>` : nothing}` : this.ask()}
      </div><div class="grow" ?inert=${this.left_ms > 0}><rp-keypad .value=${this.pin} .longest=${LONGEST} @typed=${(/** @type {CustomEvent} */ event) => { this.pin = event.detail; }}></rp-keypad></div></div>`;
  }

  ask() {
    const { digits = 4, tries_left, badge } = this.d;
    return html`<h2 class="large">${badge ? t('signin.badge') : t('signin.pin')}</h2>
        ${badge ? html`<p class="quiet">${t('signin.or_pin')}</p>` : nothing}
        <div class="dots" role="img" aria-label=${t('signin.typed', { n: this.pin.length })}>${Array.from({ length: Math.max(digits, this.pin.length) }, (_, n) => html`<i class=${n < this.pin.length ? 'on' : ''}></i>`)}</div>
        <p role="status" class=${tries_left < 5 ? 'strong' : 'quiet'}>${tries_left < 5 ? say('signin.tries', { n: tries_left }) : nothing}</p>`;
  }

  actions() {
    const { digits = 4, has_run, drivers = [] } = this.d;
    if (this.mode) return { back: { label: t('back'), act: () => { this.mode = ''; } } };
    if (!has_run) return { others: [this.menu()] };
    const locked = this.left_ms ? t('signin.wait', { n: Math.ceil(this.left_ms / 1000) }) : this.pin.length < digits ? t('signin.more', { n: digits }) : null;
    const who = drivers.length > 1 && { label: t('signin.who'), icon: 'name', act: () => { this.mode = 'driver'; } };
    return { others: [who, this.menu()], primary: { label: t('signin.enter'), icon: 'name', locked, act: () => this.enter() } };
  }

  menu() {
    return { label: t('menu.language'), icon: 'language', act: () => this.tell('aside', 'menu') };
  }

  enter() {
    this.send('session.pin', this.driver ? { driver: this.driver, pin: this.pin } : { pin: this.pin });
    this.pin = '';
  }

  reset() {
    super.reset();
    this.pin = '';
  }
}

customElements.define('rp-signin', SignIn);
