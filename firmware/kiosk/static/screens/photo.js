// @ts-check
import { html } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t } from '../i18n.js';
import { look } from '../parts/look.js';
import { whyNoPhoto } from '../parts/nophoto.js';
import { reviewed, reviewStyles } from '../parts/review.js';
import '../parts/steps.js';
import '../parts/viewfinder.js';

/** S7b: the picture. A blurred or dark one asks before it is kept. */
class Photo extends Screen {
  static styles = [look, reviewStyles];

  body() {
    const { steps, camera, review, reasons } = this.d;
    if (this.mode === 'skip') return whyNoPhoto(this, reasons);
    return html`<rp-steps .steps=${steps} .word=${this.view.word}></rp-steps>
      ${review ? reviewed(review) : html`<div class="see"><rp-viewfinder .camera=${camera}></rp-viewfinder></div>`}`;
  }

  actions() {
    const { review, can_skip, camera } = this.d;
    if (this.mode === 'skip') return { back: { label: t('back'), act: () => { this.mode = ''; } } };
    const back = { label: t('back'), cmd: 'pod.back' };
    if (review) return { back, others: [{ label: t('photo.again'), icon: 'again', cmd: 'pod.photo_again' }], primary: { label: t('photo.keep'), icon: 'ok', cmd: 'pod.photo_keep' } };
    const skip = { label: t('photo.skip'), icon: 'next', act: () => { this.mode = 'skip'; } };
    if (camera !== 'ok') return { back, primary: { ...skip, tone: 'quiet' } };
    return { back, others: [can_skip && skip], primary: { label: t('photo.take'), icon: 'photo', cmd: 'pod.photo' } };
  }
}

customElements.define('rp-photo', Photo);
