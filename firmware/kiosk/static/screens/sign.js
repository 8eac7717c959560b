// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { say, t } from '../i18n.js';
import { look } from '../parts/look.js';
import '../parts/signature.js';
import '../parts/steps.js';

/** S7c: the recipient signs, and sees for what. */
class Sign extends Screen {
  static properties = { enough: { state: true } };

  static styles = [look, css`
    rp-signature { flex: 1; }
    .what { flex: none; line-height: 1.15; }
    .unsigned { flex: 1; display: flex; flex-direction: column; gap: var(--gap); justify-content: center; align-items: stretch; max-inline-size: calc(var(--mm) * 100); margin-inline: auto; inline-size: 100%; }
    .unsigned .key { min-block-size: max(var(--target), calc(var(--mm) * 15)); }
  `];

  constructor() {
    super();
    this.enough = false;
  }

  reset() {
    super.reset();
    this.enough = false;
  }

  body() {
    const { steps, parcels, lines_text = [], who } = this.d;
    if (this.mode === 'unsigned') return html`<div class="unsigned"><p class="large strong">${t('sign.why')}</p>
      ${['declined', 'unable'].map((state) => html`<button type="button" class="key" @click=${() => this.send('pod.unsigned', { state })}>${t(`sign.${state}`)}</button>`)}</div>`;
    return html`<rp-steps .steps=${steps} .word=${this.view.word}></rp-steps>
      <p class="what two">${who ? html`<bdi class="strong">${who}</bdi> · ` : nothing}<b>${say('stop.parcels', { n: parcels })}</b>${lines_text.map((/** @type {string} */ line) => html` · <bdi>${line}</bdi>`)}</p>
      <rp-signature @signed=${(/** @type {CustomEvent} */ event) => { this.enough = event.detail; }}></rp-signature>`;
  }

  actions() {
    if (this.mode === 'unsigned') return { back: { label: t('back'), act: () => { this.mode = ''; } } };
    const optional = this.d.can_skip ?? this.d.need !== 'required';
    return {
      back: { label: t('back'), cmd: 'pod.back' },
      others: [
        this.enough && { label: t('sign.clear'), icon: 'again', act: () => this.pad?.clear(), locked: null },
        { label: t('sign.none'), icon: 'wrong', act: () => { this.mode = 'unsigned'; } },
        optional && !this.enough && { label: t('sign.skip'), icon: 'next', cmd: 'pod.next' },
      ],
      primary: { label: t('sign.accept'), icon: 'ok', act: () => this.accept(), locked: this.enough ? null : t('sign.empty') },
    };
  }

  /** @returns {any} */
  get pad() {
    return this.renderRoot.querySelector('rp-signature');
  }

  accept() {
    this.send('pod.sign', this.pad.strokes());
  }
}

customElements.define('rp-sign', Sign);
