// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';
import { look } from './look.js';

/** Dispatch changed the run: the driver takes it, or asks to be called. */
class Change extends Screen {
  static properties = { overlay: { attribute: false }, word: { attribute: false } };

  static styles = [look, css`
    :host { display: flex; flex-direction: column; }
    .numbers { display: flex; gap: calc(var(--mm) * 4); justify-content: center; flex-wrap: wrap; }
    .empty { color: var(--ink); } .empty > svg.icon { color: var(--accent); }
    .numbers .card { padding-block: calc(var(--mm) * 1.5); min-inline-size: calc(var(--mm) * 24); text-align: center; }
  `];

  constructor() {
    super();
    /** @type {{added?: number, removed?: number, changed?: number}} */
    this.overlay = {};
  }

  body() {
    const { added = 0, removed = 0, changed = 0 } = this.overlay;
    const tiles = [['+', 'change.added', added], ['−', 'change.removed', removed], ['', 'change.changed', changed]];
    return html`<div class="empty" role="alert">${icon('route')}<h2 class="large strong">${t('change.title')}</h2>
      <div class="numbers">${tiles.map(([mark, key, n]) => n ? html`<div class="card"><div class="huge"><bdi dir="ltr">${mark}${n}</bdi></div><div>${t(String(key), { n })}</div></div>` : nothing)}</div>
      <p>${t("change.text")}</p></div>`;
  }

  actions() {
    return { others: [{ label: t('change.call'), icon: 'phone', cmd: 'run.call' }], primary: { label: t('change.accept'), icon: 'ok', cmd: 'run.accept' } };
  }
}

customElements.define('rp-change', Change);
