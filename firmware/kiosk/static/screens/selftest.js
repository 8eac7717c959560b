// @ts-check
import { html, css, nothing } from '../vendor/lit.js';
import { Screen } from '../element.js';
import { t, word } from '../i18n.js';
import { icon, progress } from '../parts/icons.js';
import '../parts/list.js';
import { look } from '../parts/look.js';
import '../parts/touchtest.js';

/**
 * GET /api/v1/selftest: the parts in their order, what was found so far, and the report once it was signed.
 * @typedef {{key: string, state: 'ok' | 'warn' | 'bad' | 'skipped', sentence: string, facts: Record<string, any>, ms: number}} Found
 * @typedef {{unit: string, state: string, fingerprint: string, file: string, qr: {size: number, path: string}}} Signed
 * @typedef {{running: boolean, trouble: string, keys: string[], findings: Found[], report: Signed | null, prompt: {prompt: string, sentence: string, seconds: number} | null}} Progress
 */

const ADDRESS = '/api/v1/selftest';
const RUNNING_MS = 400;
const RESTING_MS = 2_000;
const QUIET_ZONE = 4; // modules of white that a reader needs round a code
const SAID = 32; // digits of the fingerprint that people compare: 128 bits

/** @type {Record<string, string>} */
const MARKS = { ok: 'ok', warn: 'info', bad: 'warn', skipped: 'minus', wait: 'clock' };
/** @type {Record<string, string>} */
const TONES = { ok: 'ok', warn: 'warn', bad: 'bad', skipped: 'quiet', wait: 'quiet' };
const WORST = ['bad', 'warn', 'ok', 'skipped', 'wait'];

/** S13, Run all: each part tested, the touch test, and the signed report of both. */
class SelfTest extends Screen {
  static properties = { progress: { state: true }, failed: { state: true }, chosen: { state: true } };

  static styles = [look, css`
    .part { inline-size: 100%; line-height: 1.12; padding-block: calc(var(--mm) * 0.4); padding-inline: var(--pad); font-weight: 500; }
    .part svg.icon { inline-size: calc(var(--mm) * 6); block-size: calc(var(--mm) * 6); }
    .part .said { flex: 1; min-inline-size: 0; display: flex; flex-direction: column; font-size: calc(var(--mm) * 3.7); text-align: start; }
    .part.wait { background: transparent; color: var(--quiet); }
    .sum { display: flex; align-items: center; gap: var(--gap); font-weight: 700; line-height: 1.1; flex: none; }
    .sum svg.progress { flex: 1; inline-size: auto; }
    .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(calc(var(--mm) * 44), 1fr)); gap: calc(var(--mm) * 1) var(--gap); overflow: hidden; }
    .facts div { display: flex; gap: var(--gap); justify-content: space-between; background: var(--surface); border-radius: var(--radius); padding: calc(var(--mm) * 0.8) var(--pad); font-size: calc(var(--mm) * 3.5); min-inline-size: 0; }
    .facts dt { color: var(--quiet); min-inline-size: 0; } .facts dd { font-weight: 600; }
    .sentence { font-size: var(--large); line-height: 1.2; }
    .one-part { display: flex; flex-direction: column; gap: var(--gap); min-block-size: 0; overflow: hidden; }
    .columns > .seal { flex: none; inline-size: calc(var(--mm) * 46); display: flex; flex-direction: column; justify-content: center; }
    .seal svg { display: block; inline-size: 100%; block-size: auto; max-block-size: 100%; }
    .seal rect { fill: #fff; } .seal path { fill: #000; } /* by night too: few readers know a code in reverse */
    .code { font: 600 calc(var(--mm) * 4) / 1.35 "Noto Sans Mono", "DejaVu Sans Mono", monospace; overflow: visible; display: block; }
    .way { overflow-wrap: anywhere; line-height: 1.3; }
    @media (orientation: portrait) {
      .columns > .seal { inline-size: 100%; align-items: center; }
      .seal svg { inline-size: calc(var(--mm) * 46); }
      .code { font-size: calc(var(--mm) * 3.4); } /* on one line */
    }
  `];

