// @ts-check
import { html, css } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t } from '../i18n.js';
import { face } from '../parts/icons.js';
import { look } from '../parts/look.js';

/** One tap by the recipient. */
class Rate extends Screen {
  static styles = [look, css`
    .ask { flex: 1; display: flex; flex-direction: column; justify-content: center; gap: calc(var(--mm) * 5); text-align: center; }
    .faces { display: flex; gap: var(--gap); justify-content: center; }
    .faces .key { flex-direction: column; flex: 1 1 0; max-inline-size: calc(var(--mm) * 27); min-inline-size: 0; padding: calc(var(--mm) * 2) 0; font-size: var(--small); gap: calc(var(--mm) * 1.5); }
    svg.face { inline-size: min(100%, calc(var(--mm) * 15)); block-size: auto; }
    @media (orientation: portrait) { .faces .key { font-size: calc(var(--mm) * 2.8); } }
  `];

  body() {
    return html`<div class="ask"><h2 class="large">${t('rate.ask')}</h2><div class="faces">${[1, 2, 3, 4, 5].map((stars) => html`<button type="button" class="key"
      @click=${() => this.send('pod.rate', { stars })}>${face(stars)}<span>${t(`rate.${stars}`)}</span></button>`)}</div></div>`;
  }

  actions() {
    return { back: { label: t('back'), cmd: 'pod.back' }, others: [{ label: t('rate.skip'), icon: 'next', cmd: 'pod.rate', d: { stars: null } }] };
  }
}

customElements.define('rp-rate', Rate);
