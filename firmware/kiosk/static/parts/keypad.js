// @ts-check
import { html, css } from '../vendor/lit.js';
import { Part } from '../element.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';
import { look } from './look.js';

const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** Ten large digits; tells `typed` with the whole value after each tap. */
class Keypad extends Part {
  static properties = { value: {}, longest: { type: Number } };

  static styles = [look, css`
    :host { display: grid; grid-template-columns: repeat(3, minmax(var(--target), 1fr)); grid-auto-rows: minmax(var(--target), calc(var(--mm) * 17)); gap: var(--gap); align-content: center; block-size: 100%; direction: ltr; }
    :host-context([data-glove]) { grid-template-columns: repeat(6, minmax(var(--target), 1fr)); }
    .key { font-size: calc(var(--mm) * 6.2); }
    .key.plain { border-color: var(--hair); }
  `];

  constructor() {
    super();
    this.value = '';
    this.longest = 12;
    this.addEventListener('keydown', (event) => this.key(/** @type {KeyboardEvent} */ (event)));
  }

  /** @param {KeyboardEvent} event a laptop's keys, while the keypad has the focus */
  key(event) {
    if (/^[0-9]$/.test(event.key)) this.add(event.key);
    else if (event.key === 'Backspace') this.put(this.value.slice(0, -1));
  }

  /** @param {string} digit */
  add(digit) {
    if (this.value.length < this.longest) this.put(this.value + digit);
  }

  /** @param {string} value */
  put(value) {
    this.value = value;
    this.tell('typed', value);
  }

  render() {
    const digit = (/** @type {string} */ one) => html`<button type="button" class="key" @click=${() => this.add(one)}>${one}</button>`;
    return html`${DIGITS.map(digit)}
      <button type="button" class="key plain" aria-label=${t('key.clear')} @click=${() => this.put('')}>${icon('wrong')}</button>
      ${digit('0')}
      <button type="button" class="key plain" aria-label=${t('key.erase')} @click=${() => this.put(this.value.slice(0, -1))}>${icon('erase')}</button>`;
  }
}

customElements.define('rp-keypad', Keypad);
