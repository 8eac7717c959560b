// @ts-check
import { html } from '../vendor/lit.js';
import { t, word } from '../i18n.js';
import './list.js';

const REASONS = ['camera', 'dark', 'privacy']; // where the view names none

/** Why there is no picture: one tap. @param {{send: (cmd: string, d: object) => void}} screen @param {string[]} reasons */
export function whyNoPhoto(screen, reasons = REASONS) {
  return html`<p class="large strong">${t('photo.why')}</p>
    <rp-list label=${t('photo.why')} .items=${reasons} .across=${2} .row_mm=${14} .row=${(/** @type {string} */ reason) => html`<button type="button" class="key"
      @click=${() => screen.send('pod.photo_skip', { reason })}>${word('nophoto', reason)}</button>`}></rp-list>`;
}
