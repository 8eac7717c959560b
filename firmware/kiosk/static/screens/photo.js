// @ts-check
import { html } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t, word } from '../i18n.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import { reviewed, reviewStyles } from '../parts/review.js';
import '../parts/steps.js';
import '../parts/viewfinder.js';

/** S7b: the picture. A blurred or dark one asks before it is kept. */
class Photo extends Screen {
  static styles = [look, reviewStyles];

  body() {
    const { steps, camera, review, reasons = [] } = this.d;
    if (this.mode === 'skip') return html`<p class="large strong">${t('photo.why')}</p>
      <rp-list label=${t('photo.why')} .items=${reasons} .across=${2} .row_mm=${14} .row=${(/** @type {string} */ reason) => html`<button type="button" class="key"
        @click=${() => this.send('pod.photo_skip', { reason })}>${word('nophoto', reason)}</button>`}></rp-list>`;
    return html`<rp-steps .steps=${steps} .word=${this.view.word}></rp-steps>
      ${review ? reviewed(review) : html`<div class="see"><rp-viewfinder .camera=${camera}></rp-viewfinder></div>`}`;
  }

  actions() {
    const { review, can_skip, camera } = this.d;
    if (this.mode === 'skip') return { back: { label: t('back'), act: () => { this.mode = ''; } } };
    const back = { label: t('back'), cmd: 'pod.back' };
    if (review) return { back, others: [{ label: t('photo.again'), icon: 'again', cmd: 'pod.photo_again' }], primary: { label: t('photo.keep'), icon: 'ok', cmd: 'pod.photo_keep' } };
    const broken = camera !== 'ok';
    const skip = can_skip || broken ? { label: t('photo.skip'), icon: 'next', act: () => { this.mode = 'skip'; } } : null;
    return { back, others: [skip], primary: { label: t('photo.take'), icon: 'photo', cmd: 'pod.photo', locked: broken ? t('photo.no_camera') : null } };
  }
}

customElements.define('rp-photo', Photo);
