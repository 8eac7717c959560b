// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Part } from '../element.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';
import { CODE, ERASE, LAYOUTS } from './layouts.js';
import { look } from './look.js';

/** The keyboard on the screen, for a name, a note or a code; tells `typed` with the whole text. Names get their capitals by themselves. */
class Keyboard extends Part {
  static properties = { value: {}, language: {}, kind: {}, longest: { type: Number }, page: { state: true } };

  static styles = [look, css`
    :host { display: flex; flex-direction: column; justify-content: center; flex: 1; min-block-size: 0; }
    .keys { display: grid; grid-template-columns: repeat(10, 1fr); gap: calc(var(--mm) * 2); flex: none; }
    .key { min-inline-size: 0; min-block-size: calc(var(--mm) * 12); padding: 0; font-size: calc(var(--mm) * 5); }
    .key.page { grid-column: span 2; } .key.space { grid-column: span 6; } .key.space + .key.erase { grid-column: span 2; } 
    @media (orientation: portrait) {
      .keys { grid-template-columns: repeat(6, 1fr); margin-block-start: auto; }
      .key.space { grid-column: span 2; }
    }
  `];

  constructor() {
    super();
    this.value = '';
    this.language = 'en';
    this.kind = 'name';
    this.longest = 60;
    this.page = 0;
  }

  /** @returns {string[][]} */
  get pages() {
    return this.kind === 'code' ? CODE : (LAYOUTS[this.language] ?? LAYOUTS.en);
  }

  /** @returns {boolean} whether a word, or a sentence, begins here */
  get capital() {
    if (this.kind === 'code') return true;
    return this.value === '' || (this.kind === 'name' ? /[\s.'-]$/.test(this.value) : /[.!?]\s$/.test(this.value));
  }

  /** @param {string} text */
  put(text) {
    this.value = [...text].slice(0, this.longest).join('');
    this.tell('typed', this.value);
  }

  /** @param {KeyboardEvent} event a laptop's own keys */
  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'Backspace') this.put([...this.value].slice(0, -1).join(''));
    else if (event.key.length === 1) this.put(this.value + event.key);
    else return;
    event.preventDefault();
  }

  render() {
    const upright = matchMedia('(orientation: portrait)').matches;
    const rows = this.pages[this.page % this.pages.length];
    const letters = [...rows.join('')];
    if (upright && this.kind !== 'code' && this.page === 0) letters.sort((a, b) => a.localeCompare(b, this.language)); // six a row: no typist's order left
    return html`<div class="keys" dir=${this.kind === 'code' || this.page % 2 ? 'ltr' : nothing} @keydown=${(/** @type {KeyboardEvent} */ event) => this.key(event)}>
      ${letters.map((letter) => this.letter(this.capital && letter !== 'ß' ? letter.toLocaleUpperCase(this.language) : letter))}
      ${this.pages.length > 1 ? html`<button type="button" class="key page" @click=${() => { this.page += 1; }}><bdi>${this.page % 2 ? (this.language === 'ar' ? 'ا ب ت' : 'ABC') : '123'}</bdi></button>` : nothing}
      ${this.kind === 'code' ? nothing : html`<button type="button" class="key space" aria-label=${t('key.space')} @click=${() => this.put(`${this.value} `)}></button>${this.erase()}`}</div>`;
  }

  erase() {
    return html`<button type="button" class="key erase" aria-label=${t('key.erase')} @click=${() => this.put([...this.value].slice(0, -1).join(''))}>${icon('erase')}</button>`;
  }

  /** @param {string} letter */
  letter(letter) {
    if (letter === ERASE) return this.erase();
    return html`<button type="button" class="key" @click=${() => this.put(this.value + letter)}>${letter}</button>`;
  }
}

customElements.define('rp-keyboard', Keyboard);
