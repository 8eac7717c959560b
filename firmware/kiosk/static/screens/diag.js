// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t, word } from '../i18n.js';
import { findings, written } from '../parts/findings.js';
import { icon } from '../parts/icons.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import { bars, legend, plot, skyLook, systems } from '../parts/sky.js';

const EVERY_MS = 2_000;

/** @type {Record<string, string>} */
const MARKS = { ok: 'ok', wait: 'clock', bad: 'warn' };

/** S13: the unit's state for a technician, read only: what it means, every value, and a report to copy. */
class Diagnostics extends Screen {
  static properties = { facts: { state: true }, failed: { state: true }, report: { state: true } };

  static styles = [look, skyLook, css`
    .finding { display: flex; gap: var(--gap); align-items: center; background: var(--surface); border-radius: var(--radius); padding-inline: var(--pad); line-height: 1.12; }
    .finding svg.icon { inline-size: calc(var(--mm) * 6); block-size: calc(var(--mm) * 6); }
    .finding .said { flex: 1; min-inline-size: 0; display: flex; flex-direction: column; font-size: calc(var(--mm) * 3.7); }
    .finding .facts { font-weight: 600; font-size: var(--small); }
    .fact { display: flex; gap: var(--gap); align-items: center; background: var(--surface); border-radius: var(--radius); padding-inline: var(--pad); font-size: calc(var(--mm) * 3.7); }
    .fact dt { color: var(--quiet); flex: 0 1 45%; min-inline-size: 0; }
    .fact dd { margin: 0; font-weight: 600; flex: 1; min-inline-size: 0; }
    pre { margin: 0; flex: 1; min-block-size: 0; overflow: auto; background: var(--surface); border-radius: var(--radius); padding: var(--pad); font: 500 var(--small) / 1.3 "Noto Sans Mono", "DejaVu Sans Mono", monospace; user-select: text; white-space: pre-wrap; overflow-wrap: anywhere; }
    .columns > .sky { flex: 0 0 auto; block-size: 100%; aspect-ratio: 1; }
    svg.bars { flex: 1; min-block-size: 0; inline-size: 100%; }
    .heard .finding { flex: none; padding-block: calc(var(--mm) * 1); }
    @media (orientation: portrait) {
      .columns > .sky { flex: 1 1 0; inline-size: 100%; aspect-ratio: auto; }
      .columns > .heard { flex: none; }
      svg.bars { flex: none; block-size: calc(var(--mm) * 32); }
    }
  `];

  constructor() {
    super();
    /** @type {Record<string, any> | null} */
    this.facts = null;
    this.failed = false;
    this.report = ''; // as it was when it was asked for: what is read must not change meanwhile
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
    if (this.report) return html`<pre tabindex="0" dir="ltr">${this.report}</pre>`;
    if (!this.facts) return html`<div class="empty">${icon('tool')}<p>${t(this.failed ? 'diag.failed' : 'diag.reading')}</p></div>`;
    const upright = matchMedia('(orientation: portrait)').matches;
    return html`${this.mode === 'sky' ? this.sky() : this.mode === 'values' ? this.values(upright) : html`<rp-list label=${t('title.diag')} .items=${findings(this.facts)} .row_mm=${13} .across=${upright ? 1 : 2} .row=${found}></rp-list>`}
      ${this.failed ? html`<p class="bad strong" role="status">${t('diag.failed')}</p>` : nothing}`;
  }

  /** Which satellites there are, where, and how well each is heard: what an antenna is moved by. */
  sky() {
    const facts = /** @type {Record<string, any>} */ (this.facts);
    const receiver = findings(facts).filter(({ key }) => key === 'gnss');
    const sky = facts.sky ?? [];
    return html`<div class="columns">${plot(sky)}<div class="stack grow heard">${receiver.map(found)}
      ${sky.length ? html`<p class="small strong"><bdi dir="ltr">${systems(sky).join(' · ')}</bdi></p>${bars(sky)}${legend()}`
        : html`<p class="empty">${t('diag.no_sky')}</p>`}</div></div>`;
  }

  /** @param {boolean} upright */
  values(upright) {
    const { sky, checks, ...facts } = /** @type {Record<string, any>} */ (this.facts); // these two have pages of their own
    return html`<rp-list label=${t('diag.values')} .items=${flat(facts)} .row_mm=${8} .across=${upright ? 1 : 2} .row=${value}></rp-list>`;
  }

  actions() {
    if (this.report) return { back: { label: t('back'), act: () => { this.report = ''; } }, primary: { label: t('diag.copy'), icon: 'note', act: () => this.copy() } };
    const locked = this.facts ? null : t('diag.reading');
    const report = { label: t('diag.report'), icon: 'note', locked, act: () => { this.report = written(/** @type {any} */ (this.facts)); } };
    if (this.mode) return { back: { label: t('back'), act: () => { this.mode = ''; } }, primary: report };
    const all = { label: t('diag.run_all'), icon: 'ok', act: () => this.tell('aside', 'selftest') };
    return { back: { label: t('back'), act: () => this.tell('aside', 'menu') }, others: [this.opens('sky', 'gnss'), this.opens('values', 'tool')], primary: all };
  }

  /** @param {string} mode @param {string} mark @returns {import('../element.js').Action} */
  opens(mode, mark) {
    return { label: t(`diag.${mode}`), icon: mark, locked: this.facts ? null : t('diag.reading'), act: () => { this.mode = mode; } };
  }

  async copy() {
    const done = await navigator.clipboard?.writeText(this.report).then(() => true, () => false);
    this.tell('locked', t(done ? 'diag.copied' : 'diag.not_copied'));
  }
}

/** What is well is told in figures first, what is not in the unit's own sentence, for which there are two lines. @param {import('../parts/findings.js').Finding} one */
function found({ key, icon: mark, state, facts, said }) {
  const figures = facts.map((fact, n) => html`${n ? ' · ' : nothing}<bdi>${fact}</bdi>`);
  const spoken = state !== 'ok' && said;
  return html`<div class="finding"><span class=${state === 'ok' ? 'ok' : state === 'bad' ? 'bad' : 'warn'}>${icon(state === 'ok' ? mark : MARKS[state])}</span>
    <div class="said"><span class="one"><b>${word('diag', key)}</b> <span class=${state === 'bad' ? 'small bad' : 'hidden'}>${word('bootstate', state)}</span>
      ${spoken ? html`<bdi class="facts">${figures}</bdi>` : nothing}</span>
    ${facts.length && !spoken ? html`<span class="facts one">${figures}</span>` : nothing}
    ${said ? html`<bdi lang="en" class="small quiet ${facts.length && !spoken ? 'one' : 'two'}">${said}</bdi>` : nothing}</div></div>`;
}

/** @param {[string, unknown]} one */
const value = ([key, content]) => html`<dl class="fact"><dt class="one"><bdi>${key}</bdi></dt><dd class="one"><bdi dir="ltr">${shown(content)}</bdi></dd></dl>`;

/** @param {any} content @param {string} path @returns {[string, unknown][]} */
function flat(content, path = '') {
  if (content === null || typeof content !== 'object') return [[path, content]];
  return Object.entries(content).flatMap(([key, inner]) => flat(inner, path ? `${path} ${key}` : key));
}

/** @param {unknown} content */
function shown(content) {
  if (content === null || content === undefined || content === '') return '–';
  if (typeof content === 'number' && !Number.isInteger(content)) return String(Math.round(content * 1e5) / 1e5);
  return String(content);
}

customElements.define('rp-diag', Diagnostics);
