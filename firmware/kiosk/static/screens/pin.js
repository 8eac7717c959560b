// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { say, t } from '../i18n.js';
import '../parts/keypad.js';
import { look } from '../parts/look.js';
import '../parts/steps.js';

/** The recipient's PIN. */
class Pin extends Screen {
  static properties = { pin: { state: true } };

  static styles = [look, css`
    .side { justify-content: center; text-align: center; }
    .digits { font-size: var(--huge); letter-spacing: 0.2em; font-weight: 700; direction: ltr; min-block-size: 1.1em; }
  `];

  constructor() {
    super();
    this.pin = '';
  }

  reset() {
    super.reset();
    this.pin = '';
  }

  body() {
    const { digits, tries_left } = this.d;
    return html`<div class="columns"><div class="stack side"><h2 class="large">${t('pin.ask')}</h2>
        <output class="digits" aria-label=${t('pin.ask')}>${this.pin.padEnd(digits, '·')}</output>
        <p role="status" class=${tries_left < 3 ? 'bad strong' : 'quiet'}>${tries_left < 5 ? say('signin.tries', { n: tries_left }) : nothing}</p></div>
      <div class="grow"><rp-keypad .value=${this.pin} .longest=${12} @typed=${(/** @type {CustomEvent} */ event) => { this.pin = event.detail; }}></rp-keypad></div></div>`;
  }

  actions() {
    const { digits, can_skip } = this.d;
    return {
      back: { label: t('back'), cmd: 'pod.back' },
      others: [can_skip && { label: t('pin.skip'), icon: 'next', cmd: 'pod.next' }],
      primary: { label: t('pin.check'), icon: 'ok', locked: this.pin.length < digits ? t('signin.more', { n: digits }) : null, act: () => { this.send('pod.pin', { pin: this.pin }); this.pin = ''; } },
    };
  }
}

customElements.define('rp-pin', Pin);
