// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t, word } from '../i18n.js';
import { icon } from '../parts/icons.js';
import '../parts/list.js';
import { look } from '../parts/look.js';

const EVERY_MS = 2_000;

/** S13: the unit's state as it reports it, for a technician; read only. */
class Diagnostics extends Screen {
  static properties = { facts: { state: true }, tab: { state: true }, failed: { state: true } };

  static styles = [look, css`
    .tabs { display: flex; flex-wrap: wrap; gap: var(--gap); flex: none; }
    .tabs .key { font-size: calc(var(--mm) * 3.7); flex: 1 1 auto; }
    .fact { display: flex; gap: var(--gap); align-items: center; background: var(--surface); border-radius: var(--radius); padding-inline: var(--pad); font-size: calc(var(--mm) * 3.7); }
    .fact dt { color: var(--quiet); flex: 0 1 45%; min-inline-size: 0; }
    .fact dd { margin: 0; font-weight: 600; flex: 1; min-inline-size: 0; }
  `];

  constructor() {
    super();
    /** @type {Record<string, any> | null} */
    this.facts = null;
    this.tab = '';
    this.failed = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.read();
    this.timer = setInterval(() => this.read(), EVERY_MS);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  async read() {
    try {
      const answer = await fetch('/api/v1/diag', { cache: 'no-store' });
      this.facts = answer.ok ? await answer.json() : this.facts;
      this.failed = !answer.ok;
    } catch {
      this.failed = true;
    }
  }

  body() {
    if (!this.facts) return html`<div class="empty">${icon('tool')}<p>${t(this.failed ? 'diag.failed' : 'diag.reading')}</p></div>`;
    const sections = sorted(this.facts);
    const name = sections.has(this.tab) ? this.tab : [...sections.keys()][0];
    const rows = flat(sections.get(name));
    return html`<div class="tabs">${[...sections.keys()].map((one) => html`<button type="button" class="key" aria-pressed=${one === name} @click=${() => { this.tab = one; }}>${word('diag', one)}</button>`)}</div>
      <rp-list .items=${rows} .row_mm=${8} .across=${matchMedia('(orientation: portrait)').matches ? 1 : 2} label=${word('diag', name)}
        .row=${(/** @type {[string, unknown]} */ [key, value]) => html`<dl class="fact"><dt class="one"><bdi>${key}</bdi></dt><dd class="one"><bdi>${shown(value)}</bdi></dd></dl>`}></rp-list>
      ${this.failed ? html`<p class="bad">${t('diag.failed')}</p>` : nothing}`;
  }

  actions() {
    return { back: { label: t('back'), act: () => this.tell('aside', 'menu') } };
  }
}

/** Facts by subject; those that stand alone come first, together. @param {Record<string, any>} facts */
function sorted(facts) {
  const alone = Object.entries(facts).filter(([, value]) => value === null || typeof value !== 'object');
  const subjects = Object.entries(facts).filter(([, value]) => value !== null && typeof value === 'object');
  return new Map([...(alone.length ? [['unit', Object.fromEntries(alone)]] : []), ...subjects]);
}

/** @param {any} value @param {string} path @returns {[string, unknown][]} */
function flat(value, path = '') {
  if (value === null || typeof value !== 'object') return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => flat(inner, path ? `${path} ${key}` : key));
}

/** @param {unknown} value */
function shown(value) {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Math.round(value * 1e5) / 1e5);
  return String(value);
}

customElements.define('rp-diag', Diagnostics);
