// @ts-check
import { html } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t } from '../i18n.js';
import './list.js';
import { look } from './look.js';
import { codeText } from './verdict.js';

/** Several codes were seen at once, or one that may be misread: the driver taps the one that is meant. */
class Choice extends Screen {
  static properties = { overlay: { attribute: false }, word: { attribute: false } };

  static styles = [look];

  constructor() {
    super();
    /** @type {{codes: string[]}} */
    this.overlay = { codes: [] };
  }

  body() {
    const { codes } = this.overlay;
    const title = t(codes.length > 1 ? 'choice.several' : 'choice.one');
    return html`<h2 class="large strong" role="alert">${title}</h2><rp-list label=${title} .items=${codes} .row_mm=${14} .row=${(/** @type {string} */ code, /** @type {number} */ n) => html`<button
      type="button" class="key start" @click=${() => this.send('scan.choose', { n })}><span class="text">${codeText(code)}</span></button>`}></rp-list>`;
  }

  actions() {
    return { back: { label: t('choice.none'), icon: 'wrong', cmd: 'scan.none' } };
  }
}

customElements.define('rp-choice', Choice);