  constructor() {
    super();
    /** @type {Progress | null} */
    this.progress = null;
    this.failed = false;
    this.chosen = '';
  }

  connectedCallback() {
    super.connectedCallback();
    this.ask({ ask: 'run' }, true);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  /** Look how far it is, soon again while something goes on. */
  async read() {
    clearTimeout(this.timer);
    try {
      const answer = await fetch(ADDRESS, { cache: 'no-store' });
      this.progress = answer.ok ? await answer.json() : this.progress;
      this.failed = !answer.ok;
    } catch {
      this.failed = true;
    }
    if (this.isConnected) this.timer = setTimeout(() => this.read(), this.progress?.running ? RUNNING_MS : RESTING_MS);
  }

  /** @param {object} wish @param {boolean} quietly a run that goes on already is the one that was wanted */
  async ask(wish, quietly = false) {
    try {
      const answer = await fetch(ADDRESS, { method: 'POST', body: JSON.stringify(wish), headers: { 'content-type': 'application/json' } });
      const told = await answer.json();
      if (answer.ok) this.progress = told;
      else if (!quietly || told.err !== 'diag.still_running') this.tell('locked', t(told.err, told.args ?? {}));
    } catch {
      this.failed = true;
    }
    await this.read();
  }

  /** @returns {Found | undefined} */
  get part() {
    return this.progress?.findings.find(({ key }) => key === this.chosen);
  }

  body() {
    const { progress: now } = this;
    if (this.mode === 'touch') return html`<rp-touch-test @measured=${(/** @type {CustomEvent} */ event) => this.measured(event.detail)}></rp-touch-test>`;
    if (!now) return html`<div class="empty">${icon('tool')}<p>${t(this.failed ? 'diag.failed' : 'diag.reading')}</p></div>`;
    if (this.mode === 'paper' && now.report) return this.paper(now.report);
    if (this.mode === 'part' && this.part) return onePart(this.part);
    return html`${this.sum(now)}${this.list(now)}`;
  }

  /** How far it is; afterwards, what is wrong. @param {Progress} now */
  sum({ running, trouble, keys, findings, prompt }) {
    const faults = findings.filter(({ state }) => state === 'bad').length;
    const looks = findings.filter(({ state }) => state === 'warn').length;
    if (this.failed) return html`<p class="sum bad" role="status">${t('diag.failed')}</p>`;
    if (trouble) return html`<p class="sum bad" role="status"><bdi lang="en">${trouble}</bdi></p>`;
    if (running && prompt) return html`<p class="sum warn" role="status">${icon('info')}<bdi lang="en">${prompt.sentence}</bdi></p>`;
    if (running) return html`<p class="sum"><span>${t('diag.tested', { n: findings.length, total: keys.length })}</span>${progress(findings.length, keys.length, t('diag.tested', { n: findings.length, total: keys.length }))}</p>`;
    return html`<p class="sum ${faults ? 'bad' : looks ? 'warn' : 'ok'}" role="status">${icon(faults ? 'warn' : looks ? 'info' : 'ok')}<span>${faults
      ? t('diag.faults', { n: faults }) : looks ? t('diag.looks', { n: looks }) : t('diag.all_well')}</span></p>`;
  }

  /** @param {Progress} now */
  list({ running, keys, findings }) {
    const upright = matchMedia('(orientation: portrait)').matches;
    const held = new Map(findings.map((found) => [found.key, found]));
    const rows = keys.map((key) => held.get(key) ?? { key, state: running ? 'wait' : 'skipped', sentence: '', facts: {}, ms: 0 });
    if (!running) rows.sort((a, b) => WORST.indexOf(a.state) - WORST.indexOf(b.state)); // what is to be done stands first
    return html`<rp-list label=${t('title.selftest')} .items=${rows} .row_mm=${14} .across=${upright ? 1 : 2} .at=${running ? Math.max(0, findings.length - 3) : 0} .row=${(/** @type {any} */ found) => this.row(found)}></rp-list>`;
  }

  /** @param {Omit<Found, 'state'> & {state: string}} found */
  row({ key, state, sentence }) {
    return html`<button type="button" class="key start part ${state}" aria-disabled=${state === 'wait' ? 'true' : nothing} @click=${() => { if (sentence) { this.chosen = key; this.mode = 'part'; } }}>
      <span class=${TONES[state]}>${icon(MARKS[state])}</span><span class="said"><b class="one">${word('part', key)} <span class="hidden">${word('teststate', state)}</span></b>
      ${sentence ? html`<bdi lang="en" class="small quiet two">${sentence}</bdi>` : nothing}</span></button>`;
  }

  /** @param {Signed} report */
  paper({ unit, state, fingerprint, file, qr }) {
    const whole = qr.size + 2 * QUIET_ZONE;
    return html`<div class="columns"><div class="seal"><svg viewBox="-${QUIET_ZONE} -${QUIET_ZONE} ${whole} ${whole}" role="img" aria-label=${t('diag.fingerprint')} shape-rendering="crispEdges">
        <rect x="-${QUIET_ZONE}" y="-${QUIET_ZONE}" width=${whole} height=${whole}/><path d=${qr.path}/></svg></div>
      <div class="stack grow"><p class="row strong" role="status"><span class="ok">${icon('ok')}</span><span>${t('diag.signed')}</span>${state === 'ok' ? nothing : html`<span class="chip ${TONES[state]}">${word('teststate', state)}</span>`}</p>
        <div><p class="label">${t('diag.fingerprint')}</p><bdi dir="ltr" class="code">${fingerprint.slice(0, SAID).replace(/.{4}(?=.)/g, '$& ')}</bdi></div>
        <div class="way"><p class="label">${t('diag.kept')}</p><bdi dir="ltr" class="small strong">${file}</bdi></div>
        <div class="way"><p class="label">${t('diag.as_page')}</p><bdi dir="ltr" class="small strong">roadproof fleet report ${unit} -o report.pdf</bdi></div></div></div>`;
  }

  actions() {
    const { progress: now } = this;
    if (this.mode === 'touch') return {};
    if (this.mode) return { back: { label: t('back'), act: () => { this.mode = ''; } } };
    const back = { label: t('back'), act: () => this.tell('aside', 'diag') };
    const locked = !now || now.running ? t('diag.running') : null;
    const again = { label: t('diag.again'), icon: 'again', locked, act: () => this.ask({ ask: 'run' }) };
    const touch = { label: t('diag.touch_test'), icon: 'hand', locked, act: () => { this.mode = 'touch'; } };
    const sign = { label: t('diag.sign'), icon: 'sign', locked, act: () => this.sign() };
    const touched = now?.findings.some(({ key, state }) => key === 'touch' && state !== 'skipped');
    return touched ? { back, others: [again, touch], primary: sign } : { back, others: [again, sign], primary: touch };
  }

  async sign() {
    if (!this.progress?.report) await this.ask({ ask: 'report' });
    if (this.progress?.report) this.mode = 'paper';
  }

  /** @param {import('../parts/touchtest.js').Measured | null} detail */
  async measured(detail) {
    if (detail) await this.ask({ ask: 'touch', ...detail });
    this.mode = '';
  }
}

/** @param {Found} found */
function onePart({ key, state, sentence, facts }) {
  return html`<div class="one-part"><p class="row strong ${TONES[state]}">${icon(MARKS[state])}<span>${word('part', key)} · ${word('teststate', state)}</span></p>
    <p class="sentence"><bdi lang="en" dir="ltr">${sentence}</bdi></p>
    <dl class="facts">${Object.entries(facts).map(([name, value]) => html`<div dir="ltr"><dt class="one"><bdi>${name}</bdi></dt><dd class="one"><bdi>${value ?? '–'}</bdi></dd></div>`)}</dl></div>`;
}

customElements.define('rp-selftest', SelfTest);
