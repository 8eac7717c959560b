// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { say, t, word } from '../i18n.js';
import { fitted } from '../parts/fit.js';
import { icon } from '../parts/icons.js';
import '../parts/keyboard.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import { whyNoPhoto } from '../parts/nophoto.js';
import { reviewed, reviewStyles } from '../parts/review.js';
import '../parts/viewfinder.js';

/** S8: why it cannot be done, with a picture where the reason asks for one. */
class Trouble extends Screen {
  static properties = { typed: { state: true } };

  static styles = [look, reviewStyles, css`
    rp-viewfinder { flex: 1; }
    .see { flex: 1; }
    .sum { flex: 1; display: flex; flex-direction: column; gap: calc(var(--mm) * 3); justify-content: center; align-items: center; text-align: center; }
    .sum > svg.icon { inline-size: calc(var(--mm) * 12); block-size: calc(var(--mm) * 12); color: var(--bad); }
    .sum > rp-fit { inline-size: 100%; }
    .reason { inline-size: 100%; font-size: calc(var(--mm) * 4.4); }
  `];

  constructor() {
    super();
    this.typed = '';
  }

  /** @param {string} code */
  name(code) {
    return word('reason', code, this.d.reasons.find((/** @type {any} */ one) => one.code === code)?.name);
  }

  body() {
    const { step, reasons = [], reason, camera, stop, review } = this.d;
    if (this.mode === 'skip') return whyNoPhoto(this);
    if (this.mode) return html`<rp-keyboard kind="text" .language=${this.view.lang} .value=${this.typed} @typed=${(/** @type {CustomEvent} */ event) => { this.typed = event.detail; }}></rp-keyboard>`;
    if (step === 'photo') return html`<p class="strong"><bdi>${this.name(reason)}</bdi> · ${t('exception.photo')}</p>${review ? reviewed(review) : html`<rp-viewfinder .camera=${camera}></rp-viewfinder>`}`;
    if (step === 'confirm') return html`<div class="sum">${icon('warn')}<h2 class="large"><bdi>${this.name(reason)}</bdi></h2>${fitted(stop.address, 2, 'strong')}<p class="quiet">${t('exception.added')}</p></div>`;
    const upright = matchMedia('(orientation: portrait)').matches;
    return html`<p class="quiet">${say(this.d.scope === 'parcel' ? 'exception.why_parcel' : 'exception.why')}</p>
      <rp-list label=${t('exception.why')} .items=${reasons} .across=${upright ? 2 : 3} .row_mm=${14} .row=${(/** @type {any} */ one) => html`<button type="button" class="key reason"
        aria-pressed=${reason === one.code} @click=${() => this.send('exception.reason', { code: one.code })}>${fitted(this.name(one.code))}${one.photo === 'required' ? html`${icon('photo')}<span class="hidden">${t('exception.photo')}</span>` : nothing}</button>`}></rp-list>`;
  }

  actions() {
    const { step, reason, ready, camera, review, can_skip } = this.d;
    const close = { label: t('back'), act: () => { this.mode = ''; } };
    if (this.mode === 'skip') return { back: close };
    if (this.mode) return { back: close, typed: { label: t('name.note'), value: this.typed }, primary: { label: t('done'), icon: 'ok', act: () => { this.send('exception.reason', { code: reason, note: this.typed.trim() }); this.mode = ''; }, locked: this.typed.trim() ? null : t('note.type') } };
    const back = { label: t('back'), cmd: 'ui.back' };
    const note = reason ? { label: t('name.note'), icon: 'note', act: () => { this.mode = 'note'; } } : null;
    if (step === 'photo' && review) return { back, others: [{ label: t('photo.again'), icon: 'again', cmd: 'pod.photo_again' }], primary: { label: t('photo.keep'), icon: 'ok', cmd: 'pod.photo_keep' } };
    if (step === 'photo' && camera !== 'ok') return { back, primary: { label: t('photo.skip'), icon: 'next', tone: /** @type {'quiet'} */ ('quiet'), cmd: 'pod.photo_skip', d: { reason: 'camera' } } };
    if (step === 'photo') return { back, others: [can_skip && { label: t('photo.skip'), icon: 'next', act: () => { this.mode = 'skip'; } }], primary: { label: t('photo.take'), icon: 'photo', cmd: 'pod.photo' } };
    if (step === 'confirm') return { back, others: [note], primary: { label: t('name.confirm'), icon: 'ok', cmd: 'exception.confirm', locked: ready ? null : t('exception.choose') } };
    return { back, primary: null };
  }

  reset() {
    super.reset();
    this.typed = '';
  }
}

customElements.define('rp-exception', Trouble);
