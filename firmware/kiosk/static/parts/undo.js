// @ts-check
import { html, css } from '../vendor/lit.js';
import { Part } from '../element.js';
import { t, word } from '../i18n.js';
import { button } from './button.js';
import { fitted } from './fit.js';
import { icon } from './icons.js';
import { look } from './look.js';

/** Five seconds in which a confirmed proof can be taken back. */
class Undo extends Part {
  static properties = { overlay: { attribute: false }, word: { attribute: false } };

  static styles = [look, css`
    :host { display: block; background: var(--ok); color: var(--on-ok); position: relative; block-size: var(--top); }
    .line { display: flex; align-items: stretch; gap: calc(var(--mm) * 3); padding-inline: var(--pad) 0; block-size: 100%; }
    .line > p { flex: 1; min-inline-size: 0; font-weight: 700; display: flex; gap: var(--gap); align-items: center; }
    .told { flex: 1; min-inline-size: 0; }
    .line svg.icon { inline-size: calc(var(--mm) * 6); block-size: calc(var(--mm) * 6); }
    .key { inline-size: calc(var(--mm) * 44); border-radius: 0; border: 0; font-size: calc(var(--mm) * 5); }
    @media (orientation: portrait) { .key { inline-size: calc(var(--mm) * 32); padding-inline: calc(var(--mm) * 1); font-size: calc(var(--mm) * 4); } .line > p { font-size: var(--small); } }
    .rest { position: absolute; inset-block-end: 0; inset-inline: 0; block-size: calc(var(--mm) * 1); pointer-events: none; background: currentColor; transform-origin: left; }
  `];

  constructor() {
    super();
    /** @type {{left_ms: number, address: string, outcome: string}} */
    this.overlay = { left_ms: 0, address: '', outcome: '' };
  }

  firstUpdated() {
    const left_ms = Math.max(0, this.overlay.left_ms);
    this.renderRoot.querySelector('.rest')?.animate([{ transform: `scaleX(${left_ms / 5000})` }, { transform: 'scaleX(0)' }], { duration: left_ms, fill: 'forwards' });
  }

  render() {
    const { address, outcome } = this.overlay;
    const upright = matchMedia('(orientation: portrait)').matches;
    return html`<div class="line"><p role="status">${icon('ok')}<span class="told">${fitted(html`${word('outcome', outcome)} · <bdi>${address}</bdi>`, upright ? 3 : 2)}</span></p>
      ${button(this, { label: t('undo.button'), icon: 'undo', cmd: 'pod.undo' })}</div><div class="rest"></div>`;
  }
}

customElements.define('rp-undo', Undo);
